"""What is told of GPUs, where there are some and where there are none."""

from dataclasses import dataclass, field
from types import SimpleNamespace

from structlog.testing import capture_logs

from lipsol.runtime.telemetry import Telemetry
from services.inference.gpu import Gpus

GIB = 2**30


@dataclass
class MadeNvml:
    """NVML over two GPUs, of which those in `away` can't be asked."""

    NVMLError: type[Exception] = RuntimeError
    away: set[int] = field(default_factory=set)

    def nvmlDeviceGetCount(self):  # noqa: N802 - NVML's own names
        return 2

    def nvmlDeviceGetHandleByIndex(self, number):  # noqa: N802
        if number in self.away:
            raise self.NVMLError
        return number

    def nvmlDeviceGetMemoryInfo(self, number):  # noqa: N802
        return SimpleNamespace(used=(1 + number) * GIB, total=8 * GIB)

    def nvmlDeviceGetUtilizationRates(self, number):  # noqa: N802
        return SimpleNamespace(gpu=25 * (1 + number))


def test_each_gpu_tells_its_memory_and_how_busy_it_is():
    telemetry = Telemetry()
    assert Gpus(telemetry, MadeNvml).look() == 2
    assert telemetry.value("lipsol_gpu_memory_bytes", gpu="1") == 2 * GIB
    assert telemetry.value("lipsol_gpu_memory_limit_bytes", gpu="0") == 8 * GIB
    assert telemetry.value("lipsol_gpu_busy_ratio", gpu="1") == 0.5


def test_a_gpu_that_can_not_be_asked_hides_no_other():
    telemetry = Telemetry()
    Gpus(telemetry, lambda: MadeNvml(away={0})).look()
    assert "lipsol_gpu_memory_bytes{" in telemetry.text()
    assert telemetry.value("lipsol_gpu_memory_bytes", gpu="1") == 2 * GIB


def test_a_machine_without_one_says_so_once_and_tells_nothing():
    telemetry = Telemetry()
    gpus = Gpus(telemetry, lambda: None)
    assert [gpus.look(), gpus.look()] == [0, 0]
    assert "lipsol_gpu_memory_bytes{" not in telemetry.text()


def test_nvml_itself_is_asked_once_and_raises_nothing_where_it_finds_no_gpu():
    telemetry = Telemetry()
    with capture_logs() as logs:
        gpus = Gpus(telemetry)
        found = [gpus.look(), gpus.look()]
    assert found[0] == found[1]
    assert [line["event"] for line in logs] == ["no-gpu-figures"] * (not found[0])
