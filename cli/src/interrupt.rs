//! What happens when somebody presses Ctrl-C, or ends the process.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use super::failure::Failure;
use respike::storage::abandon_all;

/// How somebody goes on who interrupts a command.
#[derive(Clone, Copy)]
pub(super) struct HowToGoOn {
    /// As long as nothing is kept.
    pub(super) at_first: &'static str,
    /// From the moment on that something is.
    pub(super) later: &'static str,
}

impl From<&'static str> for HowToGoOn {
    fn from(always: &'static str) -> Self {
        HowToGoOn {
            at_first: always,
            later: always,
        }
    }
}

static SOMETHING_IS_KEPT: AtomicBool = AtomicBool::new(false);

/// From now on there is something to go on from.
pub(super) fn something_is_kept() {
    SOMETHING_IS_KEPT.store(true, Ordering::Relaxed);
}

/// From now on an interrupt removes what is half-written and says how to go on.
///
/// # Errors
/// [`Failure::Fault`] if the machine does not give a thread for it.
pub(super) fn prepare(how_to_go_on: HowToGoOn) -> Result<(), Failure> {
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

fn end(signal: i32, how_to_go_on: HowToGoOn) {
    abandon_all();
    let how_to_go_on = match SOMETHING_IS_KEPT.load(Ordering::Relaxed) {
        false => how_to_go_on.at_first,
        true => how_to_go_on.later,
    };
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
