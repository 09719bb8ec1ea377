"""Speed of the reference network in PyTorch or JAX: speed.py torch|jax."""

import json
import math
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

LAYERS, CLASSES, BATCH = [700, 200, 100, 50], 20, 64
SYNAPSE, MEMBRANE = math.exp(-1 / 5), math.exp(-1 / 10)
REPEATS, WARM_UP = 25, 4


def real_batch():
    golden = Path(__file__).parents[2] / "tests" / "golden" / "network_full.safetensors"
    samples = load_file(golden)["input"].astype(np.float32)
    counts = np.stack([samples[index % len(samples)] for index in range(BATCH)])
    return counts, np.arange(BATCH) % 10


def weights(seed=0):
    """Input, recurrent and readout weights, drawn from N(0, 0.2 / sqrt(fan-in))."""
    source = np.random.default_rng(seed)

    def draw(fan_in, fan_out):
        return (source.standard_normal((fan_in, fan_out)) * 0.2 / math.sqrt(fan_in)).astype(np.float32)

    pairs = list(zip(LAYERS, LAYERS[1:]))
    return [draw(a, b) for a, b in pairs], [draw(b, b) for _, b in pairs], draw(LAYERS[-1], CLASSES)


def with_torch(counts, classes):
    import torch

    torch.set_flush_denormal(True)

    class Fire(torch.autograd.Function):
        @staticmethod
        def forward(context, above):
            context.save_for_backward(above)
            return (above > 0).float()

        @staticmethod
        def backward(context, error):
            (above,) = context.saved_tensors
            return error / (100 * above.abs() + 1).square()

    def trainable(array):
        return torch.tensor(array, requires_grad=True)

    feed, back, out = weights()
    feed, back, out = [trainable(w) for w in feed], [trainable(v) for v in back], trainable(out)
    counts, classes = torch.tensor(counts), torch.tensor(classes)

    def logits():
        current = counts @ feed[0]
        zeros = [torch.zeros(BATCH, v.shape[0]) for v in back]
        synaptic, membrane, spikes = list(zeros), list(zeros), list(zeros)
        filtered = potential = best = torch.zeros(BATCH, CLASSES)
        for step in range(counts.shape[1]):
            arriving = current[:, step]
            for layer, v in enumerate(back):
                drive = arriving + spikes[layer] @ v
                spikes[layer] = Fire.apply(membrane[layer] - 1)
                kept = 1 - spikes[layer].detach()
                membrane[layer] = (MEMBRANE * membrane[layer] + synaptic[layer]) * kept
                synaptic[layer] = SYNAPSE * synaptic[layer] + drive
                if layer + 1 < len(back):
                    arriving = spikes[layer] @ feed[layer + 1]
            potential = MEMBRANE * potential + filtered
            filtered = SYNAPSE * filtered + spikes[-1] @ out
            best = torch.maximum(best, potential)
        return best

    optimiser = torch.optim.Adamax([*feed, *back, out], lr=1e-3)

    def train():
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(logits(), classes).backward()
        optimiser.step()

    def infer():
        with torch.no_grad():
            logits()

    return f"PyTorch {torch.__version__}", train, infer


def with_jax(counts, classes):
    import jax
    import jax.numpy as jnp
    import optax

    @jax.custom_jvp
    def fire(above):
        return (above > 0).astype(jnp.float32)

    @fire.defjvp
    def _(primals, tangents):
        (above,), (change,) = primals, tangents
        return fire(above), change / (100 * jnp.abs(above) + 1) ** 2

    def logits(parameters, counts):
        feed, back, out = parameters
        current = jnp.swapaxes(counts @ feed[0], 0, 1)
        zeros = [jnp.zeros((counts.shape[0], v.shape[0])) for v in back]

        def advance(state, arriving):
            layers, filtered, potential = state
            after = []
            for layer, (synaptic, membrane, spikes) in enumerate(layers):
                drive = arriving + spikes @ back[layer]
                spikes = fire(membrane - 1)
                kept = 1 - jax.lax.stop_gradient(spikes)
                after.append((SYNAPSE * synaptic + drive, (MEMBRANE * membrane + synaptic) * kept, spikes))
                arriving = spikes @ (feed[layer + 1] if layer + 1 < len(back) else out)
            potential, filtered = MEMBRANE * potential + filtered, SYNAPSE * filtered + arriving
            return (after, filtered, potential), potential

        silent = jnp.zeros((counts.shape[0], CLASSES))
        start = ([(zero, zero, zero) for zero in zeros], silent, silent)
        _, trace = jax.lax.scan(advance, start, current)
        return jnp.maximum(trace.max(0), 0)

    def loss(parameters):
        return optax.softmax_cross_entropy_with_integer_labels(logits(parameters, counts), classes).mean()

    counts, classes = jnp.asarray(counts), jnp.asarray(classes)
    optimiser = optax.adamax(1e-3)

    @jax.jit
    def step(parameters, memory):
        change, memory = optimiser.update(jax.grad(loss)(parameters), memory)
        return optax.apply_updates(parameters, change), memory

    run = jax.jit(logits)
    state = [weights()]
    state.append(optimiser.init(state[0]))

    def train():
        state[:] = jax.block_until_ready(step(*state))

    return f"JAX {jax.__version__}", train, lambda: run(state[0], counts).block_until_ready()


def median_ms(work):
    took = []
    for _ in range(WARM_UP + REPEATS):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return statistics.median(took[WARM_UP:]) / BATCH * 1e3


peer, train, infer = {"torch": with_torch, "jax": with_jax}[sys.argv[1]](*real_batch())
figures = {"peer": peer, "train_ms_per_sample": median_ms(train), "infer_ms_per_sample": median_ms(infer)}
print(json.dumps(figures))
