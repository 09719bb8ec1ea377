//! What is to be learned, as it is said on the command line.

use std::path::Path;

use clap::Args;

use crate::class_choice::ClassChoice;
use crate::failure::Failure;
use respike::continual::{HeldOut, ScenarioSettings};
use respike::dataset::Dataset;
use respike::registry::Registry;
use respike::storage::read_plain_text;
use respike::suite::SuiteData;

/// What is to be learned.
#[derive(Args)]
pub(super) struct Asked {
    #[arg(value_name = "SCENARIO", help = scenarios())]
    pub scenario: String,
    /// The speaker (sample) or class (class) that pre-training never hears, by name or number.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub held_out: Option<String>,
    /// What is pre-trained on where classes come one by one: the lowest classes, so many, or classes by name (or
    /// number) with commas between them, as in zero,one,five. Half of the classes by default, or all but
    /// --new-classes.
    #[arg(long, value_name = "K|CLASS,…")]
    pub base_classes: Option<String>,
    /// What is learned afterwards, in this order: classes by name or number with commas between them.
    /// All others by default, in the order of the files; classes in neither list are left out.
    #[arg(long, value_name = "CLASS,…")]
    pub new_classes: Option<String>,
}

fn scenarios() -> String {
    let known = Registry::installed();
    let names = known
        .scenarios()
        .map(|(kind, about)| format!("{kind} ({about})"));
    format!(
        "What is learned: {}; with a setting behind a colon, as in nic:196, with all of them as in '{{ kind = \"NAME\", \
         KEY = VALUE }}', or in a file that ends in .toml",
        names.collect::<Vec<_>>().join(", ")
    )
}

/// What is learned in the terms of the data, the data with the classes that it is about, and their names if they were
/// chosen.
pub(super) type Found = (ScenarioSettings, Dataset, Option<Vec<String>>);

impl Asked {
    /// Finds it.
    pub fn find(&self, data: Dataset) -> Result<Found, Failure> {
        let text = self.scenario.as_str();
        let chosen = self.base_classes.is_some() || self.new_classes.is_some();
        if text.ends_with(".toml") || text.contains(':') || text.trim_start().starts_with('{') {
            if self.held_out.is_some() || chosen {
                return Err(Failure::bad(format!(
                    "{text} says all of what is learned, so that --held-out, --base-classes and --new-classes can't be \
                     given with it"
                )));
            }
            let found = whole(text).map_err(|failure| hint_at_a_name(text, &data, failure))?;
            return Ok((found, data, None));
        }
        let names = SuiteData::of(&data, Vec::new());
        let all = ScenarioSettings::holding_out(text, &names, None);
        let by_class = all
            .as_ref()
            .is_ok_and(|all| all.iter().any(|one| one.base_classes().is_some()));
        if by_class && self.held_out.is_none() {
            return self.find_by_class(data);
        }
        if chosen {
            return Err(Failure::bad(format!(
                "--base-classes and --new-classes are for scenarios in which classes come one by one, and {text} is none"
            )));
        }
        let scenario = match &self.held_out {
            Some(held_out) => {
                let held_out = [HeldOut::Name(held_out.clone())];
                one_of(ScenarioSettings::holding_out(text, &names, Some(&held_out)))?
            }
            None => {
                let all = all.map_err(Failure::bad)?;
                match all.as_slice() {
                    [only] => only.clone(),
                    _ => {
                        return Err(Failure::bad(format!(
                            "say with --held-out what is new in `{text}`: whom or what pre-training never hears"
                        )));
                    }
                }
            }
        };
        Ok((scenario, data, None))
    }

    /// Classes that come one by one, those that are asked for in their order.
    fn find_by_class(&self, data: Dataset) -> Result<Found, Failure> {
        let (base, new) = (self.base_classes.as_deref(), self.new_classes.as_deref());
        let choice = ClassChoice::of(base, new, &data)?;
        let known = u16::try_from(choice.base.len()).unwrap_or(u16::MAX);
        let order = [choice.base, choice.new].concat();
        // Where nothing is chosen, nothing is noted.
        let (data, classes) = match order.iter().copied().eq(data.classes()) {
            true => (data, None),
            false => {
                let data = data.only_classes(&order)?;
                let names = data.class_names().to_vec();
                (data, Some(names))
            }
        };
        let names = SuiteData::of(&data, Vec::new());
        let known = [HeldOut::Number(known)];
        let found = ScenarioSettings::holding_out(&self.scenario, &names, Some(&known));
        Ok((one_of(found)?, data, classes))
    }
}

/// The scenario that a text or a file says all of.
fn whole(text: &str) -> Result<ScenarioSettings, Failure> {
    if !text.ends_with(".toml") {
        return text.parse().map_err(Failure::bad);
    }
    let read = read_plain_text(Path::new(text));
    let read = read.map_err(|error| Failure::bad(format!("cannot read {text}: {error}")))?;
    let table = toml::from_str(&read);
    table.map_err(|error: toml::de::Error| {
        let line = error.span().map_or(String::new(), |place| {
            let before = read.bytes().take(place.start);
            format!(
                "line {}: ",
                before.filter(|&byte| byte == b'\n').count() + 1
            )
        });
        // On one line, whatever the parser has to say.
        let words = error.message().split_whitespace();
        let message = words.collect::<Vec<_>>().join(" ");
        Failure::bad(format!("{text} is not a scenario: {line}{message}"))
    })
}

/// Says how what is new is named, where it was named behind a colon.
fn hint_at_a_name(text: &str, data: &Dataset, failure: Failure) -> Failure {
    let Failure::BadInput(reason) = failure else {
        return failure;
    };
    let names = SuiteData::of(data, Vec::new());
    let named = text.split_once(':').filter(|(kind, name)| {
        let held_out = [HeldOut::Name(name.to_string())];
        ScenarioSettings::holding_out(kind, &names, Some(&held_out)).is_ok()
    });
    Failure::BadInput(match named {
        Some((kind, name)) => {
            format!("{reason}; what is new is said by its name so: {kind} --held-out {name}")
        }
        None => reason,
    })
}

fn one_of(found: Result<Vec<ScenarioSettings>, String>) -> Result<ScenarioSettings, Failure> {
    let mut found = found.map_err(Failure::bad)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        _ => Err(Failure::bad("that is not one thing to learn")),
    }
}
