//! What the paper claims, held against what came out.

use super::collected::{Collected, Row, Spread, main_replays};
use crate::continual::{Protocol, Strategy};
use crate::replay::Codec;
use crate::suite::{CellResult, ScenarioKind};

/// A claim, what came out, and whether it holds.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Claim {
    /// Under which protocol.
    pub protocol: Protocol,
    /// In which scenario.
    pub scenario: ScenarioKind,
    /// What is claimed.
    pub claim: String,
    /// What came out.
    pub found: String,
    /// Whether the claim holds.
    pub holds: bool,
    /// Whether every experiment of the scenario is finished.
    pub complete: bool,
}

impl Claim {
    /// `holds`, `does not hold`, or the same `so far`.
    pub fn verdict(&self) -> String {
        let verdict = if self.holds { "holds" } else { "does not hold" };
        match self.complete {
            true => verdict.to_string(),
            false => format!("{verdict} so far"),
        }
    }
}

/// What the paper says of bytes is about inputs of so many channels.
const SHD_CHANNELS: usize = 700;

/// What was lost on what pre-training knew, as a share: accuracy on the base task before less that at
/// the end. (*Old* can't be compared so under the published multi-class run, where it grows.)
pub fn lost(cell: &CellResult) -> f64 {
    let base = |row: Option<&Vec<f64>>| row.and_then(|row| row.first()).copied();
    let rows = cell.matrix.rows();
    match (base(rows.first()), base(rows.last())) {
        (Some(before), Some(after)) => before - after,
        _ => f64::NAN,
    }
}

/// Every claim that the results can speak for.
pub fn claims(collected: &Collected) -> Vec<Claim> {
    let rows = collected.rows();
    let inputs = collected.manifest.spec.inputs();
    let mut claims = Vec::new();
    for (protocol, scenario) in collected.sections() {
        let here = |row: &&Row<'_>| {
            row.key.protocol == protocol && row.key.scenario == scenario && !row.cells.is_empty()
        };
        let complete = !rows.iter().any(|row| {
            let here = row.key.protocol == protocol && row.key.scenario == scenario;
            here && row.cells.len() < row.planned
        });
        let rows: Vec<&Row<'_>> = rows.iter().filter(here).collect();
        let Some(replays) = main_replays(&rows) else {
            continue;
        };
        let section = Section {
            rows: &rows,
            replays,
        };
        let found = [
            section.replay_removes_forgetting(),
            section.compression_costs_little(),
            section.memory_is_small().filter(|_| inputs == SHD_CHANNELS),
        ];
        claims.extend(
            found
                .into_iter()
                .flatten()
                .map(|(claim, found, holds)| Claim {
                    protocol,
                    scenario,
                    claim,
                    found,
                    holds,
                    complete,
                }),
        );
    }
    claims
}

/// The rows of a protocol and scenario.
struct Section<'a> {
    rows: &'a [&'a Row<'a>],
    /// At this number of replays.
    replays: usize,
}

type Finding = (String, String, bool);

impl<'a> Section<'a> {
    fn latent(&self, lr_index: usize, codec: Codec) -> Option<&'a Row<'a>> {
        self.rows.iter().copied().find(|row| {
            row.key.strategy == Strategy::Latent
                && row.key.lr_index == Some(lr_index)
                && row.key.codec == Some(codec)
                && row.key.replays == Some(self.replays)
        })
    }

    fn simple(&self, strategy: Strategy) -> Option<&'a Row<'a>> {
        self.rows
            .iter()
            .copied()
            .find(|row| row.key.strategy == strategy)
    }

    /// With uncompressed replays, at the LR index that is right most often on everything: to keep the
    /// old by not learning the new would be no feat.
    fn replay_removes_forgetting(&self) -> Option<Finding> {
        let naive = self.simple(Strategy::Naive)?.spread(lost)?;
        let indices = self.rows.iter().filter_map(|row| row.key.lr_index);
        let replayed = indices.filter_map(|index| {
            let row = self.latent(index, Codec::Raw)?;
            Some((index, row, row.spread(|cell| cell.after.all)?.mean))
        });
        let (index, row, _) = replayed.max_by(|one, other| one.2.total_cmp(&other.2))?;
        let (kept, new) = (row.spread(lost)?, row.spread(|cell| cell.after.new)?);
        let joint = self
            .simple(Strategy::Joint)
            .and_then(|row| row.spread(lost));
        let mut found = format!(
            "points lost on what was known: naive {}, latent replay at LR {index} {} ({} % right on \
             what is new)",
            naive.percent(),
            kept.percent(),
            new.percent()
        );
        if let Some(joint) = joint {
            found += &format!(", joint {}", joint.percent());
        }
        let most = (naive.mean / 10.0).max(joint.map_or(0.0, |joint| joint.mean + 0.01));
        let claim = "replay removes forgetting: at most a tenth of the naive loss, or joint training's \
                     and a point";
        Some((claim.to_string(), found, kept.mean <= most))
    }

    /// 1:10 at LR index 3 against no compression.
    fn compression_costs_little(&self) -> Option<Finding> {
        let or = self.latent(3, Codec::or(10).ok()?)?;
        let raw = self.latent(3, Codec::Raw)?;
        let difference = paired(raw, or, |cell| cell.after.all)?;
        let counts = Codec::counts(10)
            .ok()
            .and_then(|codec| self.latent(3, codec));
        let counts = counts.and_then(|row| paired(raw, row, |cell| cell.after.all));
        let mut found = format!("costs {} points on all samples", difference.percent());
        if let Some(counts) = counts {
            found += &format!(" (window counts 1:10 cost {})", counts.percent());
        }
        let claim = "1:10 at LR index 3 costs at most 4 points against no compression";
        Some((claim.to_string(), found, difference.mean <= 0.04))
    }

    /// Raw input over what is stored, for 1:10 at LR index 3.
    fn memory_is_small(&self) -> Option<Finding> {
        let row = self.latent(3, Codec::or(10).ok()?)?;
        let payload = row.mean(|cell| {
            cell.replay.raw_input_bits as f64 / cell.replay.payload_bits.max(1) as f64
        });
        let held = row
            .mean(|cell| cell.replay.raw_input_bits as f64 / (8 * cell.replay.bytes.max(1)) as f64);
        let found = format!(
            "{payload:.0} times by packed spikes, as the paper counts; {held:.0} times by all bytes \
             held, labels and header included"
        );
        let claim =
            "raw input is at least 140 times the bytes that are stored (1:10 at LR index 3)";
        Some((claim.to_string(), found, held >= 140.0))
    }
}

/// How much less the second row comes to than the first, experiment by experiment.
fn paired(first: &Row<'_>, second: &Row<'_>, of: fn(&CellResult) -> f64) -> Option<Spread> {
    let pairs = first.cells.iter().filter_map(|one| {
        let same = |other: &&&CellResult| {
            other.experiment.scenario == one.experiment.scenario
                && other.experiment.seed == one.experiment.seed
        };
        let other = second.cells.iter().find(same)?;
        Some((one.experiment.seed, of(one) - of(other)))
    });
    Spread::of(pairs)
}
