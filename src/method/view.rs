//! What the learning stage sees of latents.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the layers above the LR index see latents, new, replayed and tested ones.
///
/// As text it is `as-is`, `codec` or `codec:EPOCHS`.
///
/// ```
/// use respike::method::View;
///
/// assert_eq!("codec".parse(), Ok(View::codec()));
/// assert_eq!("codec:3".parse(), Ok(View::Codec { adapt_epochs: 3 }));
/// assert_eq!(View::AsIs.to_string(), "as-is");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum View {
    /// New and tested ones as the frozen layers give them, replayed ones as the codec leaves them, as in Dequino et al.
    /// 2024.
    AsIs,
    /// All as the codec leaves them, so that what is learned from is what is replayed and what is tested.
    Codec {
        /// Epochs of pre-training that follow on its last one, in which the layers above the LR index learn what they
        /// know again, from latents of the same samples as the codec leaves them.
        adapt_epochs: usize,
    },
}

impl View {
    /// Epochs of adaptation where nothing is said.
    pub const ADAPT_EPOCHS: usize = 10;

    /// Through the codec, after the usual adaptation.
    pub fn codec() -> Self {
        View::Codec {
            adapt_epochs: View::ADAPT_EPOCHS,
        }
    }

    /// Epochs of adaptation.
    pub fn adapt_epochs(self) -> usize {
        match self {
            View::AsIs => 0,
            View::Codec { adapt_epochs } => adapt_epochs,
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            View::AsIs => f.write_str("as-is"),
            View::Codec { adapt_epochs } if *adapt_epochs == View::ADAPT_EPOCHS => {
                f.write_str("codec")
            }
            View::Codec { adapt_epochs } => write!(f, "codec:{adapt_epochs}"),
        }
    }
}

impl FromStr for View {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "as-is" => Ok(View::AsIs),
            None if text == "codec" => Ok(View::codec()),
            Some(("codec", epochs)) => match epochs.parse() {
                Ok(adapt_epochs) => Ok(View::Codec { adapt_epochs }),
                Err(_) => Err(format!(
                    "`{epochs}` is not a number of epochs of adaptation"
                )),
            },
            _ => Err(format!(
                "`{text}` is not a view of latents: use as-is, codec or codec:EPOCHS"
            )),
        }
    }
}

impl TryFrom<String> for View {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<View> for String {
    fn from(view: View) -> String {
        view.to_string()
    }
}
