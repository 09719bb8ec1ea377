use std::path::PathBuf;

use clap::Args;

use super::arguments::Machine;
use super::failure::Failure;
use super::out_files::refuse_file_in_the_way;
use super::output::{CountedBar, counted_bar, note, print, print_json, table};
use super::reading::read_events_for;
use respike::report::plot::lines;
use respike::report::{
    Replace, SearchSummary, comma_separated, markdown, search_figure, search_table,
};
use respike::storage::Shown;
use respike::tune::{Round, Search, SearchFolder, SearchNews, SearchSettings, importance};

/// Recipes that are told on stdout.
const TOLD: usize = 10;

/// Search for good settings of a recipe, on validation samples alone.
///
/// Trains one recipe after the other with values drawn from ranges, and writes a result for each, a table (trials.md,
/// trials.csv), a figure of what mattered (search.png, search.svg) and the best recipe whole (best.toml) to --out. Test files
/// are never opened. An interruption loses the training under way; go on with --resume.
#[derive(Args)]
#[command(
    after_help = "Example:\n  respike tune snn-models/searches/digits70.toml --out runs/search\n  respike train --recipe runs/search/best.toml --out runs/best"
)]
pub(super) struct TuneArguments {
    /// The search, a TOML file as in snn-models/searches/.
    #[arg(value_name = "SEARCH.toml")]
    search: PathBuf,
    /// Files to train on, instead of those that the recipe names; some of their samples are kept out for validation.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Where to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on with the search in --out; begin it if nothing is there.
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Replace a search that is in --out.
    #[arg(long)]
    force: bool,
    /// Print what was found as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: Machine,
}

pub(super) fn run(arguments: TuneArguments) -> Result<(), Failure> {
    arguments.machine.prepare()?;
    let settings = SearchSettings::read(&arguments.search)?;
    let base = &settings.base;
    let files = match arguments.data.is_empty() {
        true => &base.train,
        false => &arguments.data,
    };
    if files.is_empty() {
        return Err(Failure::bad(
            "give the files to train on with --data, or in the recipe",
        ));
    }
    let data = read_events_for(files, &base.network, &[])?;
    // What no trial could do is found before the folder is made.
    let plan = settings.plan_of(base, base.plan.epochs);
    plan.split(&data, base.seed)?;
    let replace = match (arguments.force, arguments.resume) {
        (true, _) => Replace::Any,
        (false, true) => Replace::Unfinished,
        (false, false) => Replace::Nothing,
    };
    refuse_file_in_the_way(&arguments.out)?;
    let folder = SearchFolder::open(&arguments.out, &settings, &data, replace)?;
    let search = Search::new(&settings, &data);
    let mut bar: Option<CountedBar> = None;
    let rounds = search.run(&folder, |news| match news {
        SearchNews::Round {
            round,
            trainings,
            epochs,
        } => {
            if let Some(bar) = bar.take() {
                bar.done();
            }
            let name = format!("round {}, {epochs} epochs each", round + 1);
            bar = Some(counted_bar(&name, *trainings, "trainings"));
        }
        SearchNews::Trained(result) => {
            if let Some(problem) = &result.problem {
                note(&format!("{}: {problem}", result.name));
            }
            if let Some(bar) = &bar {
                bar.advance(1);
            }
        }
        _ => {}
    })?;
    if let Some(bar) = bar.take() {
        bar.done();
    }
    write(&arguments, &settings, &folder, &rounds)
}

/// Writes and prints what was found.
fn write(
    arguments: &TuneArguments,
    settings: &SearchSettings,
    folder: &SearchFolder,
    rounds: &[Round],
) -> Result<(), Failure> {
    let best = rounds.last().and_then(|round| round.standings.first());
    // A search in which nothing worked ends before.
    let (last, best) = rounds
        .last()
        .zip(best)
        .ok_or_else(|| Failure::fault("no round was done"))?;
    let mattered = rounds.first().map(importance).unwrap_or_default();
    let (heading, rows) = search_table(rounds);
    let columns: Vec<&str> = heading.iter().map(String::as_str).collect();
    let score = best.score.unwrap_or(f64::NAN) * 1e2;
    let about = format!(
        "The best of {} recipes of the search `{}`: {score:.1} % of the validation samples after {} epochs, the mean of {} \
         seed{}.",
        settings.trials,
        Shown(&settings.name),
        last.epochs,
        settings.seeds.len(),
        if settings.seeds.len() == 1 { "" } else { "s" }
    );
    let recipe = settings
        .recipe_text(best.trial, &arguments.data, &about)
        .map_err(Failure::bad)?;
    folder.write("best.toml", recipe.as_bytes())?;
    let what_mattered = mattered
        .iter()
        .map(|one| vec![one.key.clone(), format!("{:.0}", one.share * 1e2)]);
    let what_mattered: Vec<Vec<String>> = what_mattered.collect();
    let text = format!(
        "# {}\n\n{about}\n\n{}\n## What mattered\n\nThe share of the differences between recipes in the first round that lies between \
         recipes with like values, less what chance would give, in %.\n\n{}",
        Shown(&settings.name),
        markdown(&columns, &rows),
        markdown(&["setting", "share %"], &what_mattered)
    );
    folder.write("trials.md", text.as_bytes())?;
    let csv = comma_separated(&heading, &rows);
    folder.write("trials.csv", csv.as_bytes())?;
    let figure = search_figure(settings, rounds);
    for name in ["search.png", "search.svg"] {
        lines(&figure, &folder.file(name))?;
    }
    if arguments.json {
        return print_json(&SearchSummary::of(&settings.name, rounds));
    }
    print(&table(&columns, &rows[..rows.len().min(TOLD)], 0))?;
    print(&table(&["setting", "explains %"], &what_mattered, 1))?;
    let out = arguments.out.display().to_string();
    print(&format!(
        "{about}\nwritten to {}; train it with: respike train --recipe {}",
        Shown(&out),
        Shown(&folder.file("best.toml").display().to_string())
    ))
}
