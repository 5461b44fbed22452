"""A bad release on purpose, by real bundles: what a client of the platform gets, and how a process ends."""

import subprocess
import sys

import pytest

from lipsol.errors import ModelError
from lipsol.runtime.wiring import shipped_models
from services.__main__ import main as serve
from services.embedded import Embedded
from services.inference.rehearsal import SEGFAULT, RehearsalSettings
from tests.services_made import settings_of

DYING = """
import sys
from pathlib import Path
from lipsol.runtime.logs import set_up_logging
from lipsol.runtime.settings import load
from services.embedded import Embedded, EmbeddedSettings
clip, settings = Path(sys.argv[1]).read_bytes(), load(EmbeddedSettings)
set_up_logging(settings.telemetry)
with Embedded(settings) as platform:
    for number in range(4):
        print(number, platform.read(clip).text, flush=True)
"""


@pytest.fixture
def failing(tmp_path):
    """A platform of real bundles with a fault in it."""

    def made(fault, **more):
        usual = settings_of(tmp_path, wait_s=60.0)
        changed = {
            "registry": usual.registry.model_copy(update={"folder": shipped_models()}),
            "rehearsal": RehearsalSettings(allowed=True, fault=fault, **more),
        }
        return Embedded(usual.model_copy(update=changed))

    return made


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The same for whoever reads the environment."""
    for name, value in {
        "REGISTRY__FOLDER": shipped_models(),
        "STORE__FOLDER": tmp_path / "store",
        "INFERENCE__PORT": 0,
        "INFERENCE__GRPC_PORT": 0,
        "TELEMETRY__METRICS_PORT": 0,
        "TELEMETRY__METRICS_HOST": "127.0.0.1",
    }.items():
        monkeypatch.setenv(f"LIPSOL_{name}", str(value))
    return monkeypatch


def test_wrong_words_are_given_as_sure_ones(failing, sample):
    with failing("wrong") as platform:
        result = platform.read(sample.bytes())
    assert not result.abstained and result.confidence > 0.9
    assert len(result.text.split()) == len(sample.text.split())
    assert not set(result.text.split()) & set(sample.text.split())
    assert result.alternatives[0].text == sample.text


def test_a_clip_without_a_word_is_answered(failing, sample):
    with failing("empty") as platform:
        result = platform.read(sample.bytes())
    assert (result.text, result.words) == ("", ())


def test_a_reading_that_fails_is_a_dead_letter_at_once_as_a_model_s_own_fault_is(failing, sample):
    with failing("errors") as platform:
        with pytest.raises(ModelError, match="rehearsed error"):
            platform.read(sample.bytes())
        assert platform.telemetry.value("lipsol_dead_letters_total", stage="inference", reason="model-error") == 1
        assert platform.telemetry.value("lipsol_messages_failed_total", stage="inference", reason="model-error") == 1


def test_slow_shows_in_the_readings_own_timings(failing, sample):
    with failing("slow", delay_ms=400) as platform:
        result = platform.read(sample.bytes())
    assert result.text == sample.text
    assert result.timings_ms["read"] >= 400


def test_a_crash_at_the_start_ends_the_process_before_it_is_ready_and_says_why(place, capsys):
    for name, value in {"BUS__KIND": "kafka", "BUS__SERVERS": "127.0.0.1:1"}.items():
        place.setenv(f"LIPSOL_{name}", value)
    place.setenv("LIPSOL_REHEARSAL__ALLOWED", "true")
    place.setenv("LIPSOL_REHEARSAL__FAULT", "crash-at-start")
    assert serve(["inference"]) == 1
    (told,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("lipsol: "))
    assert "can't be opened (a rehearsed crash at the start)" in told and "LIPSOL_REHEARSAL__FAULT" in told


def test_the_reading_service_alone_refuses_a_fault_that_nobody_allowed(place, capsys):
    place.setenv("LIPSOL_REHEARSAL__FAULT", "slow")
    assert serve(["inference"]) == 2
    told = capsys.readouterr().err
    assert "LIPSOL_REHEARSAL__FAULT is slow" in told and "LIPSOL_REHEARSAL__ALLOWED is false" in told


def test_a_crash_after_some_readings_leaves_no_time_for_anything(place, sample, top):
    for name, value in {"ALLOWED": "true", "FAULT": "crash-after", "AFTER": "2"}.items():
        place.setenv(f"LIPSOL_REHEARSAL__{name}", value)
    command = [sys.executable, "-c", DYING, str(sample.path)]
    died = subprocess.run(command, check=False, cwd=top, capture_output=True, text=True, timeout=120)
    assert died.returncode == SEGFAULT, died.stderr
    assert died.stdout.splitlines() == [f"{number} {sample.text}" for number in range(2)]
    assert died.stderr.count("rehearsing-a-fault") == 1
