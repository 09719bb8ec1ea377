//! Times in milliseconds, which a spec may say instead of steps, so that they stay what they are on another grid.
//!
//! In: a network as TOML, with keys such as `tau_mem_ms`. Out: the same with `tau_mem_steps`.

use toml::{Table, Value};

use super::NetworkSettings;
use crate::spikes::TimeGrid;
use crate::storage::{parse_toml, with_what_was_meant};

const MILLISECONDS: &str = "_ms";
const STEPS: &str = "_steps";

/// Reads a network.
///
/// # Errors
/// What is wrong with it, and in which line where that is known.
pub(crate) fn read_network(text: &str) -> Result<NetworkSettings, String> {
    // Lines can only be told of a text as it stands.
    if !text.contains(MILLISECONDS) {
        return parse_toml(text);
    }
    network_of(parse_toml(text)?)
}

/// A network from a table.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn network_of(mut table: Table) -> Result<NetworkSettings, String> {
    if let Some(step_ms) = step_ms(&table) {
        let to_steps = |part: &mut Table| in_steps(part, step_ms);
        for key in ["neuron", "readout"] {
            if let Some(part) = table.get_mut(key).and_then(Value::as_table_mut) {
                to_steps(part)?;
            }
        }
        let layers = table.get_mut("layers").and_then(Value::as_array_mut);
        for layer in layers.into_iter().flatten().filter_map(Value::as_table_mut) {
            let delays = layer.remove("delay_ms");
            if let Some(delays) = delays {
                layer.insert("delay_steps".to_string(), whole_steps(&delays, step_ms)?);
            }
            if let Some(neuron) = layer.get_mut("neuron").and_then(Value::as_table_mut) {
                to_steps(neuron)?;
            }
        }
    }
    table
        .try_into()
        .map_err(|error: toml::de::Error| with_what_was_meant(error.message().to_string()))
}

/// How long a step of the network's grid is; none if the input is not said as it must be, which is told when it is read.
fn step_ms(table: &Table) -> Option<f64> {
    let input = table.get("input")?.as_table()?;
    let steps = usize::try_from(input.get("steps")?.as_integer()?).ok()?;
    let end = input.get("max_time_s")?;
    let max_time_s = end
        .as_float()
        .or_else(|| end.as_integer().map(|whole| whole as f64))?;
    let grid = match input.get("bins").and_then(Value::as_str) {
        Some("even") => TimeGrid::even(steps, max_time_s),
        _ => TimeGrid::new(steps, max_time_s),
    };
    grid.ok().map(TimeGrid::step_ms)
}

/// Settings that are whole numbers of steps.
const WHOLE: [&str; 1] = ["skip_steps"];

/// Every key that ends in `_ms` as one that ends in `_steps`.
fn in_steps(part: &mut Table, step_ms: f64) -> Result<(), String> {
    let keys: Vec<String> = part
        .keys()
        .filter(|key| key.ends_with(MILLISECONDS))
        .cloned()
        .collect();
    for key in keys {
        let steps = key[..key.len() - MILLISECONDS.len()].to_string() + STEPS;
        if part.contains_key(&steps) {
            return Err(format!(
                "`{key}` and `{steps}` say the same; give one of them"
            ));
        }
        if let Some(value) = part.remove(&key) {
            let value = divided(value, step_ms);
            let value = match (WHOLE.contains(&steps.as_str()), &value) {
                (true, Value::Float(number)) => Value::Integer(number.round() as i64),
                _ => value,
            };
            part.insert(steps, value);
        }
    }
    Ok(())
}

/// Numbers, lists of them, and the numbers of tables divided; what is something else will be refused as it is, or is no
/// time.
fn divided(value: Value, by: f64) -> Value {
    match value {
        Value::Integer(whole) => Value::Float(whole as f64 / by),
        Value::Float(number) => Value::Float(number / by),
        Value::Array(list) => {
            let divided = list.into_iter().map(|value| divided(value, by));
            Value::Array(divided.collect())
        }
        Value::Table(table) => {
            let divided = table
                .into_iter()
                .map(|(key, value)| (key, divided(value, by)));
            Value::Table(divided.collect())
        }
        other => other,
    }
}

/// Delays, which last whole steps.
fn whole_steps(delays: &Value, step_ms: f64) -> Result<Value, String> {
    let list = delays.as_array().ok_or("`delay_ms` is a list of numbers")?;
    let steps = list.iter().map(|delay| {
        let delay = delay
            .as_float()
            .or_else(|| delay.as_integer().map(|whole| whole as f64));
        let steps = delay.map(|delay| (delay / step_ms).round());
        let steps = steps.filter(|steps| (0.0..=f64::from(u16::MAX)).contains(steps));
        steps.map(|steps| Value::Integer(steps as i64))
    });
    let steps: Option<Vec<Value>> = steps.collect();
    steps.map(Value::Array).ok_or_else(|| {
        format!(
            "`delay_ms` is a list of numbers, 0 to {} steps each",
            u16::MAX
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkSpec;

    fn spec(steps: usize, times: &str) -> Result<NetworkSpec, String> {
        let text = format!(
            "name = \"x\"\n[input]\nunits = 4\nsteps = {steps}\nmax_time_s = 1.0\nbins = \"even\"\n\
             [neuron]\nkind = \"adlif\"\nthreshold = 1.0\nscale = 120.0\nlearned = true\n{times}\n\
             surrogate = {{ kind = \"boxcar\", half_width = 0.5 }}\n\
             [[layers]]\nunits = 3\nrecurrent = false\ndelay_ms = [0, 40, 80.0, 100]\n\
             [readout]\nclasses = 2\ntau_mem_ms = 150\nover_time = \"sum-of-softmax\"\n\
             [init]\nweight_scale = 1.0\n"
        );
        read_network(&text)?
            .check()
            .map_err(|error| error.to_string())
    }

    #[test]
    fn times_in_milliseconds_are_as_many_steps_as_the_grid_says() {
        let times = "tau_mem_ms = [20, 100.0]\ntau_adaptation_steps = [60.0, 300.0]";
        for (steps, expected, delays) in [
            (250, "[5.0,25.0]", [0, 10, 20, 25]),
            (100, "[2.0,10.0]", [0, 4, 8, 10]),
        ] {
            let spec = spec(steps, times).expect("valid");
            let model = &spec.settings().neuron.model;
            let of = |key| model.settings().find(|(name, _)| *name == key);
            let (_, tau) = of("tau_mem_steps").expect("it has one");
            assert_eq!(tau.to_string(), expected);
            let (_, tau) = of("tau_adaptation_steps").expect("it has one");
            assert_eq!(tau.to_string(), "[60.0,300.0]");
            assert_eq!(spec.settings().layers[0].delay_steps, delays);
            let mut readout = spec.settings().readout.model.settings();
            let tau = readout.find(|(name, _)| *name == "tau_mem_steps");
            assert_eq!(
                tau.expect("it has one").1.as_f64(),
                Some(150.0 * steps as f64 / 1e3)
            );
        }
    }

    #[test]
    fn ranges_and_whole_numbers_of_steps_are_times_too() {
        let text = "name = \"x\"\n[input]\nunits = 4\nsteps = 100\nmax_time_s = 1.0\nbins = \"even\"\n\
             [neuron]\nkind = \"lif\"\nthreshold = 1.0\nreset = \"to-zero\"\ntau_mem_ms = 100\n\
             learn_tau_mem_ms = { min = 50, max = 250.0, drawn = true }\n\
             surrogate = { kind = \"boxcar\", half_width = 0.5 }\n[[layers]]\nunits = 3\nrecurrent = false\n\
             [readout]\nclasses = 2\ntau_mem_ms = 150\nover_time = \"sum-of-softmax\"\nskip_ms = 98\n\
             [init]\nweight_scale = 1.0\n";
        let spec = read_network(text)
            .expect("a network")
            .check()
            .expect("valid");
        let model = &spec.settings().neuron.model;
        let range = model
            .settings()
            .find(|(name, _)| *name == "learn_tau_mem_steps");
        let (_, range) = range.expect("it is learned");
        assert_eq!(
            (range["min"].as_f64(), range["max"].as_f64()),
            (Some(5.0), Some(25.0))
        );
        let mut readout = spec.settings().readout.model.settings();
        let skipped = readout.find(|(name, _)| *name == "skip_steps");
        assert_eq!(skipped.expect("it has some").1.as_u64(), Some(10));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let both = spec(
            100,
            "tau_mem_ms = [20, 100]\ntau_mem_steps = [2, 10]\ntau_adaptation_ms = [600, 3000]",
        );
        assert!(both.expect_err("twice").contains("say the same"));
        let unknown = spec(
            100,
            "tau_mem_ms = [20, 100]\ntau_adaptation_ms = [600, 3000]\ntau_x_ms = 3",
        );
        assert!(unknown.expect_err("unknown").contains("tau_x_steps"));
        let text = spec(
            100,
            "tau_mem_ms = \"slow\"\ntau_adaptation_ms = [600, 3000]",
        );
        text.expect_err("no number");
    }
}
