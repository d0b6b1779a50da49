//! Taking an explanation along: as a file, or as a link to the question.

pub(super) mod expected;
pub(super) mod export;
pub(super) mod link;
