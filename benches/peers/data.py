"""SHD-layout files as the peers read them.

In: an HDF5 file (spikes/times and spikes/units, one list a sample; labels). Out: event counts, samples x steps x
channels, and classes as NumPy arrays. As a program (`data.py FILE BIG`) it writes BIG, a file with as many samples as
all of SHD, unless it is there, and prints one line of JSON about both.
"""

import json
import os
import sys

import h5py
import numpy as np

from network import CHANNELS, CLASSES, MAX_TIME_S, STEPS

SHD_SAMPLES = 10_420
SAMPLES_AT_ONCE = 250  # whose events are in memory at the same time
EDGES = np.linspace(0, MAX_TIME_S, STEPS)
ALL_HALVES = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
STEP_OF_HALF = np.digitize(ALL_HALVES, EDGES).astype(np.int64)


def steps_of(times):
    """np.digitize, looked up for 16-bit floats, of which there are few; at or past the end it is STEPS."""
    if times.dtype == np.float16:
        return STEP_OF_HALF[times.view(np.uint16)]
    return np.digitize(times, EDGES)


def add_counts(counts, times, units):
    """Bins the events of some samples, without a loop over them."""
    lengths = [len(of_sample) for of_sample in times]
    cells = np.repeat(np.arange(len(times)) * (STEPS + 1), lengths)
    cells += steps_of(np.concatenate(times))
    cells *= CHANNELS
    cells += np.concatenate(units)
    np.add.at(counts.reshape(-1), cells, np.uint8(1))


def read_counts(path, samples):
    """The first samples of a file, binned; begun again at its end if it has fewer."""
    with h5py.File(path) as file:
        times, units = file["spikes/times"], file["spikes/units"]
        there = min(samples, len(times))
        counts = np.zeros((there, STEPS + 1, CHANNELS), np.uint8)  # the last step takes what lies past the end
        for start in range(0, there, SAMPLES_AT_ONCE):
            part = slice(start, min(start + SAMPLES_AT_ONCE, there))
            add_counts(counts[part], times[part], units[part])
    counts = counts[:, :STEPS]
    return counts if there == samples else counts[np.arange(samples) % there]


def read_classes(path, samples):
    """Classes of the same samples."""
    with h5py.File(path) as file:
        classes = file["labels"][:samples].astype(np.int32)
    return classes[np.arange(samples) % len(classes)]


def write_big(source, path):
    """Repeats the samples, all channels one further in each repeat, so that no two are alike."""
    times, units = source["spikes/times"][:], source["spikes/units"][:]
    labels, speakers = source["labels"][:], source["extra/speaker"][:]
    which, shift = np.arange(SHD_SAMPLES) % len(labels), np.arange(SHD_SAMPLES) // len(labels)
    partial = f"{path}.{os.getpid()}.part"
    with h5py.File(partial, "w") as big:
        big["labels"], big["extra/speaker"] = labels[which], speakers[which]
        big["extra/keys"] = source["extra/keys"][:]
        big_times = big.create_dataset("spikes/times", (SHD_SAMPLES,), h5py.vlen_dtype(np.float16))
        big_units = big.create_dataset("spikes/units", (SHD_SAMPLES,), h5py.vlen_dtype(np.uint16))
        for index, (sample, channels) in enumerate(zip(which, shift)):
            big_times[index] = times[sample].astype(np.float16)
            big_units[index] = ((units[sample].astype(np.int64) + channels) % CHANNELS).astype(np.uint16)
    os.replace(partial, path)


def facts(source):
    """What the figures depend on; a file that the network cannot take ends the program."""
    lengths = [len(times) for times in source["spikes/times"][:]]
    last_channel = max(int(units.max(initial=0)) for units in source["spikes/units"][:])
    if last_channel >= CHANNELS or source["labels"][:].max() >= CLASSES:
        sys.exit(f"the file has events of channel {last_channel} and classes up to {source['labels'][:].max()}; "
                 f"the network has channels 0 to {CHANNELS - 1} and classes 0 to {CLASSES - 1}")
    events = sum(lengths) / len(lengths)
    return {"samples": len(lengths), "events_a_sample": events, "channels": last_channel + 1}


if __name__ == "__main__":
    with h5py.File(sys.argv[1]) as given:
        about = facts(given)
        if not os.path.exists(sys.argv[2]):
            write_big(given, sys.argv[2])
    print(json.dumps(about))
