"""Two layers of 128 adaptive neurons in JAX on the CPU, as snn-models/recipes/adlif-2x128.toml has them.

In: `--data FILE --rows adaptive`. Out: one line of JSON, milliseconds a sample of a training step, clipping and dropout
included. SE-adLIF (Baronig et al. 2025): with I the drive, u the membrane, w the adaptation and z the spikes

    u = d_u u + (1 - d_u) (I - w);  z = [u > 1];  u = u (1 - z);  w = d_w w + (1 - d_w) (a u + b z) q

The reset is not differentiated. A step is compiled whole; a layer runs over all steps before the next one starts.
"""

import os

os.environ["JAX_PLATFORMS"] = "cpu"

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import optax

import worker

CHANNELS, PER_INPUT, STEPS, MAX_TIME_S = 700, 5, 100, 1.0
LAYERS, CLASSES, BATCH = (128, 128), 10, 64
MEMBRANE, ADAPTATION = (5.0, 25.0), (60.0, 300.0)  # time constants in steps, the shortest and the longest
SCALE, SURROGATE_SCALE, SURROGATE_SLOPE = 120.0, 0.4, 5.0
READOUT, SKIPPED, DROPOUT = 15.0, 10, 0.15
RATE, CLIP_NORM = 0.01, 1.5

optimiser = optax.chain(optax.clip_by_global_norm(CLIP_NORM), optax.adam(RATE))


@jax.custom_jvp
def fire(above):
    return (above > 0).astype(jnp.float32)


@fire.defjvp
def _(primals, tangents):
    (above,), (change,) = primals, tangents
    slope = SURROGATE_SCALE * SURROGATE_SLOPE * jnp.exp(-SURROGATE_SLOPE * jnp.abs(above)) / 2
    return fire(above), change * slope


def decay(place, limits):
    return jnp.exp(-1 / (limits[1] * place + limits[0] * (1 - place)))


def layer(arriving, own):
    """Spikes of a layer, steps x samples x units, of what arrives."""
    current = arriving @ own["feed"] + own["bias"]
    of_membrane, of_adaptation = decay(own["membrane"], MEMBRANE), decay(own["adaptation"], ADAPTATION)
    silent = jnp.zeros(current.shape[1:])

    def advance(state, current):
        membrane, adaptation, spikes = state
        drive = current + spikes @ own["back"] - adaptation
        membrane = of_membrane * membrane + (1 - of_membrane) * drive
        spikes = fire(membrane - 1)
        membrane = membrane * (1 - jax.lax.stop_gradient(spikes))
        coupled = own["to_membrane"] * membrane + own["to_spikes"] * spikes
        adaptation = of_adaptation * adaptation + (1 - of_adaptation) * coupled * SCALE
        return (membrane, adaptation, spikes), spikes

    return jax.lax.scan(advance, (silent, silent, silent), current)[1]


def logits(parameters, arriving, key):
    layers, out = parameters
    for own in layers:
        spikes = layer(arriving, own)
        key, drawn = jax.random.split(key)
        stays = jax.random.bernoulli(drawn, 1 - DROPOUT, spikes.shape)
        arriving = spikes * stays / (1 - DROPOUT)
    current, kept = arriving @ out, np.exp(-1 / READOUT)

    def advance(potential, current):
        potential = kept * potential + (1 - kept) * current
        return potential, potential

    trace = jax.lax.scan(advance, jnp.zeros(current.shape[1:]), current)[1]
    return jax.nn.softmax(trace[SKIPPED:], -1).sum(0)


def loss(parameters, arriving, classes, key):
    found = logits(parameters, arriving, key)
    return optax.softmax_cross_entropy_with_integer_labels(found, classes).mean()


def within(own):
    """Constants of neurons back in their ranges."""
    upper = {"membrane": 1, "adaptation": 1, "to_membrane": 1, "to_spikes": 2}
    return own | {name: jnp.clip(own[name], 0, most) for name, most in upper.items()}


@jax.jit
def learn(parameters, memory, samples, classes, key):
    arriving = jnp.swapaxes(samples.astype(jnp.float32), 0, 1)
    change, memory = optimiser.update(jax.grad(loss)(parameters, arriving, classes, key), memory, parameters)
    layers, out = optax.apply_updates(parameters, change)
    return ([within(own) for own in layers], out), memory


def untrained():
    source = np.random.default_rng(0)

    def even(rows, columns):
        bound = 1 / np.sqrt(rows)
        return source.uniform(-bound, bound, (rows, columns)).astype(np.float32)

    layers, fan_in = [], CHANNELS // PER_INPUT
    for units in LAYERS:
        orthogonal, _ = np.linalg.qr(source.standard_normal((units, units)))
        numbers = {"membrane": 1, "adaptation": 1, "to_membrane": 1, "to_spikes": 2}
        own = {name: source.uniform(0, most, units).astype(np.float32) for name, most in numbers.items()}
        layers.append(own | {"feed": even(fan_in, units), "back": orthogonal.astype(np.float32),
                             "bias": np.zeros(units, np.float32)})
        fan_in = units
    return jax.tree.map(jnp.asarray, (layers, even(fan_in, CLASSES)))


def first_batch(path):
    """The first samples, binned evenly, and their classes; begun again if there are fewer."""
    with h5py.File(path) as file:
        there = min(BATCH, len(file["labels"]))
        counts = np.zeros((there, STEPS, CHANNELS // PER_INPUT), np.uint8)
        for sample in range(there):
            times, units = file["spikes/times"][sample].astype(np.float64), file["spikes/units"][sample]
            steps = np.floor(times / MAX_TIME_S * STEPS).astype(int)
            inside = steps < STEPS
            np.add.at(counts[sample], (steps[inside], units[inside] // PER_INPUT), 1)
        classes = file["labels"][:there].astype(np.int32) % CLASSES
    which = np.arange(BATCH) % there
    return jnp.asarray(counts[which]), jnp.asarray(classes[which])


def adaptive(path, repeats):
    samples, classes = first_batch(path)
    parameters = untrained()
    state, key = [parameters, optimiser.init(parameters)], jax.random.PRNGKey(0)

    def work():
        state[:] = jax.block_until_ready(learn(*state, samples, classes, key))

    return {"adaptive": worker.median_seconds(work, repeats) * 1e3 / BATCH}


if __name__ == "__main__":
    worker.run({"adaptive": adaptive}, worker.cores())
