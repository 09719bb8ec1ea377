"""What all peers have in common: arguments, timing, and the one line that they print.

In: `--data FILE --rows ROW,... --repeats N`, and for each row a function that prepares it and returns its figures.
Out: one line of JSON, a number by the name of each figure, and the number of threads.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

REPEATS = 15


def median_seconds(work, repeats, warm_up=3):
    """Median of some runs, after others that compile, fill caches and wake up threads."""
    took = []
    for _ in range(warm_up + repeats):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return statistics.median(took[warm_up:])


def cores():
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def run(rows, threads):
    """Times the rows that the arguments ask for, with functions (path, repeats) -> {name: number}."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    given = parser.parse_args()
    figures = {"threads": threads}
    for row in given.rows.split(","):
        figures |= rows[row](given.data, given.repeats)
    print(json.dumps(figures))
