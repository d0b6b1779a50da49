//! Which pixels make a patch, and which patches make an image position.

use crate::VisionConfig;

/// The patches of `[3, side_px, side_px]` values row by row, each unfolded to `[3, patch_px, patch_px]`.
pub(super) fn unfold(config: &VisionConfig, pixels: &[f32]) -> Vec<f32> {
    let (side, patch, n) = (config.image_px, config.patch_px, config.patches_per_side());
    let mut patches = Vec::with_capacity(config.n_patches() * config.patch_width());
    for (row, col) in (0..n).flat_map(|row| (0..n).map(move |col| (row, col))) {
        for channel in pixels.chunks_exact(side * side) {
            let lines = channel.chunks_exact(side).skip(row * patch).take(patch);
            patches.extend(lines.flat_map(|line| line.iter().skip(col * patch).take(patch)));
        }
    }
    patches
}

/// The order of patches in which each `scale_factor^2` consecutive ones make an image position: the patches of a square, row
/// by row (pixel shuffle).
pub(super) fn shuffled(config: &VisionConfig) -> Vec<u32> {
    let (n, scale, per_side) = (config.patches_per_side(), config.scale_factor, config.positions_per_side());
    let squares = (0..per_side).flat_map(|row| (0..per_side).map(move |col| (row * scale, col * scale)));
    let patches = squares
        .flat_map(|(top, left)| (0..scale).flat_map(move |dy| (0..scale).map(move |dx| ((top + dy) * n + left + dx) as u32)));
    patches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(image_px: usize, patch_px: usize, scale_factor: usize) -> VisionConfig {
        VisionConfig {
            d_model: 4,
            n_layers: 1,
            n_heads: 1,
            d_ff: 4,
            image_px,
            patch_px,
            norm_eps: 1e-6,
            scale_factor,
            image_token_id: 0,
        }
    }

    #[test]
    fn a_patch_has_its_pixels_channel_by_channel() {
        // Three channels of 5 x 5, of which patches of 2 see 4 x 4.
        let pixels: Vec<f32> = (0..75).map(|i| i as f32).collect();
        let patches = unfold(&config(5, 2, 1), &pixels);
        assert_eq!(patches.len(), 4 * 12);
        assert_eq!(patches[12..24], [2.0, 3.0, 7.0, 8.0, 27.0, 28.0, 32.0, 33.0, 52.0, 53.0, 57.0, 58.0]);
        assert_eq!(patches[24..28], [10.0, 11.0, 15.0, 16.0]);
    }

    #[test]
    fn a_square_of_patches_makes_a_position() {
        assert_eq!(shuffled(&config(4, 1, 2)), [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
        assert_eq!(shuffled(&config(2, 1, 1)), [0, 1, 2, 3]);
    }
}
