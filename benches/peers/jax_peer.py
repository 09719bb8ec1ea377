"""The reference network in JAX on the CPU.

In: `--data FILE --rows training,inference,continual`. Out: one line of JSON, milliseconds a sample of training and
inference, seconds of an epoch of continual learning. Whole steps are compiled; a layer runs over all steps before the
next one starts, so that its input is one matrix product. XLA flushes subnormal numbers by itself.
"""

import os

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
import optax

import worker
from data import read_classes, read_counts
from network import (BATCH, LEARNING_RATE, LR_INDEX, MEMBRANE, NEW_SAMPLES, REPLAYS, SLOPE, SYNAPSE, THRESHOLD, WINDOW,
                     shuffled_batches, weights)

optimiser = optax.adamax(LEARNING_RATE)


@jax.custom_jvp
def fire(above):
    return (above > 0).astype(jnp.float32)


@fire.defjvp
def _(primals, tangents):
    (above,), (change,) = primals, tangents
    return fire(above), change / (SLOPE * jnp.abs(above) + 1) ** 2


def layer(arriving, feed, back):
    """Spikes of a layer, steps x samples x units, of the spikes that arrive."""
    current = arriving @ feed
    silent = jnp.zeros(current.shape[1:])

    def advance(state, current):
        synaptic, membrane, spikes = state
        drive = current + spikes @ back
        spikes = fire(membrane - THRESHOLD)
        membrane = (MEMBRANE * membrane + synaptic) * (1 - jax.lax.stop_gradient(spikes))
        return (SYNAPSE * synaptic + drive, membrane, spikes), spikes

    return jax.lax.scan(advance, (silent, silent, silent), current)[1]


def readout(spikes, out):
    """Largest potential of each class over time, the 0 at the start included."""
    current = spikes @ out
    silent = jnp.zeros(current.shape[1:])

    def advance(state, current):
        filtered, potential = state
        potential = MEMBRANE * potential + filtered
        return (SYNAPSE * filtered + current, potential), potential

    trace = jax.lax.scan(advance, (silent, silent), current)[1]
    return jnp.maximum(trace.max(0), 0)


def spikes_of(layers, arriving):
    for feed, back in layers:
        arriving = layer(arriving, feed, back)
    return arriving


def logits(parameters, arriving):
    layers, out = parameters
    return readout(spikes_of(layers, arriving), out)


def loss(parameters, arriving, classes):
    return optax.softmax_cross_entropy_with_integer_labels(logits(parameters, arriving), classes).mean()


def improve(parameters, memory, arriving, classes):
    """A step of the optimiser; what arrives has the shape steps x samples x units."""
    change, memory = optimiser.update(jax.grad(loss)(parameters, arriving, classes), memory)
    return optax.apply_updates(parameters, change), memory


def steps_first(samples):
    return jnp.swapaxes(samples.astype(jnp.float32), 0, 1)


@jax.jit
def learn(parameters, memory, samples, classes):
    return improve(parameters, memory, steps_first(samples), classes)


@jax.jit
def infer(parameters, samples):
    return logits(parameters, steps_first(samples))


@jax.jit
def latent(frozen, samples):
    """Spikes of the last frozen layer, samples x steps x units."""
    return jnp.swapaxes(spikes_of(frozen, steps_first(samples)), 0, 1)


@jax.jit
def learn_new(parameters, memory, frozen, samples, classes):
    """The frozen layers run again in every epoch."""
    return improve(parameters, memory, spikes_of(frozen, steps_first(samples)), classes)


@jax.jit
def learn_replays(parameters, memory, windows, classes):
    """Windows become as many steps as they stand for, with the spike in the first."""
    steps = jnp.pad(windows[:, :, None], ((0, 0), (0, 0), (0, WINDOW - 1), (0, 0)))
    return improve(parameters, memory, steps_first(steps.reshape(len(windows), -1, windows.shape[-1])), classes)


def untrained():
    feed, back, out = weights()
    return jax.tree.map(jnp.asarray, (list(zip(feed, back)), out))


def first_batch(path):
    return jnp.asarray(read_counts(path, BATCH), jnp.float32), jnp.asarray(read_classes(path, BATCH))


def milliseconds_of_learning(parameters, samples, classes, repeats):
    """A training step, in milliseconds a sample."""
    state = [parameters, optimiser.init(parameters)]

    def work():
        state[:] = jax.block_until_ready(learn(*state, samples, classes))

    return worker.median_seconds(work, repeats) * 1e3 / len(samples)


def training(path, repeats):
    return {"training": milliseconds_of_learning(untrained(), *first_batch(path), repeats)}


def inference(path, repeats):
    parameters, (samples, _) = untrained(), first_batch(path)
    seconds = worker.median_seconds(lambda: infer(parameters, samples).block_until_ready(), repeats)
    return {"inference": seconds * 1e3 / BATCH}


def windows_of(frozen, counts):
    """OR over the steps of each window, of the spikes of the last frozen layer."""
    spikes = np.concatenate([latent(frozen, counts[at : at + BATCH]) for at in range(0, len(counts), BATCH)])
    return spikes.reshape(len(spikes), -1, WINDOW, spikes.shape[-1]).max(2).astype(np.uint8)


def continual(path, repeats):
    layers, out = untrained()
    frozen, learned = layers[:LR_INDEX], (layers[LR_INDEX:], out)
    windows, replayed = windows_of(frozen, read_counts(path, REPLAYS)), read_classes(path, REPLAYS)
    counts, new = read_counts(path, NEW_SAMPLES), read_classes(path, NEW_SAMPLES)
    state, source = [learned, optimiser.init(learned)], np.random.default_rng(0)

    def epoch():
        for batch in shuffled_batches(NEW_SAMPLES, source):
            state[:] = learn_new(*state, frozen, counts[batch], new[batch])
        for batch in shuffled_batches(REPLAYS, source):
            state[:] = learn_replays(*state, windows[batch], replayed[batch])
        jax.block_until_ready(state)

    spikes = latent(frozen, counts[:BATCH])
    return {
        "continual": worker.median_seconds(epoch, max(repeats // 3, 1), warm_up=1),
        "continual, learning stage alone, ms a sample": milliseconds_of_learning(learned, spikes, new[:BATCH], repeats),
        "continual, replayed share of cells": float(windows.mean()),
    }


if __name__ == "__main__":
    worker.run({"training": training, "inference": inference, "continual": continual}, worker.cores())
