import json
import socket

import pytest

from lipsol.errors import LipsolError
from lipsol.signing import Keys
from services.cli import checks
from services.cli.checks import Diagnosis, check_models, model_diagnosis
from services.cli.doctor import run
from tests.bundles_broken import FAULTS, bench


def finding(*diagnoses):
    return lambda: iter(diagnoses)


def fainting():
    raise LipsolError("no sandbox", "install it")
    yield


def breaking():
    yield Diagnosis("video", "ok", "H.264 is decoded")
    raise ValueError("odd")


FINE = ("python", finding(Diagnosis("python", "ok", "3.11")))
TAKEN = ("port", finding(Diagnosis("port", "warning", "8080 taken", "use another")))
GONE = ("models", finding(Diagnosis("models", "broken", "no model is here", "train one")))


def test_a_machine_that_can_read_clips_ends_well(capsys):
    assert run(as_json=False, checks=(FINE,)) == 0
    assert "✓ python" in capsys.readouterr().out


def test_a_warning_is_told_with_its_cure_and_does_not_fail(capsys):
    assert run(as_json=False, checks=(FINE, TAKEN)) == 0
    assert "-> use another" in capsys.readouterr().out


def test_what_is_broken_is_named_and_fails(capsys):
    assert run(as_json=False, checks=(FINE, GONE)) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith("mend models")


def test_a_check_that_faints_is_a_finding_and_the_others_still_run(capsys):
    assert run(as_json=True, checks=(("video", fainting), FINE)) == 1
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "works": False,
        "checks": [
            {"name": "video", "state": "broken", "finding": "no sandbox", "cure": "install it"},
            {"name": "python", "state": "ok", "finding": "3.11", "cure": ""},
        ],
    }


def test_what_a_check_found_before_it_broke_is_kept(capsys):
    assert run(as_json=False, checks=(("video", breaking),)) == 1
    said = capsys.readouterr().out
    assert "H.264 is decoded" in said
    assert "ValueError: odd" in said


def test_a_file_that_is_no_bundle_is_told_with_its_cure(tmp_path):
    torn = tmp_path / "torn.lipsol"
    torn.write_bytes(b"no zip")
    found = model_diagnosis(torn, None)
    assert found.state == "warning"
    assert "torn.lipsol" in found.finding
    assert found.cure


@pytest.mark.parametrize("name", ["unsigned", "flipped network", "other golden text"])
def test_a_bundle_that_no_service_would_read_with_is_told_with_its_cure(tmp_path, name):
    made = bench(tmp_path)
    FAULTS[name].make(made)
    found = model_diagnosis(made.file, None, Keys.load(made.keys))
    assert (found.state, FAULTS[name].told in found.finding) == ("warning", True)
    assert FAULTS[name].cure in found.cure


def test_without_any_model_clips_can_t_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("LIPSOL_REGISTRY__FOLDER", str(tmp_path))
    (found,) = check_models()
    assert found.state == "broken"
    assert "train" in found.cure


def test_a_taken_port_is_a_warning_that_says_how_to_take_another(monkeypatch):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        monkeypatch.setattr(checks, "PORTS", {server.getsockname()[1]: ("page", "--port")})
        (found,) = checks.check_ports()
    assert found.state == "warning"
    assert "--port" in found.cure


def test_onnxruntime_is_asked_where_it_runs():
    assert "CPUExecutionProvider" in next(checks.check_onnxruntime()).finding


def test_the_decoder_s_sandbox_reads_the_doctor_s_own_clips():
    assert [found.state for found in checks.check_video()] == ["ok", "ok"]
