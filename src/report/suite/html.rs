//! Everything of a report as files.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::claims::{Claim, NotJudged, claims};
use super::collected::{Collected, RowKey, ScenarioKind, Spread};
use super::controls::{ControlRow, controls};
use super::figures::{Content, SuiteFigure, figures};
use super::table::Table;
use super::tables::tables;
use crate::continual::{HeldOutWords, Protocol, ScenarioSettings};
use crate::report::plot::{PlotError, lines, matrix};
use crate::storage::{shown, write_whole};
use crate::suite::{Group, Manifest, SuiteError, SuiteFolder};

/// What a report says, for people and for programs.
#[derive(Debug, Clone, PartialEq)]
pub struct SuiteReport {
    /// The claims and what was found, in lines of text.
    pub text: String,
    /// The same and every row.
    pub figures: ReportFigures,
}

/// The figures behind a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportFigures {
    /// Experiments of the plan.
    pub planned: usize,
    /// Those that are finished.
    pub finished: usize,
    /// The paper's claims and what came out.
    pub claims: Vec<Claim>,
    /// Claims that the results can't speak for.
    pub not_judged: Vec<NotJudged>,
    /// Every row of the plan.
    pub rows: Vec<RowFigures>,
    /// What needs no continual learning, where the suite asks for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<ControlRow>,
}

/// A row with its accuracies, shares from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowFigures {
    /// What its experiments share.
    #[serde(flatten)]
    pub key: RowKey,
    /// Finished experiments.
    pub runs: usize,
    /// Accuracy on all test samples at the end.
    pub all: Option<Spread>,
    /// On old ones.
    pub old: Option<Spread>,
    /// On new ones.
    pub new: Option<Spread>,
    /// Samples that were held for replay at the end, on average; none where none were. `replays` is what was asked for.
    pub replays_held: Option<f64>,
    /// Bytes that the memory held, on average.
    pub bytes: f64,
}

/// Writes tables, figures and `report.html` from what the folder has of a plan.
///
/// # Errors
/// [`SuiteError`] if results can't be read or files not be written.
pub fn write_report(folder: &SuiteFolder, groups: &[Group]) -> Result<SuiteReport, SuiteError> {
    let collected = Collected::read(folder, groups)?;
    let (claims, not_judged) = claims(&collected);
    let (planned, finished) = collected.progress();
    let manifest = &collected.manifest;
    let tables = tables(&collected, &claims, &not_judged);
    let place = fresh_folder(folder, "tables")?;
    for table in &tables {
        let text = table.markdown(&manifest.command);
        write(&place.join(format!("{}.md", table.name)), text.as_bytes())?;
        let file = place.join(format!("{}.csv", table.name));
        write(&file, table.csv(&manifest.command).as_bytes())?;
    }
    let place = fresh_folder(folder, "figures")?;
    let mut drawn = Vec::new();
    let figures = figures(&collected);
    for figure in figures.drawn {
        let svg = place.join(format!("{}.svg", figure.name));
        for file in [&svg, &svg.with_extension("png")] {
            let done = match &figure.content {
                Content::Lines(content) => lines(content, file),
                Content::Matrix(content) => matrix(content, file),
            };
            done.map_err(|error| cannot_draw(file, error))?;
        }
        let text = std::fs::read_to_string(&svg).map_err(|source| SuiteError::Io {
            action: "read",
            path: svg.clone(),
            source,
        })?;
        drawn.push((figure, text));
    }
    let note = folder.note()?.into_iter();
    let facts: Vec<String> = note.chain(facts(&collected, (planned, finished))).collect();
    let page = page(manifest, &facts, &tables, (&drawn, &figures.not_drawn));
    write(&folder.path().join("report.html"), page.as_bytes())?;
    let rows = collected.rows();
    let rows = rows.iter().map(|row| RowFigures {
        key: row.key.clone(),
        runs: row.cells.len(),
        all: row.spread(|cell| cell.after.all),
        old: row.spread(|cell| cell.after.old),
        new: row.spread(|cell| cell.after.new),
        replays_held: row.samples_held(),
        bytes: row.mean(|cell| cell.replay.bytes as f64),
    });
    let sections = collected.sections().into_iter();
    let controls =
        sections.flat_map(|(protocol, scenario)| controls(&collected, protocol, &scenario));
    Ok(SuiteReport {
        text: text(planned, finished, &claims, &not_judged),
        figures: ReportFigures {
            planned,
            finished,
            rows: rows.collect(),
            controls: controls.collect(),
            claims,
            not_judged,
        },
    })
}

fn text(planned: usize, finished: usize, claims: &[Claim], not_judged: &[NotJudged]) -> String {
    let mut text = format!("{finished} of {planned} experiments are finished.");
    for claim in claims {
        let verdict = claim.verdict();
        // Writing to a string can't fail.
        let _ = write!(
            text,
            "\n{}, {}: {}\n  {verdict}: {}",
            claim.scenario.name(),
            claim.protocol,
            claim.claim,
            claim.found
        );
    }
    for claim in not_judged {
        let _ = write!(
            text,
            "\n{}, {}: {}\n  Not judged: {}.",
            claim.scenario.name(),
            claim.protocol,
            claim.claim,
            claim.reason
        );
    }
    text
}

const STYLE: &str = "
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1200px; margin: 2em auto; padding: 0 1em; }
h1, h2, h3 { line-height: 1.2; }
figure { margin: 2em 0; }
figure svg { width: 100%; height: auto; }
figcaption { color: #555; max-width: 60em; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25em 0.7em; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; }
th:first-child, td:first-child, .words td, .words th { text-align: left; }
.wide { overflow-x: auto; }
pre { background: #f4f4f4; padding: 0.8em; overflow-x: auto; }
summary { cursor: pointer; font-weight: bold; margin: 0.8em 0; }
";

/// What was run with what.
fn facts(collected: &Collected, (planned, finished): (usize, usize)) -> Vec<String> {
    let manifest = &collected.manifest;
    let data = &manifest.data;
    let seeds = manifest.suite.seeds.iter().map(|seed| seed.0.to_string());
    let seeds = seeds.collect::<Vec<_>>().join(", ");
    // Those that there are results of; before any, those that are to be run.
    let sections = collected.sections();
    let ran = |protocol: &&Protocol| {
        sections.is_empty() || sections.iter().any(|(of, _)| of == *protocol)
    };
    let protocols = manifest.protocols.iter().filter(ran);
    let protocols = protocols.map(Protocol::to_string).collect::<Vec<_>>();
    vec![
        format!("{finished} of {planned} experiments are finished. Seeds: {seeds}."),
        format!(
            "Data: {} samples of {} speakers and {} classes from {} (fingerprint {}).",
            data.samples,
            data.speakers,
            data.class_names.len(),
            data.files.join(", "),
            data.fingerprint
        ),
        format!(
            "Network: {} ({} inputs, {} steps). Protocols: {}. Vector instructions: {}.",
            manifest.spec.settings().name,
            manifest.spec.inputs(),
            manifest.spec.steps(),
            protocols.join(", "),
            manifest.simd
        ),
        held_out(collected),
        built_by(collected),
    ]
}

/// Which builds of respike made the results; a mixture says so.
fn built_by(collected: &Collected) -> String {
    let builds = collected.builds();
    let counted = builds.iter().map(|(build, results)| match build {
        Some(build) => format!("{build} ({results})"),
        None => format!("one that is not known (format 1; {results})"),
    });
    let counted: Vec<String> = counted.collect();
    let builds: Vec<Option<&str>> = builds.into_keys().collect();
    match &builds[..] {
        [] => "No result yet.".to_string(),
        [None] => "The build of these results is not known (format 1).".to_string(),
        [Some(one)] => format!("All results are of build {one}."),
        _ => format!(
            "A mixture: results are of several builds of respike, {}, which may differ in what they compute.",
            counted.join(", ")
        ),
    }
}

/// Whom each protocol and scenario holds out: means are over those.
fn held_out(collected: &Collected) -> String {
    let sections = collected.sections();
    let data = &collected.manifest.data;
    let parts = sections.iter().map(|(protocol, kind)| {
        let here = collected.groups.iter().map(|(group, _)| &group.id);
        let here =
            here.filter(|id| id.protocol == *protocol && ScenarioKind::of(&id.scenario) == *kind);
        let mut scenarios: Vec<&ScenarioSettings> = here.map(|id| &id.scenario).collect();
        scenarios.sort_by_key(|scenario| scenario.held_out_words(data).place);
        scenarios.dedup();
        let words = scenarios
            .iter()
            .map(|scenario| scenario.held_out_words(data));
        let words: Vec<HeldOutWords> = words.collect();
        let what = match words.as_slice() {
            [] => String::new(),
            [only] => format!("{} {}", only.one, only.word),
            [first, ..] => {
                let all: Vec<&str> = words.iter().map(|words| &words.word[..]).collect();
                let (several, behind) = first.several;
                format!("{several} {}{behind}", all.join(", "))
            }
        };
        format!("{}, {protocol}: {what}", kind.name())
    });
    format!("Held out: {}.", parts.collect::<Vec<_>>().join("; "))
}

/// The page, with style and figures inside.
fn page(
    manifest: &Manifest,
    facts: &[String],
    tables: &[Table],
    (figures, not_drawn): (&[(SuiteFigure, String)], &[String]),
) -> String {
    let mut page = String::new();
    let title = format!("respike bench shd: {}", manifest.suite.name);
    // Writing to a string can't fail.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{0}</h1>\n\
         <p>{1}</p>\n<pre>{2}</pre>\n",
        escaped(&title),
        escaped(&manifest.suite.about),
        escaped(&manifest.command)
    );
    for fact in facts {
        let _ = writeln!(page, "<p>{}</p>", escaped(fact));
    }
    // What is claimed and found first, the other tables after the figures.
    let (first, later): (Vec<&Table>, Vec<&Table>) =
        tables.iter().partition(|table| table.name == "claims");
    for table in first {
        add_table(&mut page, table);
    }
    for (index, (figure, svg)) in figures.iter().enumerate() {
        let _ = writeln!(
            page,
            "<figure id=\"{}\" role=\"img\" aria-label=\"{}\">\n{}\n<figcaption>Figure {}. {}</figcaption>\n\
             </figure>",
            figure.name,
            escaped(&figure.alt()),
            svg.trim_end(),
            index + 1,
            escaped(&figure.caption)
        );
    }
    for reason in not_drawn {
        let _ = writeln!(page, "<p>Not drawn: {}</p>", escaped(reason));
    }
    for table in later {
        add_table(&mut page, table);
    }
    page += "<p>The same tables are in <code>tables/</code> as Markdown and CSV, the latter with a command \
             for each row; the figures are in <code>figures/</code> as \
             SVG and PNG.</p>\n</body>\n</html>\n";
    page
}

/// A table that can be folded: short ones open, long ones closed.
fn add_table(page: &mut String, table: &Table) {
    let open = if table.rows.len() <= 20 { " open" } else { "" };
    // Writing to a string can't fail.
    let _ = writeln!(
        page,
        "<details id=\"table-{}\"{open}>\n<summary>{}</summary>\n<p>{}</p>\n{}</details>",
        table.name,
        escaped(&table.title),
        escaped(&table.note),
        html_table(table)
    );
}

fn html_table(table: &Table) -> String {
    let words = if table.name == "claims" {
        " class=\"words\""
    } else {
        ""
    };
    let mut text = format!("<div class=\"wide\"><table{words}>\n<tr>");
    for cell in &table.heading {
        let _ = write!(text, "<th>{}</th>", escaped(cell));
    }
    text += "</tr>\n";
    for row in &table.rows {
        text += "<tr>";
        for cell in row {
            let _ = write!(text, "<td>{}</td>", escaped(cell));
        }
        text += "</tr>\n";
    }
    text + "</table></div>\n"
}

fn escaped(text: &str) -> String {
    shown(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// What files of tables and figures begin with.
const OWN: [&str; 9] = [
    "methods-",
    "claims.",
    "protocols-",
    "codecs-",
    "class-by-class-",
    "all-",
    "activity.",
    "accuracy-",
    "spiking-activity.",
];

/// And what they end in.
const ENDINGS: [&str; 4] = [".md", ".csv", ".svg", ".png"];

/// A folder without what an earlier report left in it; whatever else lies there stays.
fn fresh_folder(suite: &SuiteFolder, name: &str) -> Result<std::path::PathBuf, SuiteError> {
    let folder = suite.report_folder(name)?;
    let io = |action, path: &Path| {
        let path = path.to_path_buf();
        move |source| SuiteError::Io {
            action,
            path,
            source,
        }
    };
    for entry in std::fs::read_dir(&folder)
        .map_err(io("read", &folder))?
        .flatten()
    {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = OWN.iter().any(|own| name.starts_with(own));
        let written = ENDINGS.iter().any(|ending| name.ends_with(ending));
        if ours && written && entry.path().is_file() {
            std::fs::remove_file(entry.path()).map_err(io("replace", &entry.path()))?;
        }
    }
    Ok(folder)
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), SuiteError> {
    write_whole(file, bytes).map_err(|source| SuiteError::Io {
        action: "write",
        path: file.to_path_buf(),
        source,
    })
}

fn cannot_draw(file: &Path, error: PlotError) -> SuiteError {
    SuiteError::Drawing {
        path: file.to_path_buf(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::invented::{Coded, Invented, latent, naive, suite};
    use super::*;
    use crate::ids::SpeakerId;

    #[test]
    fn facts_name_what_was_held_out_and_count_experiments_alone() {
        let other = |cell: Invented| Invented { speaker: 1, ..cell };
        let one = [naive(0.5, 0.3), latent(3, Coded::Raw, 0.1, 0.7)];
        let said = |results: &[Invented]| {
            let mut collected = suite(results, &[]);
            let names = [(0, "theo"), (1, "lucas")];
            collected.manifest.data.speaker_names = names
                .map(|(speaker, name)| (SpeakerId(speaker), name.to_string()))
                .into();
            let progress = collected.progress();
            (facts(&collected, progress).join("\n"), collected)
        };
        let (text, mut collected) = said(&one);
        for expected in [
            "Held out: sample-incremental, strict: speaker theo.",
            "Protocols: strict.",
            "The build of these results is not known (format 1).",
        ] {
            assert!(text.contains(expected), "{text}");
        }
        let (text, _) = said(&[one[0], one[1], other(one[0])]);
        assert!(text.contains("speakers theo, lucas in turn"), "{text}");
        // Pre-trainings are no experiments.
        let results = &mut collected.groups[0].1;
        results.cells[0].build = Some("0.1.0+abc".into());
        let mixed = built_by(&collected);
        for expected in ["0.1.0+abc (1)", "not known (format 1; 1)"] {
            assert!(mixed.contains(expected), "{mixed}");
        }
        let results = &mut collected.groups[0].1;
        results.cells[1].build = Some("0.1.0+abc".into());
        assert_eq!(built_by(&collected), "All results are of build 0.1.0+abc.");
    }
}
