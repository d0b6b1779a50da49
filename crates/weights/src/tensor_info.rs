//! Where a tensor lies in a model's files.

use crate::WeightsError;
use tensor::Format;

/// One stored tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name in the file.
    pub name: String,
    /// Row-major shape, outermost dimension first (GGUF's dimensions reversed); never empty of elements.
    pub shape: Vec<usize>,
    /// How its elements are stored.
    pub format: Format,
    /// Which of the model's weight files it is in.
    pub file: usize,
    /// Where its bytes begin in that file.
    pub offset: u64,
    /// How many bytes it takes.
    pub len_bytes: u64,
}

/// A stored tensor whose values are not read: of a type that is none of weights, or without elements. A model that does not ask
/// for it is none the worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadTensor {
    /// Its name in the file.
    pub name: String,
    /// Row-major shape, outermost dimension first.
    pub shape: Vec<u64>,
    /// How its elements are stored, as the file names it.
    pub stored_as: String,
    /// Which of the model's weight files it is in.
    pub file: usize,
}

impl UnreadTensor {
    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        has_no_elements(&self.shape)
    }
}

/// Whether a tensor of that shape has no elements.
pub(crate) fn has_no_elements(shape: &[u64]) -> bool {
    shape.contains(&0)
}

impl TensorInfo {
    /// Elements of one row: the innermost dimension; 1 for a scalar.
    pub fn row_len(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// Rows: the product of all dimensions but the innermost, so that a vector is one row.
    pub fn rows(&self) -> usize {
        self.shape.split_last().map_or(1, |(_, outer)| outer.iter().product())
    }

    /// Where its bytes end in the file.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.len_bytes)
    }
}

/// Bytes of a tensor of that shape (outermost first) and format. Rows must be whole blocks, and nothing may be empty or overflow:
/// whoever has a shape without elements has an [`UnreadTensor`].
pub(crate) fn checked_bytes(file: &str, name: &str, shape: &[u64], format: Format) -> Result<(Vec<usize>, u64), WeightsError> {
    let wrong = |expected: String| WeightsError::Shape {
        file: file.to_owned(),
        tensor: name.to_owned(),
        found: format!("{shape:?}"),
        expected,
    };
    let too_many = || wrong("no more elements than memory has addresses".to_owned());
    let sizes = shape.iter().map(|&d| usize::try_from(d)).collect::<Result<Vec<_>, _>>().map_err(|_| too_many())?;
    let elements = sizes.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)).ok_or_else(too_many)?;
    if elements == 0 {
        return Err(wrong("at least one element in every dimension".to_owned()));
    }
    let row_len = sizes.last().copied().unwrap_or(1);
    if !row_len.is_multiple_of(format.block_len()) {
        return Err(wrong(format!("rows of a multiple of {} elements for {format}", format.block_len())));
    }
    let bytes = format.bytes_of(elements).ok_or_else(too_many)?;
    Ok((sizes, bytes as u64))
}

/// Refuses names that appear twice and bytes that belong to two tensors of one file.
pub(crate) fn check_disjoint(file: &str, tensors: &[TensorInfo]) -> Result<(), WeightsError> {
    let mut by_name: Vec<&TensorInfo> = tensors.iter().collect();
    by_name.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    if let Some([a, _]) = by_name.array_windows().find(|[a, b]| a.name == b.name) {
        return Err(WeightsError::DuplicateTensor { file: file.to_owned(), tensor: a.name.clone(), first_file: file.to_owned() });
    }
    let mut by_offset = by_name;
    by_offset.sort_unstable_by_key(|t| t.offset);
    match by_offset.array_windows().find(|[a, b]| b.offset < a.end()) {
        Some([a, b]) => Err(WeightsError::Overlap {
            file: file.to_owned(),
            tensor: b.name.clone(),
            offset: b.offset,
            other: a.name.clone(),
            other_end: a.end(),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_all_but_the_innermost_dimension() {
        let info = |shape: &[usize]| TensorInfo {
            name: "t".to_owned(),
            shape: shape.to_vec(),
            format: Format::F32,
            file: 0,
            offset: 8,
            len_bytes: 16,
        };
        for (shape, rows, row_len) in [(&[3, 4][..], 3, 4), (&[2, 3, 4], 6, 4), (&[5], 1, 5), (&[], 1, 1)] {
            assert_eq!((info(shape).rows(), info(shape).row_len()), (rows, row_len), "{shape:?}");
        }
        assert_eq!(info(&[4]).end(), 24);
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let check = |shape: &[u64], format| checked_bytes("f", "t", shape, format).map(|(_, bytes)| bytes);
        assert_eq!(check(&[2, 64], Format::Q4_1).unwrap(), 2 * 2 * 20);
        assert_eq!(check(&[], Format::F32).unwrap(), 4);
        // 64 elements would be whole blocks, but each row must be.
        for (shape, format) in [
            (&[4, 16][..], Format::Q4_1),
            (&[3, 0], Format::F32),
            (&[u64::MAX, 2], Format::F16),
            (&[1 << 32, 1 << 31], Format::F32),
        ] {
            assert!(matches!(check(shape, format), Err(WeightsError::Shape { .. })), "{shape:?}");
        }
    }
}
