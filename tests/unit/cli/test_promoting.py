"""`lipsol models gate`, `promote`, `demote`, `history` and `proposals`, as a person types them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.registry.local import LocalRegistry
from lipsol.release import Rules, gate
from lipsol.runtime.promoting import promote
from lipsol.signing import SigningKey
from services.cli import main
from tests.bundles_made import bundle, promotion_of
from tests.evaluations_made import evaluation_of


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty registry that the command line uses."""
    monkeypatch.setenv("LIPSOL_REGISTRY__FOLDER", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def judged(folder: Path, name: str = "a", wrong: int = 0) -> str:
    """A bundle in a folder of its own, with its evaluation and the gate's verdict; its digest."""
    folder.mkdir(exist_ok=True)
    digest = bundle(folder, name, version=name)
    found = evaluation_of(lambda _n, _group: wrong, clips=8, digest=digest)
    (folder / "evaluation.json").write_bytes(found.to_json())
    (folder / "verdict.json").write_bytes(gate(found, None, Rules.named("brief")).to_json())
    return digest


def test_a_file_is_promoted_with_its_evidence_signed_and_told_in_the_history(models, tmp_path, capsys):
    digest = judged(tmp_path / "made")
    assert main(["models", "keys", "new", str(tmp_path / "key.pem"), "--unencrypted"]) == 0
    file = str(tmp_path / "made" / "a.lipsol")
    made = ["--evidence", str(tmp_path / "made"), "--key", str(tmp_path / "key.pem")]
    assert main(["models", "promote", file, *made, "--by", "anna", "--why", "it is better"]) == 0
    assert f"promoted: grid-sentences a, {digest[:12]}, in the place of nothing" in capsys.readouterr().out
    (record,) = LocalRegistry(models).history()
    assert record.signature is not None
    assert record.signature.key == SigningKey.load(tmp_path / "key.pem").id
    assert main(["models", "history"]) == 0
    told = capsys.readouterr().out
    assert all(each in told for each in (digest[:12], "passed brief", "anna", "it is better"))
    assert main(["models", "history", "grid-sentences", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [json.loads(record.to_json())]
    assert main(["models", "history", "grid-words"]) == 0
    assert "no promotion of grid-words yet" in capsys.readouterr().out


def test_what_the_gate_stopped_is_refused_unless_somebody_says_why(models, tmp_path, capsys):
    digest = judged(tmp_path / "made", wrong=6)
    file, made = str(tmp_path / "made" / "a.lipsol"), ["--evidence", str(tmp_path / "made")]
    assert main(["models", "promote", file, *made]) == 2
    told = capsys.readouterr().err
    assert "was stopped by wer, seen free" in told and "--against-the-gate" in told
    assert LocalRegistry(models).history() == []
    assert main(["models", "promote", digest, "--against-the-gate", "a demonstration"]) == 0
    assert main(["models", "history"]) == 0
    told = capsys.readouterr().out
    assert "against the gate" in told and "a demonstration" in told


def test_a_proposal_is_listed_and_taken_up_by_the_models_name(models, tmp_path, capsys):
    assert main(["models", "proposals"]) == 0
    assert capsys.readouterr().out == "nothing is proposed\n"
    digest, registry = judged(tmp_path / "made"), LocalRegistry(models)
    files = {name: tmp_path / "made" / name for name in ("evaluation.json", "verdict.json")}
    registry.register(tmp_path / "made" / "a.lipsol", files)
    assert main(["models", "promote", "grid-sentences"]) == 2
    assert "nothing is proposed for grid-sentences" in capsys.readouterr().err
    promote(registry, MemoryBus(), digest, automation="suggest", run="r3")
    assert main(["models", "proposals", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["digest"] == digest
    assert main(["models", "proposals"]) == 0
    assert digest[:12] in capsys.readouterr().out
    assert main(["models", "promote", "grid-sentences"]) == 0
    assert registry.history()[0].run == "r3"


def test_demote_goes_back_and_says_to_what(models, tmp_path, capsys):
    (tmp_path / "made").mkdir()
    registry = LocalRegistry(models)
    old, new = (bundle(tmp_path / "made", name, version=name) for name in ("old", "new"))
    for name in ("old", "new"):
        registry.register(tmp_path / "made" / f"{name}.lipsol")
    registry.promote(promotion_of(old, version="old"))
    registry.promote(promotion_of(new, old, version="new"))
    assert main(["models", "demote", "grid-sentences", "--why", "worse at night", "--by", "anna"]) == 0
    assert f"grid-sentences means old, {old[:12]}, again" in capsys.readouterr().out
    assert registry.find("grid-sentences").digest == old and registry.history()[0].why == "worse at night"
    assert main(["models", "demote", "grid-sentences"]) == 2
    assert "meant nothing before" in capsys.readouterr().err


def test_the_gate_prints_every_rule_and_its_exit_code_says_what_it_says(tmp_path, capsys):
    good, bad = evaluation_of(), evaluation_of(lambda _n, _group: 5)
    for name, found in (
        ("good", good),
        ("bad", bad),
        ("champion", replace(good, bundle={**good.bundle, "digest": "a"})),
    ):
        (tmp_path / f"{name}.json").write_bytes(found.to_json())
    against = ["--champion", str(tmp_path / "champion.json"), "--out", str(tmp_path / "verdict.json")]
    assert main(["models", "gate", str(tmp_path / "good.json"), *against]) == 0
    assert "passes (full)" in capsys.readouterr().out
    assert json.loads((tmp_path / "verdict.json").read_bytes())["passed"] is True
    assert main(["models", "gate", str(tmp_path / "bad.json"), *against]) == 1
    told = capsys.readouterr().out
    assert "is stopped by" in told and "✗ wer, seen grammar" in told and "0.8333 (at most 0.08)" in told
    assert main(["models", "gate", str(tmp_path / "good.json"), "--rules", "lax"]) == 2


def test_evidence_belongs_to_a_file(models, tmp_path, capsys):
    assert main(["models", "promote", "grid-sentences", "--evidence", str(tmp_path)]) == 2
    assert "which is no file" in capsys.readouterr().err
    assert LocalRegistry(models).history() == []
