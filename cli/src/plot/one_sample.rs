//! One sample of a file, for a network or without one.

use std::path::PathBuf;

use clap::Args;

use crate::failure::Failure;
use crate::reading::{say_what_is_lost, say_which_channels};
use respike::dataset::{Dataset, DatasetBuilder, DatasetError, Sample, ShdFile};
use respike::ids::{ClassId, SampleIndex};
use respike::network::{Activity, NetworkSpec, Stage, StageInput};
use respike::spikes::{EventStream, InputFormat, SpikeCounts, TimeGrid};
use respike::train::Checkpoint;

/// Which sample.
#[derive(Args)]
pub(crate) struct SampleArguments {
    /// The file with the sample.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Which sample of the file, 0 first.
    #[arg(long, value_name = "I")]
    sample: usize,
}

/// A sample as a network reads it, or as the reference network would where there is none.
pub(super) struct OneSample {
    index: usize,
    file: String,
    /// Of this sample alone.
    data: Dataset,
}

impl OneSample {
    /// Reads it, and says what of it is not there to be seen.
    pub(super) fn read(
        arguments: &SampleArguments,
        saved: Option<&Checkpoint>,
    ) -> Result<Self, Failure> {
        let file = ShdFile::open(&arguments.data)?;
        if let Some(saved) = saved {
            // A network of some of the classes may be shown the others, too.
            let is_there = |name| file.class_names().contains(name);
            if !saved.class_names.iter().all(is_there) {
                file.check_class_names(&saved.class_names)?;
            }
        }
        if arguments.sample >= file.len() {
            return Err(Failure::bad(format!(
                "{} has {} samples, so 0 to {} can be drawn, not {}",
                arguments.data.display(),
                file.len(),
                file.len() - 1,
                arguments.sample
            )));
        }
        let recording = file.read(arguments.sample..arguments.sample + 1)?.remove(0);
        let format = match saved {
            Some(saved) => saved.network.spec().input_format(),
            None => {
                let (grid, units) = default_grid(&recording.events)?;
                InputFormat::plain(grid, units)
            }
        };
        let mut builder = DatasetBuilder::with_format(format, file.class_names().to_vec())?;
        builder.name_speakers(file.speaker_names().clone());
        builder.push(&recording).map_err(|error| {
            // The builder counts from the one sample that it was given.
            let sample = SampleIndex(arguments.sample);
            let error = match error {
                DatasetError::BadEvents { source, .. } => {
                    DatasetError::BadEvents { sample, source }
                }
                DatasetError::ClassPastEnd { class, classes, .. } => DatasetError::ClassPastEnd {
                    sample,
                    class,
                    classes,
                },
                other => other,
            };
            Failure::bad(format!("in {}: {error}", arguments.data.display()))
        })?;
        let data = builder.build()?;
        say_what_is_lost(&data)?;
        if saved.is_some() {
            say_which_channels(&data);
        }
        let file = arguments.data.file_name().unwrap_or_default();
        Ok(OneSample {
            index: arguments.sample,
            file: file.to_string_lossy().into_owned(),
            data,
        })
    }

    fn sample(&self) -> &Sample {
        self.data.sample(SampleIndex(0))
    }

    /// Its events.
    pub(super) fn counts(&self) -> &SpikeCounts {
        &self.sample().counts
    }

    /// The time steps.
    pub(super) fn grid(&self) -> TimeGrid {
        self.data.grid()
    }

    /// What it is called: file, speaker and class.
    pub(super) fn name(&self) -> String {
        let sample = self.sample();
        format!(
            "sample {} of {}, {}: “{}”",
            self.index,
            self.file,
            self.data.speaker_name(sample.speaker),
            self.data.class_name(sample.class)
        )
    }

    /// The network's class that it is of, if the network has it.
    pub(super) fn class_of(&self, saved: &Checkpoint) -> Option<ClassId> {
        let class = self.sample().class;
        if saved.class_names.is_empty() {
            return Some(class);
        }
        let name = self.data.class_name(class);
        let place = saved.class_names.iter().position(|known| *known == name);
        place.map(|place| ClassId(place as u16))
    }

    /// How many channels and events there are.
    pub(super) fn remarks(&self) -> Vec<String> {
        let (all, lost) = (self.data.events(), self.data.events_past_end());
        vec![
            format!("{} channels", self.data.inputs()),
            match lost {
                0 => format!("{all} events"),
                lost => format!(
                    "{lost} of {all} events at or past {} s are not drawn",
                    self.grid().max_time_s()
                ),
            },
        ]
    }

    /// What the network does.
    pub(super) fn run(&self, saved: &Checkpoint) -> Result<Activity, Failure> {
        let input = StageInput::counts(self.counts());
        Ok(saved.network.run(Stage::Whole, &input)?)
    }
}

/// The class that a network took a sample for.
pub(super) fn taken_for(saved: &Checkpoint, activity: &Activity) -> String {
    let taken = activity.predicted();
    let name = saved.class_names.get(taken.index());
    name.cloned().unwrap_or_else(|| taken.to_string())
}

/// Without a network: the grid of the reference paper, and 70 or 700 channels or as many as spike.
fn default_grid(events: &EventStream) -> Result<(TimeGrid, usize), Failure> {
    let spec = NetworkSpec::dequino2024();
    let largest = events.units().iter().max().copied().unwrap_or(0);
    let needed = usize::from(largest) + 1;
    let units = [70, spec.inputs()].into_iter().find(|&u| u >= needed);
    Ok((spec.grid(), units.unwrap_or(needed)))
}
