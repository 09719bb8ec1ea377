"""The reference network in PyTorch on the CPU.

In: `--data FILE --rows training,inference,continual`. Out: one line of JSON, milliseconds a sample of training and
inference, seconds of an epoch of continual learning. A layer runs over all steps before the next one starts, so that
its input is one matrix product. Subnormal numbers, which the backward pass can meet, are flushed to zero.
"""

import numpy as np
import torch

import worker
from data import read_classes, read_counts
from network import (BATCH, LEARNING_RATE, LR_INDEX, MEMBRANE, NEW_SAMPLES, REPLAYS, SLOPE, SYNAPSE, THRESHOLD, WINDOW,
                     shuffled_batches, weights)


class Fire(torch.autograd.Function):
    @staticmethod
    def forward(context, above):
        context.save_for_backward(above)
        return (above > 0).float()

    @staticmethod
    def backward(context, error):
        (above,) = context.saved_tensors
        return error / (SLOPE * above.abs() + 1).square()


def layer(arriving, feed, back):
    """Spikes of a layer, steps x samples x units, of the spikes that arrive."""
    trace = []
    current = arriving @ feed
    synaptic = membrane = spikes = torch.zeros_like(current[0])
    for at_step in current.unbind():
        drive = torch.addmm(at_step, spikes, back)
        spikes = Fire.apply(membrane - THRESHOLD)
        membrane = torch.add(synaptic, membrane, alpha=MEMBRANE) * (1 - spikes.detach())
        synaptic = torch.add(drive, synaptic, alpha=SYNAPSE)
        trace.append(spikes)
    return torch.stack(trace)


def readout(spikes, out):
    """Largest potential of each class over time, the 0 at the start included."""
    current = spikes @ out
    filtered = potential = torch.zeros_like(current[0])
    trace = [potential]
    for at_step in current.unbind():
        potential = torch.add(filtered, potential, alpha=MEMBRANE)
        filtered = torch.add(at_step, filtered, alpha=SYNAPSE)
        trace.append(potential)
    return torch.stack(trace).amax(0)


def spikes_of(layers, arriving):
    for feed, back in layers:
        arriving = layer(arriving, feed, back)
    return arriving


class Learner:
    """Layers, a readout and their optimiser; what arrives has the shape steps x samples x units."""

    def __init__(self, layers, out):
        self.layers = [[torch.tensor(w, requires_grad=True) for w in pair] for pair in layers]
        self.out = torch.tensor(out, requires_grad=True)
        parameters = [w for pair in self.layers for w in pair] + [self.out]
        self.optimiser = torch.optim.Adamax(parameters, lr=LEARNING_RATE)

    def logits(self, arriving):
        return readout(spikes_of(self.layers, arriving), self.out)

    def learn(self, arriving, classes):
        self.optimiser.zero_grad()
        torch.nn.functional.cross_entropy(self.logits(arriving), classes).backward()
        self.optimiser.step()


def untrained():
    feed, back, out = weights()
    return list(zip(feed, back)), out


def steps_first(samples):
    return samples.float().transpose(0, 1).contiguous()


def first_batch(path):
    return steps_first(torch.tensor(read_counts(path, BATCH))), torch.tensor(read_classes(path, BATCH)).long()


def training(path, repeats):
    network, batch = Learner(*untrained()), first_batch(path)
    return {"training": worker.median_seconds(lambda: network.learn(*batch), repeats) * 1e3 / BATCH}


def inference(path, repeats):
    network, (samples, _) = Learner(*untrained()), first_batch(path)
    with torch.inference_mode():
        seconds = worker.median_seconds(lambda: network.logits(samples), repeats)
    return {"inference": seconds * 1e3 / BATCH}


@torch.no_grad()
def latent(frozen, samples):
    """Spikes of the last frozen layer, steps x samples x units."""
    return spikes_of(frozen, steps_first(samples))


def windows_of(frozen, counts):
    """OR over the steps of each window, of the spikes of the last frozen layer: samples x windows x units."""
    spikes = torch.cat([latent(frozen, part) for part in counts.split(BATCH)], 1)
    return spikes.unflatten(0, (-1, WINDOW)).amax(1).transpose(0, 1).to(torch.uint8).contiguous()


def expanded(windows):
    """Windows become as many steps as they stand for, with the spike in the first."""
    steps = torch.zeros(len(windows), windows.shape[1] * WINDOW, windows.shape[2])
    steps[:, ::WINDOW] = windows.float()
    return steps_first(steps)


def continual(path, repeats):
    layers, out = untrained()
    frozen = [[torch.tensor(w) for w in pair] for pair in layers[:LR_INDEX]]
    network = Learner(layers[LR_INDEX:], out)
    windows = windows_of(frozen, torch.tensor(read_counts(path, REPLAYS)))
    replayed = torch.tensor(read_classes(path, REPLAYS)).long()
    counts = torch.tensor(read_counts(path, NEW_SAMPLES))
    new = torch.tensor(read_classes(path, NEW_SAMPLES)).long()
    source = np.random.default_rng(0)

    def epoch():
        for batch in shuffled_batches(NEW_SAMPLES, source):
            network.learn(latent(frozen, counts[batch]), new[batch])
        for batch in shuffled_batches(REPLAYS, source):
            network.learn(expanded(windows[batch]), replayed[batch])

    spikes, classes = latent(frozen, counts[:BATCH]), new[:BATCH]
    alone = Learner(layers[LR_INDEX:], out)
    return {
        "continual": worker.median_seconds(epoch, max(repeats // 3, 1), warm_up=1),
        "continual, learning stage alone, ms a sample":
            worker.median_seconds(lambda: alone.learn(spikes, classes), repeats) * 1e3 / BATCH,
        "continual, replayed share of cells": windows.float().mean().item(),
    }


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    worker.run({"training": training, "inference": inference, "continual": continual}, torch.get_num_threads())
