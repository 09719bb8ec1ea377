"""The peers' figures.

In: the rows that are asked for, the data. Out: which peers can run, what they print, and the SHD-sized file. Each
runs in a process of its own, so that no two share a thread pool, and this one stays small.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from failed import Failed
from rows import PEERS

HERE = Path(__file__).resolve().parent


def missing(packages):
    return [package for package in packages if find_spec(package) is None]


def python(script, *arguments):
    """Runs a program of this folder; returns the line of JSON that it prints."""
    done = subprocess.run([sys.executable, HERE / script, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise Failed(f"{script} failed: {said[-1]}.")
    return json.loads(done.stdout.splitlines()[-1])


def rows_of(peer, rows):
    """The rows that a peer has a figure in."""
    return [row for row, lines in rows.items() if any(who is peer for line in lines for who, _ in line.peers.values())]


def peers_there(rows):
    """The peers that can run, with their rows; and sentences on the others."""
    there, notes = {}, []
    for peer in PEERS:
        its_rows, lacking = rows_of(peer, rows), missing(peer.packages)
        if its_rows and lacking:
            notes.append(f"{peer.name} is left out of {', '.join(its_rows)}: {', '.join(lacking)} missing.")
        elif its_rows:
            there[peer] = its_rows
    return there, notes


def make_big(data, folder):
    """The path of the SHD-sized file, which is made once, and what is known of the data."""
    folder.mkdir(parents=True, exist_ok=True)
    big = folder / f"{data.stem}-{data.stat().st_size}-as-large-as-shd.h5"
    return big, python("data.py", data, big)


def measure(there, data, big, repeats):
    """Runs each peer once; returns figures by (peer, figure), and sentences on what failed."""
    figures, failures = {}, []
    for peer, rows in there.items():
        file = big if "cold-start" in rows else data
        try:
            said = python(peer.script, "--data", file, "--rows", ",".join(rows), "--repeats", repeats)
            figures |= {(peer.name, name): value for name, value in said.items()}
        except Failed as failed:
            failures.append(str(failed))
    return figures, failures
