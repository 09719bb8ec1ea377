"""Reading and binning with h5py and NumPy.

In: `--data FILE --rows cold-start`, an SHD-layout file. Out: one line of JSON, seconds for 10 000 samples, as it is
usually written and without a loop over samples: 1000 samples are read and binned, and their time is multiplied by ten.
"""

import h5py
import numpy as np

import worker
from data import EDGES, read_counts
from network import CHANNELS, STEPS

SAMPLES, TIMES = 1000, 10


def as_usual(path):
    """One sample after the other."""
    counts = np.zeros((SAMPLES, STEPS, CHANNELS), np.uint8)
    with h5py.File(path) as file:
        for sample in range(SAMPLES):
            steps = np.digitize(file["spikes/times"][sample], EDGES)
            inside = steps < STEPS
            np.add.at(counts[sample], (steps[inside], file["spikes/units"][sample][inside]), 1)
    return counts


def cold_start(path, repeats):
    if not np.array_equal(as_usual(path), read_counts(path, SAMPLES)):
        raise SystemExit("the two ways of binning do not give the same counts")
    repeats = max(repeats // 3, 1)
    return {
        "cold-start, usual": worker.median_seconds(lambda: as_usual(path), repeats, warm_up=0) * TIMES,
        "cold-start, vectorised": worker.median_seconds(lambda: read_counts(path, SAMPLES), repeats, warm_up=1) * TIMES,
    }


if __name__ == "__main__":
    worker.run({"cold-start": cold_start}, 1)
