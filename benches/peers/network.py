"""The network that all peers run.

In: nothing. Out: its sizes and constants, those of the continual-learning epoch, and its untrained weights as
NumPy arrays, the same for every peer. They are those of snn-models/dequino2024.toml.
"""

import math

import numpy as np

CHANNELS, STEPS, MAX_TIME_S = 700, 100, 1.4
LAYERS, CLASSES = [200, 100, 50], 20
SYNAPSE, MEMBRANE = math.exp(-1 / 5), math.exp(-1 / 10)
THRESHOLD, SLOPE = 1.0, 100.0
BATCH, LEARNING_RATE = 64, 1e-3

LR_INDEX = 2  # the spikes of layer 2 are kept; layers 1 and 2 are frozen
WINDOW = 10  # steps; OR-subsample 1:10
NEW_SAMPLES, REPLAYS = 450, 2560


def weights(seed=0):
    """Weights of the layers' inputs, of their recurrences, and of the readout, from N(0, 0.2 / sqrt(fan-in))."""
    source = np.random.default_rng(seed)

    def draw(fan_in, fan_out):
        return (source.standard_normal((fan_in, fan_out)) * 0.2 / math.sqrt(fan_in)).astype(np.float32)

    sizes = list(zip([CHANNELS, *LAYERS], LAYERS))
    return [draw(a, b) for a, b in sizes], [draw(b, b) for _, b in sizes], draw(LAYERS[-1], CLASSES)


def shuffled_batches(samples, source):
    """Indices of an epoch's batches; the last is shorter where the batch size does not divide the samples."""
    order = source.permutation(samples)
    return [order[start : start + BATCH] for start in range(0, samples, BATCH)]
