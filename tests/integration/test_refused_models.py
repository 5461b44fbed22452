"""A bundle that can't be trusted or used stops every entry at its start: which file, why, and what helps, in a line."""

import pytest

from services.__main__ import main as serve
from services.cli import main as lipsol
from tests.bundles_broken import FAULTS, FILE, bench

ENTRIES = {
    "lipsol read": lambda clip: lipsol(["read", str(clip)]),
    "lipsol serve": lambda _: lipsol(["serve", "--port", "0"]),
    "python -m services": lambda _: serve([]),
    "python -m services inference": lambda _: serve(["inference"]),
}
TRIED = (
    "truncated",
    "flipped network",
    "unsigned",
    "altered after signing",
    "other landmarks",
    "other alphabet",
    "other golden text",
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A registry that trusts one key, over a Kafka that is not even there: a bundle is looked at before."""
    for name, value in {
        "REGISTRY__FOLDER": tmp_path / "models",
        "REGISTRY__KEYS": tmp_path / "models" / "trusted.pub.pem",
        "STORE__FOLDER": tmp_path / "store",
        "PREPROCESS__PORT": 0,
        "PREPROCESS__GRPC_PORT": 0,
        "INFERENCE__PORT": 0,
        "INFERENCE__GRPC_PORT": 0,
        "OPERATING__PORT": 0,
        "MONITOR__PORT": 0,
        "TELEMETRY__METRICS_PORT": 0,
        "TELEMETRY__METRICS_HOST": "127.0.0.1",
    }.items():
        monkeypatch.setenv(f"LIPSOL_{name}", str(value))
    (tmp_path / "models").mkdir()
    return bench(tmp_path / "models")


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("name", TRIED)
def test_it_never_starts_and_says_why(name, entry, place, sample, monkeypatch, capsys):
    if entry.endswith("inference"):
        monkeypatch.setenv("LIPSOL_BUS__KIND", "kafka")
        monkeypatch.setenv("LIPSOL_BUS__SERVERS", "127.0.0.1:1")
    fault = FAULTS[name]
    fault.make(place)
    assert ENTRIES[entry](sample.path) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lipsol: ") and FILE in line]
    assert len(told) == 1
    assert fault.told in told[0] and fault.cure in told[0]


def test_a_fine_signed_bundle_reads(place, sample, capsys):
    place.put(place.held.members)
    assert lipsol(["read", str(sample.path)]) in (0, 3)
    assert capsys.readouterr().err == ""


def test_keys_that_can_t_be_used_stop_the_start_too(place, monkeypatch, sample, capsys):
    place.put(place.held.members)
    monkeypatch.setenv("LIPSOL_REGISTRY__KEYS", str(place.folder / "nowhere.pem"))
    assert lipsol(["read", str(sample.path)]) == 2
    assert "nowhere.pem can't be read" in capsys.readouterr().err
