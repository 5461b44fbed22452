"""How many CPUs this process may use."""

import math
import os
from pathlib import Path

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")  # cgroup v2, as a container sees its own


def available_cpus(cpu_max: Path = CPU_MAX) -> int:
    """CPUs that this process may run on, or its container's quota (rounded up) where that is less; at least 1."""
    affine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cpu_max.read_text().split()
        granted = math.inf if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        granted = math.inf
    return max(1, affine if granted >= affine else math.ceil(granted))
