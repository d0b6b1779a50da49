//! What can go wrong when an explanation is written.

/// Why a document could not be written in some format.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Its JSON could not be written.
    #[error("the explanation cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// A row of the table could not be written.
    #[error("the explanation cannot be written as CSV")]
    Csv(#[from] csv::Error),
    /// There is no such format.
    #[error("no format is called `{0}`; there are terminal, json, html, svg and csv")]
    Format(String),
}
