"""A bundle is judged beside what its name means now, registered once, and promoted as far as one is allowed to."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lipsol.data.dataset import Dataset, Item, save
from lipsol.errors import BadInput, LipsolError
from lipsol.evaluation.records import Evaluation
from lipsol.registry.local import LocalRegistry
from lipsol.steps.judging import champion, compare, evaluate, gate, headline
from lipsol.steps.releasing import promote, register
from lipsol.steps.tracked import EXPERIMENT
from lipsol.tracking.local import LocalTracker
from tests.bundles_made import bundle, promotion_of
from tests.evaluations_made import evaluation_of
from tests.services_made import mouth_of

SHIPPED = Path(__file__).parents[3] / "models" / "grid-sentences.lipsol"
CODE = "c" * 64  # that evaluated
STOPS = {
    "name": "stops", "enough": {"seen": {"clips": 1, "speakers": 1}}, "at_most": {"wer": {"seen": 0.1}},
    "at_least": {}, "no_worse": {}, "for_others": {}, "slices": {"clips": 99, "worse": 9.0, "facts": []},
    "p95_ms": 1e6, "size_bytes": 1 << 30,
}  # fmt: skip


@pytest.fixture
def registry(tmp_path, monkeypatch):
    monkeypatch.setenv("LIPSOL_REGISTRY__FOLDER", str(tmp_path / "models"))
    monkeypatch.setenv("LIPSOL_TRACKING__FOLDER", str(tmp_path / "runs"))
    (tmp_path / "models").mkdir()
    return LocalRegistry(tmp_path / "models")


@pytest.fixture
def run(tmp_path, registry):
    with LocalTracker(tmp_path / "runs").run(EXPERIMENT, "one", {}, {}) as begun:
        return begun.id


def judged(folder, run, name="a", rules="brief", wrong=lambda _n, _group: 0):
    """A bundle, its evaluation and verdict as files beside it; and what the gate said."""
    (folder / "made").mkdir(exist_ok=True)
    digest = bundle(folder / "made", name, version=name)
    files = {what: folder / "made" / f"{name}.{what}" for what in ("evaluation", "report", "verdict", "champion")}
    files["evaluation"].write_bytes(replace(evaluation_of(wrong, clips=20, digest=digest), code=CODE).to_json())
    files["report"].write_text("<p>")
    files["champion"].write_bytes(b"")
    paths = [str(files[what]) for what in ("evaluation", "champion")]
    said = gate(*paths, rules, run, str(files["verdict"]))
    return digest, {"bundle": str(folder / "made" / f"{name}.lipsol")} | {k: str(v) for k, v in files.items()}, said


def taken(files):
    return register(files["bundle"], files["evaluation"], files["report"], files["verdict"])


def test_what_passes_is_registered_and_promoted_and_its_run_tells_of_it(tmp_path, registry, run):
    digest, files, said = judged(tmp_path, run)
    assert said == "pass" and taken(files) == digest
    assert promote(digest, "", run, "act", "").startswith("promoted")
    (promotion,) = registry.history()
    told = json.loads((tmp_path / "runs" / EXPERIMENT / run / "run.json").read_text())
    assert promotion.run == run and promotion.digest == digest
    assert told["tags"]["gate_sentences"] == "pass" and told["tags"]["promotion_sentences"].startswith("promoted")
    assert (tmp_path / "runs" / EXPERIMENT / run / "files" / "sentences" / "verdict.json").exists()


def test_a_bundle_that_was_promoted_keeps_what_was_told_of_it(tmp_path, registry, run, capsys):
    digest, files, _ = judged(tmp_path, run)
    taken(files)
    promote(digest, "", run, "act", "")
    before = registry.file(digest, "report.html").read_bytes()
    (tmp_path / "made" / "a.report").write_text("<p>another")
    assert taken(files) == digest and "promoted before" in capsys.readouterr().out
    assert registry.file(digest, "report.html").read_bytes() == before


@pytest.mark.parametrize("automation", ["report", "suggest"])
def test_without_leave_to_act_nothing_moves(tmp_path, registry, run, automation):
    digest, files, _ = judged(tmp_path, run)
    taken(files)
    promote(digest, "", run, automation, "")
    assert registry.history() == []


def test_the_gate_says_each_reason_and_takes_rules_as_json(tmp_path, registry, run, capsys):
    _, _, said = judged(tmp_path, run, rules=json.dumps(STOPS), wrong=lambda _n, _group: 4)
    assert said == "stop" and "✗ wer, seen" in capsys.readouterr().out


def test_a_champion_that_changed_since_it_was_compared_with_is_not_replaced(tmp_path, registry, run):
    first, files, _ = judged(tmp_path, run)
    taken(files)
    promote(first, "", run, "act", "")
    second, files, _ = judged(tmp_path, run, name="b")
    taken(files)
    with pytest.raises(BadInput, match="by now"):
        promote(second, "", run, "act", "")
    assert [each.digest for each in registry.history()] == [first]


def test_without_a_champion_there_is_nothing_to_compare_with(tmp_path, registry):
    compare("", "data", "version", "code", str(tmp_path), 0, str(tmp_path / "found"))
    assert (tmp_path / "found").read_bytes() == b""


def test_a_champions_evaluation_of_the_same_data_by_the_same_code_serves_again(tmp_path, registry, run):
    digest, files, _ = judged(tmp_path, run)
    taken(files)
    version = json.loads((tmp_path / "made" / "a.evaluation").read_text())["data"]["sha256"]
    compare(digest, "no such folder", version, CODE, str(tmp_path), 0, str(tmp_path / "found"))
    assert (tmp_path / "found").read_bytes() == (tmp_path / "made" / "a.evaluation").read_bytes()
    for others in ((version, "d" * 64), ("e" * 64, CODE)):
        with pytest.raises(LipsolError, match="card format"):  # it was opened, to read anew
            compare(digest, "no such folder", *others, str(tmp_path), 0, str(tmp_path / "anew"))


def test_the_champion_is_what_the_bundles_name_means_now(registry, capsys):
    assert champion(str(SHIPPED)) == ""
    assert "grid-sentences: no champion" in capsys.readouterr().out
    held = registry.register(SHIPPED)
    registry.promote(promotion_of(held.digest, version=held.version))
    assert champion(str(SHIPPED)) == held.digest


def test_an_evaluation_names_its_code_and_goes_to_the_run_with_its_page(tmp_path, registry, run):
    mouth = tmp_path / "a.npz"
    mouth.write_bytes(mouth_of(1, 40).to_bytes())
    item = Item(mouth, "s1", (), "test", "bin blue at f two now")
    made = Dataset("few", "en", "grid", ("s1",), (item,), "", "", "", "", "", synthetic=True, folder=tmp_path / "few")
    save(made, tmp_path / "few", copy=False)
    (tmp_path / "champion").write_bytes(b"")
    out, page = tmp_path / "evaluation", tmp_path / "page"
    where = (str(tmp_path / "few"), CODE, run, str(tmp_path / "work"), 0, str(out), str(page))
    figures = evaluate(str(SHIPPED), str(tmp_path / "champion"), *where)
    held = Evaluation.load(out)
    files = tmp_path / "runs" / EXPERIMENT / run / "files" / "sentences"
    assert held.code == CODE and held.data["sha256"] == made.version() and len(held.clips) == 2
    assert set(figures) >= {"seen/grammar/wer", "seen/free/wer"}
    assert (files / "evaluation.json").read_bytes() == out.read_bytes()
    assert (files / "report.html").read_bytes() == page.read_bytes()


def test_the_headline_names_a_part_of_a_group_as_every_tracker_takes_it():
    evaluation = replace(
        evaluation_of(clips=4), summary={"unseen, new sentences": {"free": {"wer": {"value": 0.5}, "n": 4}}}
    )
    assert headline(evaluation) == {"unseen new sentences/free/wer": 0.5}
