"""What is compared: the rows of the table.

In: nothing. Out: ROWS, by the name that `--only` takes, and PEERS. A row has lines; a line says what is timed, in what
unit, which figures of the peers stand beside respike's, and where respike's comes from: a criterion benchmark, or
none where the program itself is measured.
"""

from dataclasses import dataclass, field
from typing import Callable


@dataclass(frozen=True)
class Peer:
    """A program of this folder, its name in the table, and the packages that it needs."""

    script: str
    name: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Bench:
    """A benchmark of respike; `in_unit` makes the line's figure of the nanoseconds and the work of an iteration.

    The work is criterion's throughput: samples, or bytes.
    """

    target: str
    group: str
    function: str
    in_unit: Callable[[float, int], float]


@dataclass(frozen=True)
class Line:
    """A line of the table, or one for each peer; `peers` are the peer and its figure by the name to be shown."""

    what: str
    unit: str
    bench: Bench | None = None
    peers: dict[str, tuple[Peer, str]] = field(default_factory=dict)


NEEDED_BY_ALL = ("numpy", "h5py")
TORCH = Peer("torch_peer.py", "PyTorch", (*NEEDED_BY_ALL, "torch"))
JAX = Peer("jax_peer.py", "JAX", (*NEEDED_BY_ALL, "jax", "optax"))
JAX_ADAPTIVE = Peer("jax_adaptive_peer.py", "JAX, adaptive neurons", (*NEEDED_BY_ALL, "jax", "optax"))
NUMPY = Peer("numpy_peer.py", "h5py and NumPy", NEEDED_BY_ALL)
PEERS = [TORCH, JAX, JAX_ADAPTIVE, NUMPY]


def milliseconds_a_sample(nanoseconds, samples):
    return nanoseconds * 1e-6 / samples


def seconds_an_epoch(nanoseconds, _):
    return nanoseconds * 1e-9


def seconds_for_10_000(nanoseconds, samples):
    return nanoseconds * 1e-9 * 10_000 / samples


def gigabytes_a_second(nanoseconds, raw_bytes):
    return raw_bytes / nanoseconds


def networks(what, unit, bench, figure):
    """A line that both PyTorch and JAX have a figure in."""
    return Line(what, unit, bench, {peer.name: (peer, figure) for peer in (TORCH, JAX)})


def of_network(function):
    return Bench("reference_network", "reference network", function, milliseconds_a_sample)


def of_continual(function):
    return Bench("continual", "continual learning", function, seconds_an_epoch)


def codec(function):
    return Line(f"`{function}`, raw bits", "GB/s", Bench("codecs", "codecs", function, gigabytes_a_second))


ROWS = {
    "training": [networks("training step, a sample", "ms", of_network("training step"), "training")],
    "inference": [networks("inference, a sample", "ms", of_network("inference"), "inference")],
    "adaptive": [
        Line("training step of adaptive neurons, a sample", "ms",
             Bench("adaptive_network", "adaptive network", "training step", milliseconds_a_sample),
             {"JAX": (JAX_ADAPTIVE, "adaptive")})],
    "continual": [
        networks("an epoch of continual learning", "s", of_continual("epoch"), "continual"),
        Line("latents of its new samples, one thread", "s", of_continual("latents of the new samples, one thread"))],
    "cold-start": [
        Line("cold start, 10 000 samples", "s", Bench("cold_start", "cold start", "read and bin", seconds_for_10_000),
             {"h5py and NumPy, as usually written": (NUMPY, "cold-start, usual"),
              "h5py and NumPy, vectorised": (NUMPY, "cold-start, vectorised")})],
    "memory": [Line("peak memory, an epoch on 10 420 samples", "MB")],
    "codecs": [codec(f"{way} {name}") for name in ("or_10", "counts_10", "raw") for way in ("encode", "decode")],
}
