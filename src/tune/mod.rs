//! Search: which settings of a recipe are good, seen on validation samples alone.
//!
//! In: a recipe, and ranges for some of its keys, as TOML. Out: a folder with the result of every trial, which a search
//! that was cut off goes on from, and the best recipe whole. Test files that the recipe names are never opened.
//!
//! ```toml
//! name = "rates"
//! recipe = "digits70.toml"       # from this file's folder
//! validation = 0.15              # or validation_speakers, or what the recipe says
//! trials = 20
//! seed = 0
//! halving = { first_epochs = 5, factor = 3 }
//!
//! [ranges]
//! "training.learning_rate" = { log = [1e-3, 3e-2] }
//! "training.batch_size" = { one_of = [32, 64, 128] }
//! "network.layers.*.dropout" = { even = [0.0, 0.4] }
//! "network.layers.0.units" = { whole = [32, 256] }
//! ```

mod error;
mod folder;
mod importance;
mod key;
mod range;
mod search;
mod settings;
mod trial;

pub use error::TuneError;
pub use folder::SearchFolder;
pub use importance::{Importance, importance};
pub use key::Key;
pub use range::Range;
pub use search::{Round, Search, SearchNews, Standing};
pub use settings::{Halving, SearchSettings};
pub use trial::{TrialName, TrialResult};
