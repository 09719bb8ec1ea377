//! Invented results, for tests of tables and claims.

use super::collected::Collected;
use crate::continual::{
    Accuracies, AccuracyMatrix, Experiment, LearningDefaults, ManyClasses, NewSpeaker, Protocol,
    ScenarioSettings, TestSamples,
};
use crate::ids::SpeakerId;
use crate::method::Method;
use crate::network::NetworkSpec;
use crate::random::MasterSeed;
use crate::replay::{Capacity, CodecSettings, Memory, PolicySettings, ReplayFigures};
use crate::simd::Simd;
use crate::suite::{
    CellResult, Curve, Group, GroupId, GroupResults, Manifest, Pretrained, SUITE_FORMAT, SuiteData,
    SuiteSettings,
};

/// A codec.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Coded {
    Raw,
    Or(usize),
    Counts(usize),
}

impl Coded {
    pub(super) fn settings(self) -> CodecSettings {
        match self {
            Coded::Raw => CodecSettings::raw(),
            Coded::Or(steps) => CodecSettings::or(steps).expect("a window"),
            Coded::Counts(steps) => CodecSettings::counts(steps).expect("a window"),
        }
    }
}

impl std::fmt::Display for Coded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings().fmt(f)
    }
}

/// A method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Taught {
    Naive,
    Joint,
    Latent,
}

/// An experiment of learning a speaker, and what it came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Invented {
    pub protocol: Protocol,
    pub speaker: u16,
    /// Learn two classes one by one after so many, and no speaker.
    pub base_classes: Option<usize>,
    pub seed: u64,
    pub strategy: Taught,
    /// LR index, codec and number of replays.
    pub replay: Option<(usize, Coded, usize)>,
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
        strategy: Taught::Naive,
        replay: None,
        lost,
        all,
    }
}

/// The same with latent replay, 100 replays.
pub(super) fn latent(lr_index: usize, codec: Coded, lost: f64, all: f64) -> Invented {
    Invented {
        strategy: Taught::Latent,
        replay: Some((lr_index, codec, 100)),
        ..naive(lost, all)
    }
}

impl Invented {
    pub(super) fn experiment(self) -> Experiment {
        let memory = self.replay.map(|(index, codec, replays)| {
            let capacity = Capacity::Samples(replays);
            let memory = Memory::new(codec.settings(), PolicySettings::uniform(), capacity);
            (index, memory)
        });
        let method = match (self.strategy, memory) {
            (Taught::Joint, _) => Method::joint(),
            (_, Some((index, memory))) => Method::latent(index, memory),
            (_, None) => Method::naive(),
        };
        let speaker = SpeakerId(self.speaker);
        let scenario: ScenarioSettings = match self.base_classes {
            Some(base_classes) => ManyClasses { base_classes }.into(),
            None => NewSpeaker { speaker }.into(),
        };
        Experiment::new(scenario, method, self.protocol, MasterSeed(self.seed))
            .with_pretraining(3, LearningDefaults::training(1e-3))
            .with_learning(2, LearningDefaults::training(1e-3))
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
            measured_after: None,
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
            other_bytes: 0,
            aged: None,
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
        measured_after: None,
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
        times: Default::default(),
    }
}
