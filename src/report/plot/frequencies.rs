//! Frequencies along an axis of channels.
//!
//! In: the best frequency of each channel. Out: ticks at round frequencies, as many as stay apart.

use super::axes::Tick;

/// What a decade is divided at, the finest first.
const DIVISIONS: [&[f64]; 3] = [&[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];

/// Ticks at channels, whose values are the channels' numbers, fractions in between.
///
/// `cell` is how much of the axis a channel takes, `apart` how far labels must be from one another,
/// both in pixels. Where every channel has room for a label each gets its own.
pub(super) fn frequency_ticks(frequencies_hz: &[f64], cell: f64, apart: f64) -> Vec<Tick> {
    if cell >= apart {
        let own = frequencies_hz.iter().enumerate();
        return own.map(|(i, &hz)| tick(i as f64, hz)).collect();
    }
    let mut fewest = Vec::new();
    for division in DIVISIONS {
        let mut ticks: Vec<Tick> = round_frequencies(division)
            .filter_map(|hz| Some(tick(place_of(frequencies_hz, hz)?, hz)))
            .collect();
        ticks.sort_by(|a, b| a.value.total_cmp(&b.value));
        let gaps = ticks.windows(2).map(|pair| pair[1].value - pair[0].value);
        if gaps.fold(f64::INFINITY, f64::min) * cell >= apart {
            return ticks;
        }
        fewest = ticks;
    }
    // Not even decades stay apart everywhere: those that would run into the one before are left out.
    let mut end = f64::NEG_INFINITY;
    fewest.retain(|tick| {
        let free = (tick.value - end) * cell >= apart;
        if free {
            end = tick.value;
        }
        free
    });
    fewest
}

fn tick(value: f64, hz: f64) -> Tick {
    Tick {
        value,
        label: in_words(hz),
    }
}

/// From 1 Hz to 50 kHz, where nobody hears any more.
fn round_frequencies(division: &[f64]) -> impl Iterator<Item = f64> {
    let decades = [1.0, 1e1, 1e2, 1e3, 1e4].into_iter();
    decades.flat_map(move |decade| division.iter().map(move |part| decade * part))
}

/// Where along the channels a frequency lies: between two of them as far as its logarithm says.
fn place_of(frequencies_hz: &[f64], hz: f64) -> Option<f64> {
    for (i, pair) in frequencies_hz.windows(2).enumerate() {
        let (from, to) = (pair[0], pair[1]);
        let between = (from.min(to)..=from.max(to)).contains(&hz);
        if between && from > 0.0 && to > 0.0 && from != to {
            let part = (hz / from).ln() / (to / from).ln();
            return part.is_finite().then_some(i as f64 + part);
        }
    }
    None
}

/// Two digits at least, and a k for thousands: 153, 1.2k, 10k.
fn in_words(hz: f64) -> String {
    let one_decimal = |value: f64| {
        let text = format!("{value:.1}");
        text.strip_suffix(".0").map_or(text.clone(), String::from)
    };
    match hz {
        hz if !hz.is_finite() => "?".to_string(),
        hz if hz >= 9950.0 => format!("{:.0}k", hz / 1e3),
        hz if hz >= 999.5 => format!("{}k", one_decimal(hz / 1e3)),
        hz if hz >= 9.95 => format!("{hz:.0}"),
        hz => one_decimal(hz),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    /// From 20 kHz down to 20 Hz.
    fn three_decades(channels: usize) -> Vec<f64> {
        let last = (channels.max(2) - 1) as f64;
        let hz = |i| 2e4 * 10f64.powf(-3.0 * i as f64 / last);
        (0..channels).map(hz).collect()
    }

    #[test]
    fn ticks_get_fewer_where_there_is_less_room() {
        let channels = three_decades(901);
        // 300 channels a decade.
        let fine = frequency_ticks(&channels, 1.0, 34.0);
        assert_eq!(
            labels(&fine),
            [
                "20k", "10k", "5k", "2k", "1k", "500", "200", "100", "50", "20"
            ]
        );
        assert!((fine[4].value - 300.0 * 20f64.log10()).abs() < 1e-6);
        let thirds = frequency_ticks(&channels, 0.25, 34.0);
        assert_eq!(labels(&thirds), ["10k", "3k", "1k", "300", "100", "30"]);
        assert_eq!(
            labels(&frequency_ticks(&channels, 0.2, 34.0)),
            ["10k", "1k", "100"]
        );
        // Too little even for those.
        assert_eq!(
            labels(&frequency_ticks(&channels, 0.1, 34.0)),
            ["10k", "100"]
        );
    }

    #[test]
    fn few_channels_have_their_own_frequencies() {
        let ticks = frequency_ticks(&[12_345.0, 3271.0, 999.7, 153.2, 9.96, 3.04], 40.0, 34.0);
        assert_eq!(labels(&ticks), ["12k", "3.3k", "1k", "153", "10", "3"]);
        assert_eq!(ticks[3].value, 3.0);
        assert_eq!(labels(&frequency_ticks(&[3271.0], 300.0, 34.0)), ["3.3k"]);
    }

    #[test]
    fn odd_frequencies_do_no_harm() {
        let odd = [0.0, f64::NAN, -4.0, f64::INFINITY, 100.0, 100.0, 3.0];
        for cell in [0.1, 20.0, 100.0] {
            let ticks = frequency_ticks(&odd, cell, 34.0);
            assert!(ticks.iter().all(|tick| (0.0..=6.0).contains(&tick.value)));
        }
        assert!(frequency_ticks(&[], 1.0, 34.0).is_empty());
    }
}
