"""A measured figure, the machine it was measured on, and the time that work took."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lipsol.evaluation.reading import processor
from lipsol.runtime.cpus import available_cpus


@dataclass(frozen=True)
class Figure:
    """One measured value.

    target  what it has to reach; None: nobody asked for a bound
    below   True: it has to stay below its target instead
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    below: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the value meets its target; None without one."""
        if self.target is None:
            return None
        return self.value < self.target if self.below else self.value >= self.target

    @property
    def bound(self) -> str:
        """The target in words; "" without one."""
        if self.target is None:
            return ""
        return f"{'below' if self.below else 'at least'} {self.target:g}"

    def as_dict(self, machine: str) -> dict[str, object]:
        """The form of build/bench.json."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "bound": self.bound,
            "met": self.met,
            "machine": machine,
        }


def percentiles(name: str, milliseconds: Sequence[float]) -> list[Figure]:
    """The median and the 95th percentile of times per clip."""
    return [Figure(f"{name}_p{at}", round(float(np.percentile(milliseconds, at)), 2), "ms/clip") for at in (50, 95)]


def machine() -> str:
    """Processor, cores that this process may use, how busy they were before, system and Python, in one line."""
    cores = available_cpus()
    load = os.getloadavg()[0]
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{processor()}, {cores} cores, load {load:.1f} at the start, {system}"


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time that `work` costs in this process and all below it: those that ended, and those that wait for more."""
    before = _spent(os.getpid())
    work()
    return _spent(os.getpid()) - before


def _spent(process: int) -> float:
    """CPU seconds of a process, of its living descendants, and of all that they have waited for."""
    stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(int(field) for field in stat[11:15])  # utime, stime, cutime, cstime of proc(5)
    children = [
        child for held in Path(f"/proc/{process}/task").glob("*/children") for child in held.read_text().split()
    ]
    return ticks / os.sysconf("SC_CLK_TCK") + sum(_spent(int(child)) for child in children)
