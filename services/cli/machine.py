"""What the machine gives this process: memory, ports, programs. Linux tells it in files, others tell less."""

import math
import shutil
import socket
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # cgroup v2, as seen from inside a container
MEMINFO = Path("/proc/meminfo")
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


def free_memory_bytes(cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> float:
    """Memory that can still be had: the machine's, or what the container's limit leaves; infinite if nobody knows."""
    return min(_machine_free(meminfo), _container_free(cgroup))


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Can a server listen on this port now?"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def chromium() -> str | None:
    """Where a Chromium is, if there is one."""
    return next((found for name in CHROMIUMS if (found := shutil.which(name))), None)


def _machine_free(meminfo: Path) -> float:
    """MemAvailable of /proc/meminfo (KiB there), in bytes."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return math.inf
    kib = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return float(kib[0]) * 1024 if kib else math.inf


def _container_free(cgroup: Path) -> float:
    """memory.max less memory.current, in bytes."""
    try:
        bound, used = ((cgroup / name).read_text().strip() for name in ("memory.max", "memory.current"))
    except OSError:
        return math.inf
    return math.inf if bound == "max" else max(0.0, float(bound) - float(used))
