//! Controls of a suite: what needs no continual learning, beside the methods.
//!
//! In: collected results. Out: a row for each control of a protocol and scenario, and its line in the table of every
//! experiment.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::collected::{Collected, ScenarioKind, Spread};
use super::tested::Tested;
use crate::baseline::SILENT;
use crate::continual::{Accuracies, Protocol};
use crate::report::kilobytes;
use crate::suite::{Control, ControlKind, Controls, Group};

/// A control of a protocol and scenario, put together by what was held out and by seed. Accuracies are shares from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ControlRow {
    /// How data was split.
    pub protocol: Protocol,
    /// What the experiments beside it learn.
    pub scenario: ScenarioKind,
    /// Which rule reads what.
    #[serde(rename = "control")]
    pub kind: ControlKind,
    /// Groups that it is there of.
    pub runs: usize,
    /// Groups of the plan.
    pub planned: usize,
    /// On old test samples.
    pub old: Spread,
    /// On new ones.
    pub new: Spread,
    /// On all.
    pub all: Spread,
    /// Bytes that the rule keeps to go on learning, on average.
    pub bytes: f64,
    /// Of an untrained network, the share of counts that are not 0, on average; where every result has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonzero: Option<f64>,
    /// How many times as wide as its spec says its weights were drawn, at least and at most, where one was silent else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights_wider: Option<(u32, u32)>,
    /// With how many test samples each was measured.
    #[serde(skip)]
    pub tested: Option<Tested>,
    /// Sources that they were computed by, each with how many.
    #[serde(skip)]
    pub builds: BTreeMap<String, usize>,
}

/// The controls of a protocol and scenario; none if the suite does not ask for them, or none is there yet.
pub fn controls(
    collected: &Collected,
    protocol: Protocol,
    scenario: &ScenarioKind,
) -> Vec<ControlRow> {
    if !collected.manifest.suite.wants_controls(protocol) {
        return Vec::new();
    }
    let groups = collected.groups.iter().filter(|(group, _)| {
        group.id.protocol == protocol && ScenarioKind::of(&group.id.scenario) == *scenario
    });
    let planned = groups.clone().count();
    let there = groups.filter_map(|(group, results)| Some((group, results.controls.as_ref()?)));
    let each = there.flat_map(|(group, all)| {
        let controls = all.controls.iter();
        controls.map(move |control| (group, all, control))
    });
    let each: Vec<(&Group, &Controls, &Control)> = each.collect();
    let kinds: BTreeSet<ControlKind> = each.iter().map(|(.., control)| control.kind).collect();
    let rows = kinds.into_iter().filter_map(|kind| {
        let each = each.iter().filter(|(.., control)| control.kind == kind);
        let spread = |of: fn(&Accuracies) -> f64| {
            let values = each.clone();
            Spread::of(values.map(|(group, _, control)| (group.id.seed, of(&control.accuracy))))
        };
        let runs = each.clone().count();
        let mut builds: BTreeMap<String, usize> = BTreeMap::new();
        for (_, all, _) in each.clone() {
            *builds.entry(all.build.clone()).or_default() += 1;
        }
        let bytes: u64 = each.clone().map(|(.., control)| control.bytes()).sum();
        let nonzero = each.clone().map(|(.., control)| control.nonzero);
        let nonzero: Option<Vec<f64>> = nonzero.collect();
        let wider = each
            .clone()
            .map(|(.., control)| control.weights_wider.unwrap_or(1));
        let widest = wider.clone().max().unwrap_or(1);
        let least = wider.min().unwrap_or(1);
        let tested = each
            .clone()
            .map(|(_, all, _)| Tested::with(all.test_samples.all, Some(all.test_samples)));
        Some(ControlRow {
            protocol,
            scenario: scenario.clone(),
            kind,
            runs,
            planned,
            old: spread(|accuracy| accuracy.old)?,
            new: spread(|accuracy| accuracy.new)?,
            all: spread(|accuracy| accuracy.all)?,
            bytes: bytes as f64 / runs as f64,
            nonzero: nonzero.map(|shares| shares.iter().sum::<f64>() / shares.len() as f64),
            weights_wider: Some((least, widest)).filter(|_| widest > 1),
            tested: Tested::together(tested),
            builds,
        })
    });
    rows.collect()
}

impl ControlRow {
    /// What it is called in tables: `no network, linear rule`; with what there is to be known of an untrained network.
    pub fn name(&self) -> String {
        let name = self.kind.to_string();
        match self.weights_wider {
            _ if self.nonzero.is_some_and(|nonzero| nonzero < SILENT) => {
                format!("{name} (no spikes: it says nothing)")
            }
            None => name,
            Some((least, widest)) if least == widest => format!("{name}, weights × {widest}"),
            Some((least, widest)) => format!("{name}, weights × {least} to {widest}"),
        }
    }

    /// Its line in the table of every experiment; with the builds that it is of, if the table has them.
    pub(super) fn line(&self, with_builds: bool) -> Vec<String> {
        let none = || "–".to_string();
        let mut line = vec![
            self.name(),
            self.tested.map_or_else(none, Tested::cell),
            none(),
            none(),
            self.old.percent(),
            self.new.percent(),
            self.all.percent(),
            none(),
            kilobytes(self.bytes as u64),
            none(),
            none(),
            match self.runs == self.planned {
                true => self.planned.to_string(),
                false => format!("{} of {}", self.runs, self.planned),
            },
        ];
        if with_builds {
            let counted = self.builds.iter();
            let counted = counted.map(|(build, count)| format!("{build} ({count})"));
            line.push(counted.collect::<Vec<_>>().join(", "));
        }
        line
    }

    /// What is said below a table that has some of them.
    pub(super) fn note(rows: &[ControlRow]) -> String {
        let mut note = String::new();
        if !rows.is_empty() {
            note += " Rows without a network, or with an untrained one, are controls that need no continual learning: \
                     rules made of sums over the training samples of all tasks, which the order of tasks does not \
                     change; their bytes are these sums, 8 a number.";
        }
        if rows.iter().any(|row| row.weights_wider.is_some()) {
            note += " Weights × 4: the untrained network left hardly a spike as it was drawn, so it was drawn with \
                     weights twice as wide, and again, until a tenth of its counts were not 0.";
        }
        note
    }
}

#[cfg(test)]
mod tests {
    use super::super::invented::{Invented, naive, suite};
    use super::super::tables::tables;
    use super::*;
    use crate::baseline::Transform;
    use crate::continual::TestSamples;

    /// Controls whose linear rule is right for such a share of old samples.
    fn invented(old: f64) -> Controls {
        let control = |kind, old, numbers| Control {
            kind,
            windows: 10,
            span: None,
            features: 20,
            transform: Transform::SquareRoot,
            nonzero: None,
            weights_wider: None,
            shrinkage: None,
            validation: None,
            numbers,
            accuracy: Accuracies {
                old,
                new: 0.5,
                all: 0.25,
            },
        };
        Controls {
            build: "0123".into(),
            train: 160,
            test_samples: TestSamples {
                old: 30,
                new: 10,
                all: 40,
            },
            controls: vec![
                control(ControlKind::UntrainedNetworkLinear, 0.0, 100),
                control(ControlKind::NoNetworkLinear, old, 250),
            ],
        }
    }

    #[test]
    fn controls_are_put_together_by_seed_and_stand_below_the_experiments() {
        let run = |speaker, seed| Invented {
            speaker,
            seed,
            ..naive(0.5, 0.3)
        };
        let results = [run(0, 0), run(1, 0), run(0, 1), run(1, 1)];
        let mut collected = suite(&results, &[]);
        // Means of seeds 0.7 and 0.9; one of four is still to come.
        for (place, old) in [(0, 0.6), (1, 0.8), (2, 0.9)] {
            collected.groups[place].1.controls = Some(invented(old));
        }
        let (protocol, scenario) = collected.sections().remove(0);
        assert_eq!(controls(&collected, protocol, &scenario), []);
        let of_all = |collected: &Collected| {
            let tables = tables(collected, &[], &[]).into_iter();
            let mut found = tables.filter(|table| table.name == "all-strict-sample");
            found.next().expect("it has rows")
        };
        let without = of_all(&collected);
        assert_eq!(without.rows.len(), 1);

        collected.manifest.suite.controls = true;
        let rows = controls(&collected, protocol, &scenario);
        let names: Vec<String> = rows.iter().map(ControlRow::name).collect();
        let expected = ["no network, linear rule", "untrained network, linear rule"];
        assert_eq!(names, expected);
        assert_eq!(rows[0].old.percent(), "80.0 ± 14.1");
        assert_eq!((rows[0].runs, rows[0].planned), (3, 4));
        assert_eq!(rows[0].bytes, 2000.0);

        let table = of_all(&collected);
        assert_eq!(table.rows.len(), 3);
        assert_eq!(table.commands, without.commands);
        let expected = [
            "no network, linear rule",
            "30 + 10",
            "–",
            "–",
            "80.0 ± 14.1",
            "50.0 ± 0.0",
            "25.0 ± 0.0",
            "–",
            "2.0 kB",
            "–",
            "–",
            "3 of 4",
            "0123 (3)",
        ];
        assert_eq!(table.rows[1], expected);
        assert_eq!(table.heading.len(), expected.len(), "a mixture of builds");
        assert!(table.note.contains("8 a number"));
    }

    #[test]
    fn a_silent_network_says_nothing_and_one_that_was_woken_says_how() {
        let mut collected = suite(&[naive(0.5, 0.3)], &[]);
        collected.manifest.suite.controls = true;
        let (protocol, scenario) = collected.sections().remove(0);
        let mut named = |nonzero, weights_wider| {
            let mut all = invented(0.5);
            let untrained = &mut all.controls[0];
            (untrained.nonzero, untrained.weights_wider) = (nonzero, weights_wider);
            collected.groups[0].1.controls = Some(all);
            let rows = controls(&collected, protocol, &scenario);
            let names: Vec<String> = rows.iter().map(ControlRow::name).collect();
            assert_eq!(names[0], "no network, linear rule");
            (names[1].clone(), ControlRow::note(&rows))
        };
        let (plain, note) = named(None, None);
        assert_eq!(plain, "untrained network, linear rule");
        assert!(!note.contains("Weights"));
        assert_eq!(named(Some(0.01), None).0, plain);
        let silent = "untrained network, linear rule (no spikes: it says nothing)";
        assert_eq!(named(Some(0.00999), None).0, silent);
        let (woken, note) = named(Some(0.2), Some(8));
        assert_eq!(woken, "untrained network, linear rule, weights × 8");
        assert!(note.contains("twice as wide"));
    }
}
