//! The readout over one sample: its trace and its logits.

use std::cell::RefCell;

use super::{PreparedStage, StageInput};
use crate::kernels::buffers::Buffer;
use crate::kernels::gather::{InputCurrents, SpikesByStep};
use crate::kernels::lanes::run;
use crate::kernels::layer::SynapticInput;
use crate::kernels::readout::ReadoutForward;
use crate::spikes::{SpikeCounts, SpikeRaster};

/// What drives a readout.
#[derive(Clone, Copy)]
pub(super) enum ReadoutDrive<'a> {
    /// Spikes of the last layer.
    Spikes(&'a SpikeRaster),
    /// Event counts, where there is no layer.
    Counts(&'a SpikeCounts),
}

impl<'a> ReadoutDrive<'a> {
    /// The spikes of the last layer, or the sample itself where no layer runs.
    pub(super) fn of(last: Option<&'a SpikeRaster>, input: &'a StageInput<'_>) -> Self {
        match (last, input) {
            (Some(last), _) => ReadoutDrive::Spikes(last),
            (None, StageInput::Spikes(raster)) => ReadoutDrive::Spikes(raster),
            (None, StageInput::Counts(counts)) => ReadoutDrive::Counts(counts),
            (None, StageInput::Currents(_)) => {
                unreachable!("checked: only a layer reads input currents")
            }
        }
    }

    fn steps(self) -> usize {
        match self {
            ReadoutDrive::Spikes(raster) => raster.steps(),
            ReadoutDrive::Counts(counts) => counts.steps(),
        }
    }
}

/// What the readout makes of one sample, in whole vectors.
pub(super) struct ReadOut {
    pub logits: Buffer,
    /// The steps of the maxima, where logits are maxima.
    pub peaks: Buffer,
}

impl PreparedStage<'_> {
    /// Runs the readout over one sample; its trace goes to `trace`, steps × padded classes, if that is wanted.
    pub(super) fn read_out(&self, drive: ReadoutDrive<'_>, trace: Option<&mut [f32]>) -> ReadOut {
        thread_local! {
            static ACTIVE: RefCell<SpikesByStep> = RefCell::default();
        }
        let (stride, steps) = (self.readout.stride, drive.steps());
        let settings = &self.network.spec.settings().readout;
        let readout = &settings.model;
        let mut read = ReadOut {
            logits: Buffer::zeros(stride),
            peaks: Buffer::zeros(stride),
        };
        let collect = readout.collect();
        // Logits that are not collected are made of the trace.
        let mut own;
        let mut trace = match (trace, collect) {
            (Some(trace), _) => Some(trace),
            (None, Some(_)) => None,
            (None, None) => {
                own = Buffer::stale(steps * stride);
                Some(&mut own[..])
            }
        };
        let mut currents;
        let (drive, drive_steps) = match drive {
            ReadoutDrive::Spikes(spikes) => {
                let drive = SynapticInput::Spikes {
                    words: spikes.words(),
                    words_per_step: spikes.words_per_step(),
                    weight: &self.readout.values,
                };
                (drive, steps)
            }
            ReadoutDrive::Counts(counts) => {
                currents = Buffer::stale(steps * stride);
                let work = InputCurrents {
                    samples: &[counts],
                    weight: &self.readout.values,
                    stride,
                    currents: &mut currents,
                    sample_stride: steps * stride,
                };
                run(self.simd, work);
                (SynapticInput::Currents(&currents), counts.steps_to_last())
            }
        };
        ACTIVE.with_borrow_mut(|active| {
            let work = ReadoutForward {
                drive,
                drive_steps,
                steps,
                collect,
                logits: &mut read.logits,
                peaks: &mut read.peaks,
                trace: trace.as_deref_mut(),
                active,
            };
            readout.forward(self.simd, work);
        });
        if let (None, Some(trace)) = (collect, trace) {
            let logits = &mut read.logits[..settings.classes];
            readout.logits(&trace[..steps * stride], stride, logits);
        }
        read
    }
}
