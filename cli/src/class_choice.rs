//! Which classes a multi-class run begins with and which come later, as said on the command line.

use std::collections::BTreeSet;

use super::failure::Failure;
use respike::dataset::Dataset;
use respike::ids::ClassId;

/// The classes of a multi-class run.
pub(super) struct ClassChoice {
    /// Those that are pre-trained on.
    pub base: Vec<ClassId>,
    /// Those that are learned one by one, in this order.
    pub new: Vec<ClassId>,
}

impl ClassChoice {
    /// Reads `--base-classes`, a number of classes or a list, and `--new-classes`, a list.
    pub(super) fn of(
        base: Option<&str>,
        new: Option<&str>,
        data: &Dataset,
    ) -> Result<Self, Failure> {
        let all: Vec<ClassId> = data.classes().into_iter().collect();
        let new = new.map(|text| list(text, data)).transpose()?;
        let others = |taken: &[ClassId]| -> Vec<ClassId> {
            let rest = all.iter().copied();
            rest.filter(|class| !taken.contains(class)).collect()
        };
        let count = base.map(|text| text.trim().parse::<usize>());
        let base = match (base, count) {
            (None, _) if new.is_some() => others(new.as_deref().unwrap_or_default()),
            (None, _) => all[..all.len() / 2].to_vec(),
            (Some(_), Some(Ok(count))) => {
                let mut lowest = others(new.as_deref().unwrap_or_default());
                if !(1..=lowest.len()).contains(&count) || (new.is_none() && count == lowest.len())
                {
                    return Err(Failure::bad(format!(
                        "--base-classes {count} leaves nothing to start from or nothing to learn: there are {} \
                         classes to choose from",
                        lowest.len()
                    )));
                }
                lowest.truncate(count);
                lowest
            }
            (Some(text), _) => list(text, data)?,
        };
        let new = new.unwrap_or_else(|| others(&base));
        let mut seen = BTreeSet::new();
        if let Some(twice) = base.iter().chain(&new).find(|class| !seen.insert(**class)) {
            return Err(Failure::bad(format!(
                "the class {} is named twice in --base-classes and --new-classes",
                data.class_name(*twice)
            )));
        }
        if base.is_empty() || new.is_empty() {
            return Err(Failure::bad(
                "a multi-class run needs a class to start from and one to learn; name some in --base-classes and \
                 --new-classes, or leave one of them out",
            ));
        }
        Ok(ClassChoice { base, new })
    }
}

/// Classes by name or number, with commas between them.
pub(super) fn list(text: &str, data: &Dataset) -> Result<Vec<ClassId>, Failure> {
    let words = text.split(',').map(str::trim);
    let named = words.filter(|word| !word.is_empty());
    let found = named.map(|word| data.find_class(word));
    Ok(found.collect::<Result<_, _>>()?)
}
