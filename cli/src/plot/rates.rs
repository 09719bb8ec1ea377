//! `respike plot rates`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Target, refuse_existing};
use crate::arguments::Machine;
use crate::failure::Failure;
use crate::output::print_json;
use crate::reading::{in_order_of, read_data_for};
use respike::report::FiringRates;
use respike::report::plot::{PlotError, RatesFigure, check_format, rates};
use respike::storage::write_whole;
use respike::train::Checkpoint;

#[derive(Args)]
pub(crate) struct RatesArguments {
    /// Files with samples; several are merged.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// The trained network.
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// Also write the spikes of every neuron on every class, as comma-separated values.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Print the mean rates as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Serialize)]
struct RatesSummary<'a> {
    samples: u64,
    class_names: &'a [String],
    layers: Vec<LayerSummary>,
}

#[derive(Serialize)]
struct LayerSummary {
    layer: usize,
    neurons: usize,
    /// Neurons that never spike.
    silent: usize,
    /// Spikes per neuron and second.
    hz: f64,
    /// The same by class; none of a class without samples.
    hz_by_class: Vec<Option<f64>>,
}

pub(super) fn plot(arguments: &RatesArguments) -> Result<(), Failure> {
    arguments.target.refuse_existing()?;
    check_format(&arguments.target.out)?;
    if let Some(csv) = &arguments.csv {
        refuse_existing(csv, "--csv", arguments.target.force)?;
        if *csv == arguments.target.out {
            return Err(Failure::bad("--csv and --out name the same file"));
        }
    }
    arguments.machine.prepare()?;
    let saved = Checkpoint::load(&arguments.checkpoint)?;
    let spec = saved.network.spec();
    let data = read_data_for(&arguments.data, spec, &saved.class_names)?;
    let data = in_order_of(&saved, data)?;
    let names = arguments.data.iter().map(|path| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        name.to_string_lossy().into_owned()
    });
    let names: Vec<String> = names.collect();
    let figure = RatesFigure {
        title: format!("{} on {}", spec.settings().name, names.join(", ")),
        rates: FiringRates::of(&saved.network, &data)?,
    };
    rates(&figure, &arguments.target.out)?;
    if let Some(path) = &arguments.csv {
        let written = write_whole(path, figure.rates.csv().as_bytes());
        written.map_err(|source| PlotError::CannotWrite {
            path: path.clone(),
            source,
        })?;
    }
    match arguments.json {
        true => print_json(&summary(&figure.rates)),
        false => Ok(()),
    }
}

fn summary(rates: &FiringRates) -> RatesSummary<'_> {
    let layers = (0..rates.layers()).map(|layer| {
        let neurons = rates.of_neurons_hz(layer);
        LayerSummary {
            layer: layer + 1,
            neurons: neurons.len(),
            silent: rates.silent_neurons(layer),
            hz: neurons.iter().sum::<f64>() / neurons.len().max(1) as f64,
            hz_by_class: rates.of_classes_hz(layer),
        }
    });
    RatesSummary {
        samples: rates.samples(),
        class_names: rates.class_names(),
        layers: layers.collect(),
    }
}
