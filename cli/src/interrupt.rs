//! What happens when somebody presses Ctrl-C, or ends the process.

use std::io::{self, IsTerminal, Write};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use super::failure::Failure;
use respike::storage::abandon_all;

/// From now on an interrupt removes what is half-written and says how to go on.
///
/// # Errors
/// [`Failure::Fault`] if the machine does not give a thread for it.
pub(super) fn prepare(how_to_go_on: &'static str) -> Result<(), Failure> {
    let ignored = ignored_signals();
    let wanted = [SIGINT, SIGTERM, SIGHUP];
    let wanted = wanted
        .iter()
        .filter(|&signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = Signals::new(wanted)
        .map_err(|error| Failure::fault(format!("cannot wait for signals: {error}")))?;
    let waiting = thread::Builder::new().name("signals".to_string());
    let started = waiting.spawn(move || {
        if let Some(signal) = signals.forever().next() {
            end(signal, how_to_go_on);
        }
    });
    match started {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::fault(format!(
            "cannot start a thread ({error}); end other processes, or raise the limit on their number"
        ))),
    }
}

fn end(signal: i32, how_to_go_on: &str) {
    abandon_all();
    let mut stderr = io::stderr();
    // On a terminal a bar may stand on the line.
    let start = if stderr.is_terminal() { "\n" } else { "" };
    // If stderr is gone there is nobody left to tell.
    let _ = writeln!(stderr, "{start}respike: interrupted; {how_to_go_on}");
    // As shells say it. Other threads are in the middle of something, so nothing is cleaned up further.
    low_level::exit(128 + signal);
}

/// The signals that whoever started the program wants to be ignored, as `nohup` does, a bit for each.
fn ignored_signals() -> u64 {
    // Where there is no such file nothing is known to be ignored.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    lines
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
