//! `respike plot traces`.

use std::path::PathBuf;

use clap::Args;

use super::Target;
use super::one_sample::{OneSample, SampleArguments, taken_for};
use crate::arguments::Machine;
use crate::failure::Failure;
use respike::ids::Unit;
use respike::network::{NetworkSpec, UnitTrace};
use respike::report::plot::{TraceFigure, TraceRow, check_format, traces};
use respike::train::Checkpoint;

/// So many neurons are drawn if none is asked for.
const DEFAULT_NEURONS: usize = 4;
/// More can't be told apart in a figure.
const MOST_NEURONS: usize = 40;

#[derive(Args)]
pub(crate) struct TracesArguments {
    #[command(flatten)]
    sample: SampleArguments,
    /// The trained network.
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// Which hidden layer, 1 for the lowest.
    #[arg(long, value_name = "L", default_value_t = 1)]
    layer: usize,
    /// Which neurons of the layer, 0 first, at most 40: 3,17; the four that spike most by default.
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    neurons: Vec<usize>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn plot(arguments: &TracesArguments) -> Result<(), Failure> {
    Machine::default().prepare()?;
    arguments.target.refuse_existing()?;
    check_format(&arguments.target.out)?;
    let saved = Checkpoint::load(&arguments.checkpoint)?;
    let spec = saved.network.spec();
    let layer = layer_of(spec, arguments.layer)?;
    let units = spec.settings().layers[layer].units;
    let asked_for = asked_for(&arguments.neurons, units)?;
    let shown = OneSample::read(&arguments.sample, Some(&saved))?;
    let activity = shown.run(&saved)?;
    let mut remarks = vec![format!(
        "layer {} of {}, {units} {} neurons",
        layer + 1,
        spec.settings().name,
        spec.neurons_of(layer).kind()
    )];
    let mut chosen = asked_for;
    if chosen.is_empty() {
        chosen = activity.most_active(layer, DEFAULT_NEURONS);
        remarks.push(format!("the {} that spiked most", chosen.len()));
    }
    let neuron = spec.neurons_of(layer);
    let names = neuron.observed_in_words().iter().map(ToString::to_string);
    let figure = TraceFigure {
        title: format!(
            "{}, taken for “{}”",
            shown.name(),
            taken_for(&saved, &activity)
        ),
        remarks,
        grid: shown.grid(),
        names: names.collect(),
        rows: activity
            .traces(layer, &chosen)?
            .into_iter()
            .map(row)
            .collect(),
    };
    Ok(traces(&figure, &arguments.target.out)?)
}

/// The hidden layer of that number, from 0.
fn layer_of(spec: &NetworkSpec, number: usize) -> Result<usize, Failure> {
    let layers = spec.depth();
    match number.checked_sub(1).filter(|&layer| layer < layers) {
        Some(layer) => Ok(layer),
        None if layers == 0 => Err(Failure::bad(format!(
            "{} has no hidden layer",
            spec.settings().name
        ))),
        None => Err(Failure::bad(format!(
            "--layer must be 1 to {layers}, as {} has so many hidden layers, not {number}",
            spec.settings().name
        ))),
    }
}

fn asked_for(neurons: &[usize], units: usize) -> Result<Vec<Unit>, Failure> {
    if let Some(past) = neurons.iter().find(|&&neuron| neuron >= units) {
        return Err(Failure::bad(format!(
            "--neurons must be 0 to {}, as the layer has {units}, not {past}",
            units - 1
        )));
    }
    if neurons.len() > MOST_NEURONS {
        return Err(Failure::bad(format!(
            "--neurons must be at most {MOST_NEURONS}, not {}",
            neurons.len()
        )));
    }
    let twice = neurons
        .iter()
        .enumerate()
        .find(|&(place, neuron)| neurons[..place].contains(neuron));
    match twice {
        Some((_, neuron)) => Err(Failure::bad(format!("--neurons has {neuron} twice"))),
        None => Ok(neurons.iter().map(|&neuron| Unit(neuron)).collect()),
    }
}

fn row(trace: UnitTrace) -> TraceRow {
    TraceRow {
        label: format!("neuron {}", trace.unit.0),
        membrane: trace.membrane,
        threshold: trace.threshold,
        states: trace.states.into_iter().map(|(_, state)| state).collect(),
        spikes: trace.spikes,
    }
}
