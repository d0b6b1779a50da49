//! A part of a picture that was chosen: some units of a rectangle.

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Region {
    /// Which picture, from 0 on.
    pub(in crate::page) image: usize,
    /// First and last row of the map's cells, from 0 on.
    pub(in crate::page) rows: (usize, usize),
    /// First and last column of the map's cells, from 0 on.
    pub(in crate::page) columns: (usize, usize),
    /// The units that lie there.
    pub(in crate::page) units: Vec<usize>,
    /// What a person calls it.
    pub(in crate::page) name: String,
}
