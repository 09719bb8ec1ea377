//! Which builds of respike made the results in a folder.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::storage::read_own_text;

/// The builds that the results below a folder note, each once. What can't be read is found when it is used.
pub(super) fn builds_below(folder: &Path) -> BTreeSet<String> {
    let mut builds = BTreeSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            builds.extend(builds_below(&path));
            continue;
        }
        let text = read_own_text(&path).unwrap_or_default();
        let noted = text.lines().filter_map(|line| {
            let noted: Noted = serde_json::from_str(line).ok()?;
            noted.build
        });
        builds.extend(noted);
    }
    builds
}

/// What a result says of where it comes from.
#[derive(Deserialize)]
struct Noted {
    #[serde(default)]
    build: Option<String>,
}
