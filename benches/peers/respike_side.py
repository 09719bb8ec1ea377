"""respike's figures.

In: lines of the table, the data. Out: figures from the medians that criterion leaves in its files, and the peak memory
of the program. The program and the benchmarks are built before anything is timed.
"""

import json
import os
import subprocess
import time
from pathlib import Path

from failed import Failed

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
WORK = TARGET / "bench"
PROGRAM = TARGET / "release" / "respike"
MODEL = ROOT / "snn-models" / "dequino2024.toml"


def reason(log):
    """The line of a program's output that says most about its failure."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    for line, following in zip(lines, [*lines[1:], ""]):
        if " panicked at " in line:
            return following or line
        if line.startswith("error"):
            return line.removeprefix("error: ")
    return lines[-1] if lines else "it printed nothing"


def run(what, log, arguments, **environment):
    """Runs a program to its end, its output in a file; returns the resources that it used."""
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("w") as output:
            child = subprocess.Popen([str(argument) for argument in arguments], cwd=ROOT, env=os.environ | environment,
                                     stdout=output, stderr=subprocess.STDOUT)
    except OSError as error:
        raise Failed(f"{what} could not be started: {error}.") from error
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise Failed(f"{what} failed: {reason(log).rstrip('.')} (all of its output: {log}).")
    return used


def cargo(what, log, *arguments, **environment):
    run(what, WORK / log, ["cargo", *arguments], **environment)


def build(line):
    """Compiles what a line measures."""
    if line.bench:
        target = line.bench.target
        cargo(f"The build of respike's bench `{target}`", f"build-{target}.log",
              "bench", "--locked", "--no-run", "--bench", target)
    else:
        cargo("The build of respike", "build.log", "build", "--release", "--locked")


def built(lines):
    """The lines that can be measured, and sentences on the others."""
    there, failures = [], []
    for line in lines:
        try:
            build(line)
            there.append(line)
        except Failed as failed:
            failures.append(str(failed))
    return there, list(dict.fromkeys(failures))


def bench(target, data, big):
    """Lets criterion measure all functions of a benchmark; returns the time of the start."""
    start = time.time() - 1  # a file system's clock may be a little behind
    cargo(f"respike's bench `{target}`", f"{target}.log", "bench", "--locked", "--bench", target,
          RESPIKE_BENCH_DATA=str(data), RESPIKE_BENCH_BIG=str(big))
    return start


def figure(of, since):
    """A benchmark's median in its line's unit, if criterion has written it since a time."""
    folder = TARGET / "criterion" / of.group / of.function / "new"
    estimates = folder / "estimates.json"
    if not estimates.exists() or estimates.stat().st_mtime < since:
        raise Failed(f"respike's bench `{of.target}` left no figure for `{of.group}/{of.function}`.")
    nanoseconds = json.loads(estimates.read_text())["median"]["point_estimate"]
    (work,) = json.loads((folder / "benchmark.json").read_text())["throughput"].values()
    return of.in_unit(nanoseconds, work)


def peak_megabytes(big):
    """Largest resident memory of a training epoch, of that process alone."""
    arguments = ["train", "--data", big, "--model", MODEL, "--epochs", "1", "--force", "--out", WORK / "epoch"]
    used = run("respike's training of one epoch", WORK / "epoch.log", [PROGRAM, *arguments])
    return used.ru_maxrss * 1024 / 1e6  # Linux counts in KiB


def measure(lines, data, big):
    """Runs each benchmark once; returns figures by what a line measures, and sentences on what failed."""
    figures, failures, started = {}, [], {}
    for line in lines:
        try:
            if line.bench is None:
                figures[line.what] = peak_megabytes(big)
                continue
            target = line.bench.target
            if target not in started:
                started[target] = None
                started[target] = bench(target, data, big)
            if started[target]:
                figures[line.what] = figure(line.bench, started[target])
        except Failed as failed:
            failures.append(str(failed))
    return figures, failures
