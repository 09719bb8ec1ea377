"""What the figures were measured on.

In: the processor as Linux shows it, versions of the programs. Out: a list of short sentences for people to read.
"""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("jax", "optax", "torch", "numpy", "h5py")


def cpu_info(field):
    """The first value of a field of /proc/cpuinfo, or nothing."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return ""


def processor():
    model = cpu_info("model name") or platform.processor() or platform.machine()
    flags = cpu_info("flags").split()
    vectors = [f"{flag} {'yes' if flag in flags else 'no'}" for flag in ("avx2", "avx512f")]
    cores = len(os.sched_getaffinity(0))
    return [model, f"{cores} core{'s' * (cores != 1)} used", *caches(), *vectors]


def caches():
    """Sizes of the second and third level of the first core's caches, as far as the system tells."""
    found = []
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, size = (cache / "level").read_text().strip(), (cache / "size").read_text().strip()
        except OSError:
            continue
        if level in ("2", "3"):
            found.append(f"L{level} {size}")
    return found


def rustc():
    try:
        said = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "rustc missing"
    return " ".join(said.split()[:2])


def package(name):
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} missing"


def description():
    """Lines about the processor and about the versions."""
    versions = [package(name) for name in PACKAGES]
    return [
        f"Machine: {', '.join(processor())}.",
        f"Programs: {', '.join(versions)}, Python {platform.python_version()}, {rustc()}.",
    ]
