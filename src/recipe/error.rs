use std::path::PathBuf;

use thiserror::Error;

/// What can be wrong with a recipe.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A file could not be read.
    #[error("cannot read the recipe {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not TOML, or a key is missing, unknown, of the wrong type or out of range.
    #[error("{path} is not a recipe: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}
