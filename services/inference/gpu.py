"""How full and how busy the GPUs of this machine are; the only door to NVML. Where there is none, nothing is told."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

from lipsol.runtime.telemetry import Telemetry

log = structlog.get_logger()


class Gpus:
    """Looks at what NVML knows, whenever it is asked to. Called by one thread."""

    def __init__(self, telemetry: Telemetry, nvml: Callable[[], Any] | None = None) -> None:
        """nvml: opens what is asked; None: NVML itself."""
        self._telemetry, self._open = telemetry, nvml or opened
        self._nvml: Any = None  # its module, once there is something to ask
        self._tried = False

    def look(self) -> int:
        """Tell of each GPU; how many there are. Raises nothing: a machine without one reads just as well."""
        if not self._tried:
            self._tried = True
            self._nvml = self._open()
        if self._nvml is None:
            return 0
        count = 0
        with suppress(self._nvml.NVMLError):  # a driver that is being replaced tells again later
            count = int(self._nvml.nvmlDeviceGetCount())
        for number in range(count):
            with suppress(self._nvml.NVMLError):
                self._tell(number)
        return count

    def _tell(self, number: int) -> None:
        device = self._nvml.nvmlDeviceGetHandleByIndex(number)
        memory = self._nvml.nvmlDeviceGetMemoryInfo(device)
        self._telemetry.set("lipsol_gpu_memory_bytes", memory.used, gpu=str(number))
        self._telemetry.set("lipsol_gpu_memory_limit_bytes", memory.total, gpu=str(number))
        busy = self._nvml.nvmlDeviceGetUtilizationRates(device).gpu  # a part of a shared GPU has no figure of its own
        self._telemetry.set("lipsol_gpu_busy_ratio", busy / 100, gpu=str(number))


def opened() -> Any:
    """NVML's module, ready to be asked; None where there is nothing to ask, which is said once in the log."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception as fault:  # noqa: BLE001 - no module, no library, no driver: in all cases there is no GPU to tell of
        log.info("no-gpu-figures", reason=type(fault).__name__)
        return None
    return pynvml
