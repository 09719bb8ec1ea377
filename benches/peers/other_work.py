"""Whether other programs kept the machine busy meanwhile.

In: nothing. Out: how many cores others had, on average, between two moments, from Linux's own account of its time.
"""

import os
import time
from pathlib import Path

BUSY = (1, 2, 3, 6, 7, 8)  # user, nice, system, irq, softirq and steal among the fields of /proc/stat
NOTABLE_CORES = 0.1


def moment():
    """The time, what all cores have done, and what this program and those that it has run have; in seconds."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    everything = sum(int(fields[at]) for at in BUSY) / os.sysconf("SC_CLK_TCK")
    return time.monotonic(), everything, sum(os.times()[:4])


def cores_of_others(start, end):
    elapsed, everything, ours = (after - before for before, after in zip(start, end))
    return (everything - ours) / elapsed


def note(number, cores):
    """A sentence on a round whose figures cannot be trusted."""
    if cores < NOTABLE_CORES:
        return []
    return [f"In round {number} other programs kept {cores:.1f} cores busy: do not trust its figures."]
