//! The tint over a picture.

use super::map::Map;
use report::Scale;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

/// Draws each unit's score, smoothed between the centres of parts or as it is; `None` where the browser cannot.
pub(super) fn draw(canvas: &HtmlCanvasElement, map: &Map, relevance: &[Option<f32>], scale: &Scale, exact: bool) -> Option<()> {
    let (columns, rows) = map.mosaic.grid_size();
    let grid = map.mosaic.grid(relevance, columns, rows);
    let (width, height) = (u32::try_from(columns).ok()?, u32::try_from(rows).ok()?);
    canvas.set_width(width);
    canvas.set_height(height);
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.unchecked_into();
    if !exact {
        let pixels = ImageData::new_with_u8_clamped_array(Clamped(&grid.rgba(scale)), width).ok()?;
        return context.put_image_data(&pixels, 0.0, 0.0).ok();
    }
    // A canvas that was given a size is empty.
    let (x, y) = (f64::from(width) / f64::from(map.width_px.max(1)), f64::from(height) / f64::from(map.height_px.max(1)));
    for (part, score) in map.parts.iter().zip(relevance) {
        let [r, g, b, a] = score.map_or([0; 4], |score| scale.tint(score));
        context.set_fill_style_str(&format!("rgb({r} {g} {b} / {:.3})", f64::from(a) / 255.0));
        for rect in &part.rects {
            let (left, top) = (f64::from(rect.left_px) * x, f64::from(rect.top_px) * y);
            let (right, bottom) = (f64::from(rect.right_px) * x, f64::from(rect.bottom_px) * y);
            context.fill_rect(left, top, right - left, bottom - top);
        }
    }
    Some(())
}
