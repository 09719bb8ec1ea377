//! Everything of a report as files.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::claims::{Claim, claims};
use super::collected::{Collected, RowKey, Spread};
use super::figures::{Content, SuiteFigure, figures};
use super::tables::{Table, tables};
use crate::continual::{Protocol, Scenario};
use crate::report::plot::{PlotError, lines, matrix};
use crate::storage::{shown, write_whole};
use crate::suite::{Group, Manifest, ScenarioKind, SuiteError, SuiteFolder};

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
    /// Every row of the plan.
    pub rows: Vec<RowFigures>,
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
    /// Bytes that the memory held, on average.
    pub bytes: f64,
}

/// Writes tables, figures and `report.html` from what the folder has of a plan.
///
/// # Errors
/// [`SuiteError`] if results can't be read or files not be written.
pub fn write_report(folder: &SuiteFolder, groups: &[Group]) -> Result<SuiteReport, SuiteError> {
    let collected = Collected::read(folder, groups)?;
    let claims = claims(&collected);
    let (planned, finished) = collected.progress();
    let manifest = &collected.manifest;
    let tables = tables(&collected, &claims);
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
        key: row.key,
        runs: row.cells.len(),
        all: row.spread(|cell| cell.after.all),
        old: row.spread(|cell| cell.after.old),
        new: row.spread(|cell| cell.after.new),
        bytes: row.mean(|cell| cell.replay.bytes as f64),
    });
    Ok(SuiteReport {
        text: text(planned, finished, &claims),
        figures: ReportFigures {
            planned,
            finished,
            rows: rows.collect(),
            claims,
        },
    })
}

fn text(planned: usize, finished: usize, claims: &[Claim]) -> String {
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
    let protocols = manifest.protocols.iter().map(Protocol::to_string);
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
            protocols.collect::<Vec<_>>().join(", "),
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
        None => format!("a build that did not note its source ({results})"),
    });
    let counted: Vec<String> = counted.collect();
    match &counted[..] {
        [] => "No result yet.".to_string(),
        [one] => format!("Results are of respike {one}."),
        several => format!(
            "A mixture: results are of several builds of respike, {}, which may differ in what they compute.",
            several.join(", ")
        ),
    }
}

/// Whom each protocol and scenario holds out: means are over those.
fn held_out(collected: &Collected) -> String {
    let sections = collected.sections();
    let parts = sections.iter().map(|&(protocol, kind)| {
        let mut ids: Vec<usize> = Vec::new();
        for (group, _) in &collected.groups {
            if (group.id.protocol, ScenarioKind::of(group.id.scenario)) == (protocol, kind) {
                ids.push(match group.id.scenario {
                    Scenario::Sample { speaker } => speaker.0.into(),
                    Scenario::Class { class } => class.0.into(),
                    Scenario::MultiClass { base_classes } => base_classes,
                });
            }
        }
        ids.sort_unstable();
        ids.dedup();
        let ids = ids
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let what = match kind {
            ScenarioKind::Sample => format!("speakers {ids} in turn"),
            ScenarioKind::Class => format!("classes {ids} in turn"),
            ScenarioKind::MultiClass => format!("all but {ids} base classes"),
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
const OWN: [&str; 8] = [
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
