//! Which model a person means.

use serde::{Deserialize, Serialize};

/// A choice in the list of models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selected {
    /// None yet.
    #[default]
    Nothing,
    /// One of the catalogue, by its name.
    Catalogue(String),
    /// A repository of the hub, as it is typed.
    Hub(String),
    /// Kept in this browser, by its id.
    Kept(String),
    /// Files that were picked, by their names.
    Files(Vec<String>),
}
