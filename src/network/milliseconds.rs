//! Times in milliseconds, which a spec may say instead of steps, so that they stay what they are on another grid.
//!
//! In: a network as TOML, with keys such as `tau_mem_ms`. Out: the same with `tau_mem_steps`, in which everything still
//! has its place in the text, so that what is wrong with it is told with its line.

use std::borrow::Cow;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

use super::NetworkSettings;
use crate::spikes::TimeGrid;
use crate::storage::{BadToml, NewNumber, parse_changed_toml};

const MILLISECONDS: &str = "_ms";
const STEPS: &str = "_steps";
/// Delays of a layer, which last whole steps.
const DELAYS: &str = "delay_ms";
/// Settings that are whole numbers of steps.
const WHOLE: [&str; 1] = ["skip_steps"];

/// Reads a network.
///
/// # Errors
/// What is wrong with it, and in which line where that is known.
pub(crate) fn read_network(text: &str) -> Result<NetworkSettings, String> {
    parse_changed_toml(text, times).map_err(|bad| bad.in_its_line(text))
}

/// A network from a table.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn network_of(table: &Table) -> Result<NetworkSettings, String> {
    let text = toml::to_string(table).map_err(|error| error.to_string())?;
    // Its lines are nobody's.
    parse_changed_toml(&text, times).map_err(|bad| bad.message)
}

/// Calls every time in milliseconds by its name in steps; gives the numbers that are others then.
fn times<'a, 't>(network: &'a mut DeTable<'t>) -> Result<Vec<NewNumber<'a, 't>>, BadToml> {
    let mut numbers = Vec::new();
    let Some(step_ms) = step_ms(network) else {
        return Ok(numbers);
    };
    for (name, part) in network.iter_mut() {
        match (&**name.get_ref(), part.get_mut()) {
            ("neuron" | "readout", DeValue::Table(part)) => {
                in_steps(part, step_ms, &mut numbers)?;
            }
            ("layers", DeValue::Array(layers)) => {
                for layer in layers.iter_mut() {
                    if let DeValue::Table(layer) = layer.get_mut() {
                        of_layer(layer, step_ms, &mut numbers)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(numbers)
}

/// The delays of a layer, and the times of its neurons where it has its own.
fn of_layer<'a, 't>(
    layer: &'a mut DeTable<'t>,
    step_ms: f64,
    numbers: &mut Vec<NewNumber<'a, 't>>,
) -> Result<(), BadToml> {
    let delays = match layer.contains_key(DELAYS) {
        true => Some(rename(layer, DELAYS)?),
        false => None,
    };
    for (name, value) in layer.iter_mut() {
        if delays.as_deref() == Some(&**name.get_ref()) {
            whole_steps(value, step_ms, numbers)?;
        } else if let ("neuron", DeValue::Table(neuron)) = (&**name.get_ref(), value.get_mut()) {
            in_steps(neuron, step_ms, numbers)?;
        }
    }
    Ok(())
}

/// How long a step of the network's grid is; none if the input is not said as it must be, which is told when it is read.
fn step_ms(network: &DeTable<'_>) -> Option<f64> {
    let DeValue::Table(input) = network.get("input")?.get_ref() else {
        return None;
    };
    let said = |key: &str| input.get(key).map(Spanned::get_ref);
    let DeValue::Integer(steps) = said("steps")? else {
        return None;
    };
    let steps = usize::from_str_radix(steps.as_str(), steps.radix()).ok()?;
    let max_time_s = number(said("max_time_s")?)?;
    let grid = match said("bins") {
        Some(DeValue::String(bins)) if bins == "even" => TimeGrid::even(steps, max_time_s),
        _ => TimeGrid::new(steps, max_time_s),
    };
    grid.ok().map(TimeGrid::step_ms)
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(whole) => {
            let whole = i64::from_str_radix(whole.as_str(), whole.radix());
            whole.ok().map(|whole| whole as f64)
        }
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

/// Calls a time by its name in steps, which it gives.
fn rename(part: &mut DeTable<'_>, key: &str) -> Result<String, BadToml> {
    let in_ms = part.remove_entry(key);
    let stem = key.strip_suffix(MILLISECONDS).unwrap_or(key);
    let steps = stem.to_string() + STEPS;
    if let Some((name, value)) = in_ms {
        let span = name.span();
        if part.contains_key(steps.as_str()) {
            return Err(BadToml::at(
                span,
                format!("`{key}` and `{steps}` say the same; give one of them"),
            ));
        }
        part.insert(Spanned::new(span, Cow::Owned(steps.clone())), value);
    }
    Ok(steps)
}

/// Every key that ends in `_ms` as one that ends in `_steps`.
fn in_steps<'a, 't>(
    part: &'a mut DeTable<'t>,
    step_ms: f64,
    numbers: &mut Vec<NewNumber<'a, 't>>,
) -> Result<(), BadToml> {
    let names = part.keys().map(|name| name.get_ref().to_string());
    let names: Vec<String> = names.filter(|name| name.ends_with(MILLISECONDS)).collect();
    let renamed = names.iter().map(|name| rename(part, name));
    let renamed = renamed.collect::<Result<Vec<String>, _>>()?;
    for (name, value) in part.iter_mut() {
        let name = &**name.get_ref();
        match number(value.get_ref()) {
            _ if !renamed.iter().any(|renamed| renamed == name) => {}
            Some(time) if WHOLE.contains(&name) => {
                let steps = (time / step_ms).round() as i64;
                numbers.push((value, steps.to_string()));
            }
            _ => divided(value, step_ms, numbers),
        }
    }
    Ok(())
}

/// Numbers, those of lists and those of tables divided; what is something else will be refused as it is, or is no time.
fn divided<'a, 't>(
    value: &'a mut Spanned<DeValue<'t>>,
    by: f64,
    numbers: &mut Vec<NewNumber<'a, 't>>,
) {
    if let Some(time) = number(value.get_ref()) {
        // What is no number stays none.
        if !time.is_nan() {
            numbers.push((value, format!("{:?}", time / by)));
        }
        return;
    }
    match value.get_mut() {
        DeValue::Array(list) => {
            for value in list.iter_mut() {
                divided(value, by, numbers);
            }
        }
        DeValue::Table(table) => {
            for (_, value) in table.iter_mut() {
                divided(value, by, numbers);
            }
        }
        _ => {}
    }
}

/// Delays, which last whole steps.
fn whole_steps<'a, 't>(
    delays: &'a mut Spanned<DeValue<'t>>,
    step_ms: f64,
    numbers: &mut Vec<NewNumber<'a, 't>>,
) -> Result<(), BadToml> {
    let bad = |span| {
        let most = u16::MAX;
        let message = format!("`{DELAYS}` is a list of numbers, 0 to {most} steps each");
        BadToml::at(span, message)
    };
    let span = delays.span();
    let DeValue::Array(list) = delays.get_mut() else {
        return Err(bad(span));
    };
    for delay in list.iter_mut() {
        let steps = number(delay.get_ref()).map(|delay| (delay / step_ms).round());
        let steps = steps.filter(|steps| (0.0..=f64::from(u16::MAX)).contains(steps));
        let steps = steps.ok_or_else(|| bad(delay.span()))?;
        numbers.push((delay, (steps as i64).to_string()));
    }
    Ok(())
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

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let good = "name = \"x\"\n[input]\nunits = 4\nsteps = 100\nmax_time_s = 1.0\n[neuron]\nkind = \"lif\"\n\
             threshold = 1.0\nreset = \"to-zero\"\ntau_mem_ms = 100\n\
             surrogate = { kind = \"boxcar\", half_width = 0.5 }\n[[layers]]\nunits = 3\nrecurrent = false\n\
             delay_ms = [0,\n40]\n[readout]\nclasses = 2\ntau_mem_ms = 150\nover_time = \"sum-of-softmax\"\n[init]\n\
             weight_scale = 1.0\n";
        read_network(good).expect("a network");
        for (from, to, line, words) in [
            ("units = 3", "unist = 3", 13, "`units` is nearly that"),
            ("weight_scale", "weigth_scale", 22, "`weight_scale`"),
            ("units = 4", "units = \"4\"", 3, "expected"),
            ("\n40]", "\n-40]", 16, "list of numbers"),
            ("[0,\n40]", "40\n", 15, "list of numbers"),
            (
                "delay_ms",
                "delay_steps = [1]\ndelay_ms",
                16,
                "say the same",
            ),
            (
                "tau_mem_ms = 100",
                "tau_mem_ms = 100\ntau_mem_steps = 3",
                10,
                "say the same",
            ),
            ("steps = 100", "steps = 100 100", 4, ""),
        ] {
            assert!(good.contains(from), "{from}");
            let why = read_network(&good.replace(from, to)).expect_err(to);
            assert!(why.starts_with(&format!("line {line}: ")), "{to}: {why}");
            assert!(why.contains(words), "{to}: {why}");
        }
        // A table may be said in pieces.
        let learned = "learn_tau_mem_ms.min = 50\nlearn_tau_mem_ms.max = 250.0\n";
        let pieces = good.replace("surrogate", &format!("{learned}surrogate"));
        let network = read_network(&pieces).expect("a network");
        let model = network.neuron.model;
        let mut settings = model.settings();
        let range = settings.find(|(name, _)| *name == "learn_tau_mem_steps");
        let most = range.expect("it is learned").1["max"].as_f64();
        let step_ms = 1e3 / 99.0;
        assert!((most.expect("a number") - 250.0 / step_ms).abs() < 1e-4);
    }
}
