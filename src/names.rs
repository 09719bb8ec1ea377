//! Names of classes and speakers: one text has one spelling.
//!
//! In: text as files and people spell it. Out: text in Unicode's composed form (NFC), which can be
//! compared byte by byte.

use unicode_normalization::UnicodeNormalization;

/// A name in the spelling that all names are compared in (NFC): `é` is one character, whether it came
/// as one or as `e` with an accent behind it.
///
/// ```
/// assert_eq!(respike::names::normalised("caf\u{65}\u{301}"), "caf\u{e9}");
/// ```
pub fn normalised(name: &str) -> String {
    name.nfc().collect()
}
