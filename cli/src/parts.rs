//! `respike parts`: what networks and training can be made of.
//!
//! In: the registry of this process. Out: names, settings and a line on each, as a table or as JSON.

use clap::Args;

use super::failure::Failure;
use super::output::{print, print_json};
use respike::registry::Registry;

/// Arguments of `respike parts`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  respike parts\n  respike train … --optimiser '{ kind = \"adam\", beta1 = 0.8 }'"
)]
pub(super) struct PartsArguments {
    /// Print them as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: PartsArguments) -> Result<(), Failure> {
    let known = Registry::installed().list();
    if arguments.json {
        return print_json(&known);
    }
    let mut text = String::new();
    let mut part = "";
    let width = known.iter().map(|one| one.kind.len()).max().unwrap_or(0) + 2;
    for one in known {
        if one.part != part {
            part = one.part;
            text += &format!("{part}\n");
        }
        text += &format!("  {:<width$}{}\n", one.kind, one.about);
        if !one.settings.is_empty() {
            text += &format!("  {:<width$}{}\n", "", one.settings.join(", "));
        }
    }
    print(text.trim_end())
}
