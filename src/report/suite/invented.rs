//! Invented results, for tests of tables and claims.

use super::collected::Collected;
use crate::continual::{
    Accuracies, AccuracyMatrix, Experiment, LearningDefaults, MemorySettings, Protocol,
    ReplayFigures, Scenario, Strategy, TestSamples,
};
use crate::ids::SpeakerId;
use crate::network::NetworkSpec;
use crate::random::MasterSeed;
use crate::replay::{Capacity, Codec, Policy};
use crate::simd::Simd;
use crate::suite::{
    CellResult, Curve, Group, GroupId, GroupResults, Manifest, Pretrained, SUITE_FORMAT, SuiteData,
    SuiteSettings,
};

/// An experiment of learning a speaker, and what it came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Invented {
    pub protocol: Protocol,
    pub speaker: u16,
    /// Learn two classes one by one after so many, and no speaker.
    pub base_classes: Option<usize>,
    pub seed: u64,
    pub strategy: Strategy,
    /// LR index, codec and number of replays.
    pub replay: Option<(usize, Codec, usize)>,
    /// Points lost on the old.
    pub lost: f64,
    /// Accuracy on everything.
    pub all: f64,
}

/// Naive learning of speaker 0, under the strict protocol with seed 0.
pub(super) fn naive(lost: f64, all: f64) -> Invented {
    Invented {
        protocol: Protocol::Strict,
        speaker: 0,
        base_classes: None,
        seed: 0,
        strategy: Strategy::Naive,
        replay: None,
        lost,
        all,
    }
}

/// The same with latent replay, 100 replays.
pub(super) fn latent(lr_index: usize, codec: Codec, lost: f64, all: f64) -> Invented {
    Invented {
        strategy: Strategy::Latent,
        replay: Some((lr_index, codec, 100)),
        ..naive(lost, all)
    }
}

impl Invented {
    pub(super) fn experiment(self) -> Experiment {
        let memory = self.replay.map(|(_, codec, replays)| MemorySettings {
            codec,
            policy: Policy::Uniform,
            capacity: Capacity::Samples(replays),
        });
        Experiment {
            scenario: match self.base_classes {
                Some(base_classes) => Scenario::MultiClass { base_classes },
                None => Scenario::Sample {
                    speaker: SpeakerId(self.speaker),
                },
            },
            strategy: self.strategy,
            protocol: self.protocol,
            lr_index: self.replay.map(|(index, ..)| index),
            memory,
            pretrain_epochs: Some(3),
            pretrain: Some(LearningDefaults::training(1e-3)),
            epochs: 2,
            learn: LearningDefaults::training(1e-3),
            seed: MasterSeed(self.seed),
            classes: None,
        }
    }

    fn result(self) -> CellResult {
        let before = Accuracies {
            old: 0.8,
            new: 0.1,
            all: 0.7,
        };
        let after = Accuracies {
            old: 0.8 - self.lost,
            new: 0.6,
            all: self.all,
        };
        let mut matrix = AccuracyMatrix::default();
        matrix.push(vec![before.old, before.new]);
        matrix.push(vec![after.old, after.new]);
        CellResult {
            build: None,
            experiment: self.experiment(),
            before,
            after,
            curve: Curve {
                old: vec![after.old],
                new: vec![after.new],
                all: vec![after.all],
            },
            matrix,
            all_after_task: vec![before.all, after.all],
            metrics: None,
            replay: {
                let samples = self.replay.map_or(100, |(.., replays)| replays);
                ReplayFigures {
                    samples,
                    bytes: 10 * samples as u64,
                    payload_bits: 70 * samples as u64,
                    raw_input_bits: 14_000 * samples as u64,
                }
            },
            activity: vec![0.1, 0.2],
        }
    }
}

/// A network tested with 40 samples, 30 of them old.
fn pretrained() -> Pretrained {
    Pretrained {
        build: None,
        epochs: 3,
        training: LearningDefaults::training(1e-3),
        train: 160,
        test: 40,
        test_samples: Some(TestSamples {
            old: 30,
            new: 10,
            all: 40,
        }),
        curve: Curve::default(),
        activity: vec![0.1, 0.3],
    }
}

/// A suite of 700 channels with these results, and with experiments still to be run.
pub(super) fn suite(results: &[Invented], to_come: &[Invented]) -> Collected {
    let text = "name = \"invented\"\nabout = \"Tests.\"\nseeds = [0, 1]\n[[study]]\n\
                scenario = \"sample\"\nstrategies = [\"naive\"]\n";
    let mut groups: Vec<(Group, GroupResults)> = Vec::new();
    let done = results.iter().map(|result| (result, true));
    for (cell, done) in done.chain(to_come.iter().map(|cell| (cell, false))) {
        let id = GroupId::of(&cell.experiment());
        let place = groups.iter().position(|(group, _)| group.id == id);
        let place = place.unwrap_or_else(|| {
            let group = Group {
                id,
                cells: Vec::new(),
                compare_at: None,
            };
            groups.push((group, GroupResults::default()));
            groups.len() - 1
        });
        let (group, there) = &mut groups[place];
        group.cells.push(cell.experiment());
        if done {
            there.cells.push(cell.result());
        }
    }
    for (_, results) in &mut groups {
        results.pretrained = Some(pretrained());
    }
    Collected {
        manifest: Manifest {
            format: SUITE_FORMAT,
            respike: "0".into(),
            builds: Vec::new(),
            command: "respike bench shd".into(),
            simd: Simd::Portable,
            protocols: vec![Protocol::Strict, Protocol::Published],
            suite: SuiteSettings::parse("invented", text).expect("a suite"),
            model: "my model.toml".into(),
            spec: NetworkSpec::dequino2024(),
            data: SuiteData {
                files: vec!["it's here.h5".into(), "test.h5".into()],
                fingerprint: "0".into(),
                legacy_fingerprint: None,
                samples: 100,
                speakers: 2,
                speaker_numbers: Vec::new(),
                speaker_names: Default::default(),
                class_numbers: Vec::new(),
                class_names: vec!["one".into(), "two".into()],
            },
        },
        groups,
    }
}
