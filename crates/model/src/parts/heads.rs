//! The order of a head's features, by which one rotation serves every family.
//!
//! Scores are sums over features, which do not change where those of queries and of keys are put in another order alike. So pairs
//! that are rotated together are brought to half a head's distance, whichever way a family pairs them, and features that do not
//! rotate make pairs of angle 0.

/// Which features of a head rotate, and how files pair them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// How many, from the first on; even, and so is what is left of the head.
    pub(crate) dims: usize,
    /// Whether neighbours are pairs, `(2i, 2i + 1)`, rather than `(i, i + dims / 2)`.
    pub(crate) is_interleaved: bool,
}

impl Rotation {
    /// For each of a head's features the stored one that belongs there; `None` where all are in their places.
    pub(crate) fn order(self, head_dim: usize) -> Option<Vec<usize>> {
        let (half, rest) = (self.dims / 2, head_dim.saturating_sub(self.dims) / 2);
        let member = |pair: usize, second: usize| if self.is_interleaved { 2 * pair + second } else { pair + second * half };
        let side = |second: usize| {
            let rotated = (0..half).map(move |pair| member(pair, second));
            rotated.chain((0..rest).map(move |i| self.dims + second * rest + i))
        };
        let order: Vec<usize> = side(0).chain(side(1)).collect();
        let is_in_place = order.iter().enumerate().all(|(to, from)| to == *from);
        (!is_in_place).then_some(order)
    }
}

/// Puts the rows of whole heads in order: `to[i] = from[order[i]]` in each.
pub(crate) fn reorder(bytes: &[u8], row_bytes: usize, order: &[usize], ordered: &mut Vec<u8>) {
    ordered.clear();
    for head in bytes.chunks_exact((row_bytes * order.len()).max(1)) {
        for from in order {
            ordered.extend_from_slice(head.get(from * row_bytes..(from + 1) * row_bytes).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_to_half_a_head_s_distance() {
        let order = |dims, is_interleaved, head_dim| Rotation { dims, is_interleaved }.order(head_dim);
        assert_eq!(order(8, false, 8), None);
        assert_eq!(order(4, true, 4).unwrap(), [0, 2, 1, 3]);
        // Of features 0 to 3 the pairs are (0, 2) and (1, 3), or (0, 1) and (2, 3); 4 to 7 do not rotate.
        assert_eq!(order(4, false, 8).unwrap(), [0, 1, 4, 5, 2, 3, 6, 7]);
        assert_eq!(order(4, true, 8).unwrap(), [0, 2, 4, 5, 1, 3, 6, 7]);
    }

    #[test]
    fn rows_of_each_head_are_put_in_order() {
        let stored: Vec<u8> = (0..16).collect();
        let mut ordered = Vec::new();
        reorder(&stored, 2, &[0, 2, 1, 3], &mut ordered);
        assert_eq!(ordered, [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
    }
}
