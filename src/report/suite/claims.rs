//! What the paper claims, held against what came out.

use super::collected::{
    Collected, MethodRole, Row, ScenarioKind, Spread, all_replays, main_replays, same_start,
};
use crate::continual::Protocol;
use crate::replay::CodecSettings;
use crate::suite::CellResult;

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

/// A claim that the results can't speak for, and why.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct NotJudged {
    /// Under which protocol.
    pub protocol: Protocol,
    /// In which scenario.
    pub scenario: ScenarioKind,
    /// What is claimed.
    pub claim: String,
    /// What is missing.
    pub reason: String,
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

/// Means of the same samples added up in another order differ by less.
const ROUNDING: f64 = 1e-9;

/// What the paper says of bytes is about inputs of so many channels.
const SHD_CHANNELS: usize = 700;

/// What was lost on what pre-training knew, as a share: accuracy on the base task before less that at
/// the end.
pub fn lost(cell: &CellResult) -> f64 {
    cell.base()
        .map_or(f64::NAN, |(before, after)| before - after)
}

const FORGETTING: &str = "replay removes forgetting: more is right on everything than after naive learning, \
                          and at most a tenth of the naive loss is lost, or joint training's loss and a point";
const COMPRESSION: &str = "or:10 at LR index 3 costs at most 4 points against raw";

/// The claim about bytes, counted one way or the other.
fn memory_claim(all_bytes: bool) -> String {
    let counted = match all_bytes {
        true => "all bytes held, labels and header included",
        false => "the bits of packed spikes, as the paper counts",
    };
    format!("raw input is at least 140 times {counted} (or:10 at LR index 3)")
}

/// Every claim that the results can speak for, and those that they can't, of protocols and scenarios
/// that there is any result of.
pub fn claims(collected: &Collected) -> (Vec<Claim>, Vec<NotJudged>) {
    let rows = collected.rows();
    let inputs = collected.manifest.spec.inputs();
    let (mut claims, mut not_judged) = (Vec::new(), Vec::new());
    // They are about grids of the paper's methods.
    if !collected.is_grid() {
        return (claims, not_judged);
    }
    for (protocol, scenario) in collected.sections() {
        let here = |row: &&Row<'_>| {
            row.key.protocol == protocol && row.key.scenario == scenario && !row.cells.is_empty()
        };
        let complete = !rows.iter().any(|row| {
            let here = row.key.protocol == protocol && row.key.scenario == scenario;
            here && row.cells.len() < row.planned
        });
        let replays = main_replays(&rows, protocol, &scenario);
        let tried = all_replays(&rows, protocol, &scenario);
        let rows: Vec<&Row<'_>> = rows.iter().filter(here).collect();
        let section = replays.map(|replays| Section {
            rows: &rows,
            replays,
            tried: &tried,
        });
        let section = section
            .as_ref()
            .ok_or("the suite has no latent replay here");
        let memory = |all_bytes| match inputs {
            SHD_CHANNELS => section?.memory_is_small(all_bytes),
            inputs => Err(format!(
                "it is about inputs of {SHD_CHANNELS} channels, and these have {inputs}"
            )),
        };
        let forgetting = || section?.replay_removes_forgetting();
        let compression = || section?.compression_costs_little();
        let judged = [
            (FORGETTING.to_string(), forgetting()),
            (COMPRESSION.to_string(), compression()),
            (memory_claim(false), memory(false)),
            (memory_claim(true), memory(true)),
        ];
        for (claim, judged) in judged {
            match judged {
                Ok((found, holds)) => claims.push(Claim {
                    protocol,
                    scenario: scenario.clone(),
                    claim,
                    found,
                    holds,
                    complete,
                }),
                Err(reason) => not_judged.push(NotJudged {
                    protocol,
                    scenario: scenario.clone(),
                    claim,
                    reason,
                }),
            }
        }
    }
    (claims, not_judged)
}

/// Why rows that are there can't be compared.
const NOT_PAIRED: &str =
    "what is to be compared has no run with the same speaker or classes and the same seed";

/// The rows of a protocol and scenario.
struct Section<'a> {
    rows: &'a [&'a Row<'a>],
    /// At this number of replays.
    replays: usize,
    /// All numbers of replays that there are results with.
    tried: &'a [usize],
}

/// What was found and whether the claim holds, or why it can't be said.
type Finding = Result<(String, bool), String>;

impl<'a> Section<'a> {
    fn latent(&self, lr_index: usize, codec: &CodecSettings) -> Option<&'a Row<'a>> {
        self.rows.iter().copied().find(|row| {
            row.key.role == MethodRole::Latent
                && row.key.lr_index == Some(lr_index)
                && row.key.codec.as_ref() == Some(codec)
                && row.key.replays == Some(self.replays)
        })
    }

    /// The same, or that there is none.
    fn needed(&self, lr_index: usize, codec: &CodecSettings) -> Result<&'a Row<'a>, String> {
        self.latent(lr_index, codec).ok_or_else(|| {
            format!(
                "no run of latent replay with {codec} at LR index {lr_index} and {} replays is finished",
                self.replays
            )
        })
    }

    fn simple(&self, role: MethodRole) -> Option<&'a Row<'a>> {
        self.rows.iter().copied().find(|row| row.key.role == role)
    }

    /// With uncompressed replays, at the LR index that is right most often on everything: to keep the
    /// old by not learning the new would be no feat. That index is chosen on the test samples it is then
    /// measured with, as the paper does, and the finding says so.
    fn replay_removes_forgetting(&self) -> Finding {
        let naive = self
            .simple(MethodRole::Naive)
            .ok_or("no run of naive learning is finished")?;
        let mut replayed: Vec<(usize, &Row<'_>)> = Vec::new();
        for index in self.rows.iter().filter_map(|row| row.key.lr_index) {
            if let Some(row) = self.latent(index, &CodecSettings::raw())
                && !replayed.iter().any(|(known, _)| *known == index)
            {
                replayed.push((index, row));
            }
        }
        // All over the same speakers or classes and seeds.
        let shared = |row: &Row<'a>| {
            let others = replayed.iter().map(|(_, other)| other);
            others.fold(row.paired_with(naive), |row, other| row.paired_with(other))
        };
        let rows = replayed.iter().filter_map(|(index, row)| {
            let row = shared(row);
            let right = row.spread(|cell| cell.after.all)?;
            Some((*index, row, right.mean))
        });
        let Some((index, row, _)) = rows.max_by(|one, other| one.2.total_cmp(&other.2)) else {
            return Err(match replayed.is_empty() {
                true => format!(
                    "no run of latent replay with raw and {} replays is finished",
                    self.replays
                ),
                false => NOT_PAIRED.to_string(),
            });
        };
        let naive = naive.paired_with(&row);
        let right_naive = naive.spread(|cell| cell.after.all).ok_or(NOT_PAIRED)?;
        let naive = naive.spread(lost).ok_or(NOT_PAIRED)?;
        let kept = row.spread(lost).ok_or(NOT_PAIRED)?;
        let right = row.spread(|cell| cell.after.all).ok_or(NOT_PAIRED)?;
        let joint = self
            .simple(MethodRole::Joint)
            .and_then(|joint| joint.paired_with(&row).spread(lost));
        let mut found = format!(
            "points lost on what was known: naive {}, latent replay {} ({} % right on everything, naive {} \
             %)",
            naive.percent(),
            kept.percent(),
            right.percent(),
            right_naive.percent()
        );
        if let Some(joint) = joint {
            found += &format!(", joint {}", joint.percent());
        }
        found += &format!(". Judged: {}", self.behind(&row));
        if replayed.len() > 1 {
            found += &format!(
                "; LR {index} is the best of {} on these test samples",
                replayed.len()
            );
        }
        let most = (naive.mean / 10.0).max(joint.map_or(0.0, |joint| joint.mean + 0.01));
        let holds = kept.mean <= most + ROUNDING && right.mean > right_naive.mean;
        Ok((found, holds))
    }

    /// What stands behind a verdict on a row: its name, number of replays, test samples and runs, and
    /// other numbers of replays that were not judged.
    fn behind(&self, row: &Row<'_>) -> String {
        let others = self.tried.iter().filter(|other| **other != self.replays);
        let others: Vec<String> = others.map(usize::to_string).collect();
        let behind = row.behind();
        match others.is_empty() {
            true => behind,
            false => format!("{behind} (not judged: {} replays)", others.join(", ")),
        }
    }

    /// or:10 at LR index 3 against no compression.
    fn compression_costs_little(&self) -> Finding {
        let or = self.needed(3, &or_10()?)?;
        let raw = self.needed(3, &CodecSettings::raw())?;
        let difference = paired(raw, or, |cell| cell.after.all).ok_or(NOT_PAIRED)?;
        let counts = CodecSettings::counts(10)
            .ok()
            .and_then(|codec| self.latent(3, &codec));
        let counts = counts.and_then(|row| paired(raw, row, |cell| cell.after.all));
        let mut found = format!("costs {} points on all test samples", difference.percent());
        if let Some(counts) = counts {
            found += &format!(" (counts:10 costs {})", counts.percent());
        }
        found += &format!(". Judged: {}", self.behind(&or.paired_with(raw)));
        Ok((found, difference.mean <= 0.04 + ROUNDING))
    }

    /// Raw input over what is stored, for or:10 at LR index 3: over packed spikes, as the paper counts, or
    /// over all bytes held.
    fn memory_is_small(&self, all_bytes: bool) -> Finding {
        let row = self.needed(3, &or_10()?)?;
        let times = row.mean(|cell| {
            let stored_bits = match all_bytes {
                true => 8 * cell.replay.bytes,
                false => cell.replay.payload_bits,
            };
            cell.replay.raw_input_bits as f64 / stored_bits.max(1) as f64
        });
        let found = format!("{times:.1} times. Judged: {}", self.behind(row));
        Ok((found, times >= 140.0))
    }
}

/// The codec that the paper's claims are about.
fn or_10() -> Result<CodecSettings, String> {
    CodecSettings::or(10).map_err(|error| error.to_string())
}

/// How much less the second row comes to than the first, experiment by experiment.
fn paired(first: &Row<'_>, second: &Row<'_>, of: fn(&CellResult) -> f64) -> Option<Spread> {
    let pairs = first.cells.iter().filter_map(|one| {
        let other = second.cells.iter().find(|other| same_start(one, other))?;
        Some((one.experiment.seed, of(one) - of(other)))
    });
    Spread::of(pairs)
}

#[cfg(test)]
mod tests {
    use super::super::invented::{Coded, Invented, Taught, latent, naive, suite};
    use super::*;

    fn verdicts(results: &[Invented], to_come: &[Invented]) -> Vec<(String, String)> {
        let (claims, _) = claims(&suite(results, to_come));
        let verdicts = claims
            .iter()
            .map(|claim| (claim.verdict(), claim.found.clone()));
        verdicts.collect()
    }

    fn or_10() -> Coded {
        Coded::Or(10)
    }

    #[test]
    fn what_could_not_be_judged_is_said_with_the_reason() {
        let reasons = |results: &[Invented]| {
            let (_, not_judged) = claims(&suite(results, &[]));
            let reasons = not_judged.into_iter().map(|claim| claim.reason);
            reasons.collect::<Vec<_>>()
        };
        let none = reasons(&[naive(0.5, 0.3)]);
        assert_eq!(none, vec!["the suite has no latent replay here"; 4]);
        let raw = reasons(&[latent(3, Coded::Raw, 0.1, 0.7)]);
        assert_eq!(raw[0], "no run of naive learning is finished");
        let or = "no run of latent replay with or:10 at LR index 3 and 100 replays is finished";
        assert_eq!(raw[1..], [or, or, or]);
        let whole = [
            naive(0.5, 0.3),
            latent(3, Coded::Raw, 0.1, 0.7),
            latent(3, or_10(), 0.1, 0.7),
        ];
        assert_eq!(reasons(&whole), Vec::<String>::new());
    }

    #[test]
    fn forgetting_is_judged_at_the_lr_index_that_is_right_most_often() {
        // LR 2 keeps more of the old, LR 1 is right more often: 6 points are more than a tenth of 50.
        let results = [
            naive(0.50, 0.3),
            latent(1, Coded::Raw, 0.06, 0.72),
            latent(2, Coded::Raw, 0.01, 0.71),
        ];
        let found = verdicts(&results, &[]);
        assert_eq!(found.len(), 1, "nothing at LR index 3 to judge the rest by");
        assert_eq!(found[0].0, "does not hold");
        assert!(
            found[0]
                .1
                .contains("LR 1 is the best of 2 on these test samples"),
            "{}",
            found[0].1
        );
        let better = latent(1, Coded::Raw, 0.049, 0.72);
        assert_eq!(verdicts(&[results[0], better], &[])[0].0, "holds");
        // To lose nothing and learn nothing is no feat.
        let idle = latent(1, Coded::Raw, 0.0, 0.29);
        assert_eq!(verdicts(&[results[0], idle], &[])[0].0, "does not hold");
        // As much as joint training loses, and a point, is no forgetting either.
        let joint = Invented {
            strategy: Taught::Joint,
            ..naive(0.055, 0.73)
        };
        let with_joint = [results[0], results[1], joint];
        assert_eq!(verdicts(&with_joint, &[])[0].0, "holds");
    }

    #[test]
    fn a_grid_half_filled_is_compared_like_with_like() {
        // Speaker 1, where all lose a lot, has no naive run yet.
        let other = |cell: Invented| Invented { speaker: 1, ..cell };
        let results = [
            naive(0.50, 0.3),
            latent(2, Coded::Raw, 0.20, 0.70),
            latent(3, Coded::Raw, 0.02, 0.72),
            latent(3, or_10(), 0.02, 0.685),
            other(latent(3, Coded::Raw, 0.30, 0.6)),
        ];
        let to_come = [other(naive(0.0, 0.0)), other(latent(3, or_10(), 0.0, 0.0))];
        let found = verdicts(&results, &to_come);
        // Over both speakers LR 3 is right less often than LR 2, over the one that they share more often.
        assert!(
            found[0]
                .1
                .contains("LR 3 is the best of 2 on these test samples"),
            "{}",
            found[0].1
        );
        assert_eq!(found[0].0, "holds so far");
        assert!(found[1].1.contains("costs 3.5 points"), "{}", found[1].1);
        assert_eq!(found[1].0, "holds so far");
    }

    #[test]
    fn a_verdict_names_its_replays_codec_and_test_samples() {
        let with = |replays, lost, all| {
            let cell = latent(3, Coded::Raw, lost, all);
            let replay = Some((3, Coded::Raw, replays));
            Invented { replay, ..cell }
        };
        let other_seed = |cell| Invented { seed: 1, ..cell };
        // As many cells have 50 replays as 100: those with 50 are judged, and it is said.
        let results = [
            naive(0.50, 0.3),
            other_seed(naive(0.50, 0.3)),
            with(50, 0.02, 0.7),
            other_seed(with(50, 0.02, 0.7)),
            with(100, 0.01, 0.8),
        ];
        let found = verdicts(&results, &[]);
        let behind = "latent, LR 3, raw, 50 replays; 40 test samples a run, 2 runs (not judged: 100 \
                      replays)";
        assert!(found[0].1.contains(behind), "{}", found[0].1);
        let or = Invented {
            replay: Some((3, or_10(), 50)),
            ..with(50, 0.02, 0.69)
        };
        let found = verdicts(&[results[0], results[2], or], &[]);
        let behind = "latent, LR 3, or:10, 50 replays; 40 test samples a run, 1 run";
        for (_, found) in &found[1..] {
            assert!(found.contains(behind), "{found}");
        }
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn compression_may_cost_four_points_and_bytes_count_in_full() {
        let cost = |all| {
            let results = [
                naive(0.5, 0.3),
                latent(3, Coded::Raw, 0.02, 0.72),
                latent(3, or_10(), 0.02, all),
            ];
            verdicts(&results, &[])
        };
        assert_eq!(cost(0.680)[1].0, "holds");
        assert_eq!(cost(0.679)[1].0, "does not hold");
        // 1 400 000 bits are 200 times 7000 bits, and 175 times 1000 bytes.
        let small = cost(0.7);
        for (found, times) in small[2..].iter().zip(["200.0 times.", "175.0 times."]) {
            assert_eq!(found.0, "holds");
            assert!(found.1.starts_with(times), "{}", found.1);
        }
    }
}
