"""The whole of a pipeline on a few dozen clips for an epoch each: run, run again, killed midway, and daily."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lipsol.data.dataset import MANIFEST, open_dataset, save
from lipsol.registry.local import LocalRegistry
from lipsol.signing import Keys, SigningKey
from pipelines.running import run
from pipelines.settings import PipelinesSettings

pytestmark = pytest.mark.slow

CLIPS = 3  # of each speaker and split
PATIENCE_S = 900.0  # on a busy machine; a quiet one takes a minute or two
ONCE = {"epochs": 1, "batch": 8}
PLAN = {"base": "brief", **dict.fromkeys(("near", "second", "far", "left_out", "word", "left_out_word"), ONCE)}
ANYTHING = {  # rules that a model of one epoch holds
    "name": "anything",
    "enough": {"seen": {"clips": 1, "speakers": 1}},
    "at_most": {"wer": {"seen": 9.0, "unseen": 9.0}},
    "at_least": {},
    "no_worse": {},
    "for_others": {},
    "slices": {"clips": 99, "worse": 9.0, "facts": []},
    "p95_ms": 1e6,
    "size_bytes": 1 << 30,
}
NOTHING = ANYTHING | {"name": "nothing", "at_most": {"wer": {"seen": 0.0, "unseen": 0.0}}}
BEFORE = ["bring", "version-code", "version-data", "watch"]  # of tune's trials
CACHED = {"check", "watch", "train", "package"}


class Place:
    """A folder with data, registry, tracked runs, store and work folder of its own."""

    def __init__(self, folder: Path, grid: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        dataset = open_dataset(grid).limited(CLIPS)
        save(replace(dataset, names="", folder=self.data), self.data, copy=False)
        (folder / "keys").mkdir()
        SigningKey.new().save(folder / "key.pem")
        (folder / "keys" / "key.pem").write_bytes(SigningKey.load(folder / "key.pem").public_pem())
        own = {"REGISTRY__FOLDER": "models", "REGISTRY__KEYS": "keys", "TRACKING__FOLDER": "runs",
               "STORE__FOLDER": "store", "PIPELINES__WORK": "work", "PIPELINES__KEY": "key.pem"}  # fmt: skip
        self.environment = os.environ | {f"LIPSOL_{name}": str(folder / at) for name, at in own.items()}
        self.environment |= {"LIPSOL_PIPELINES__AUTOMATION": "act", "OMP_NUM_THREADS": "1"}
        (folder / "models").mkdir()

    def command(self, name: str, rules: object = ANYTHING) -> list[str]:
        """What a person types."""
        told = {"data": str(self.data), "plan": json.dumps(PLAN), "rules": json.dumps(rules)}
        sets = [part for key, value in told.items() for part in ("--set", f"{key}={value}")]
        return [str(Path(sys.executable).with_name("lipsol")), "pipeline", "run", name, "--local", "--json", *sets]

    def run(self, name: str, rules: object = ANYTHING, code: int = 0) -> tuple[dict[str, str], dict[str, str], str]:
        """The state of each step, the outputs, and what was said."""
        done = subprocess.run(
            self.command(name, rules),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == code, done.stderr[-4000:]
        told = json.loads(done.stdout)
        return {step["step"]: step["state"] for step in told["steps"]}, told["outputs"], done.stderr

    @property
    def registry(self) -> LocalRegistry:
        """Where bundles are promoted."""
        return LocalRegistry(self.folder / "models", Keys.load(self.folder / "keys"))


@pytest.fixture(scope="module")
def place(grid, tmp_path_factory):
    return Place(tmp_path_factory.mktemp("pipeline"), grid)


@pytest.fixture(scope="module")
def first(place):
    """The first run: all is new."""
    return place.run("train")


def test_data_becomes_two_signed_promoted_champions_that_tell_of_their_run(place, first):
    states, outputs, said = first
    assert outputs["sentences"] == outputs["words"] == "pass"
    assert set(states.values()) == {"done"} and {"promote", "promote-2"} <= set(states)
    for name in ("grid-sentences", "grid-words"):
        champion = place.registry.champion(name)
        (promotion,) = place.registry.history(name)
        assert promotion.digest == champion.digest and promotion.run == outputs["run"] and promotion.signature
        assert promotion.data_version == open_dataset(place.data).version()
        assert champion.card["data"]["sha256"] == promotion.data_version
        assert place.registry.file(champion.digest, "report.html").stat().st_size
    assert not place.registry.faults()
    assert "grid-sentences" in said and "passes" in said


def test_the_tracked_run_has_parameters_versions_curves_figures_and_files(place, first):
    folder = place.folder / "runs" / "train" / first[1]["run"]
    told = json.loads((folder / "run.json").read_text())
    assert told["parameters"]["data_version"] == open_dataset(place.data).version() and told["status"] == "finished"
    assert {"code_version", "plan", "seed"} <= set(told["parameters"])
    assert told["tags"]["gate_sentences"] == "pass" and told["tags"]["promotion_words"].startswith("promoted")
    figures = (folder / "metrics.jsonl").read_text()
    assert "near/sentences/loss" in figures and "sentences/seen/grammar/wer" in figures
    files = {path.relative_to(folder / "files").as_posix() for path in (folder / "files").rglob("*") if path.is_file()}
    assert {"bundles/grid-words.lipsol", "sentences/report.html", "words/verdict.json"} <= files


def test_a_second_run_trains_nothing_and_changes_no_champion(place, first):
    before = place.registry.history()
    states, outputs, said = place.run("train")
    assert {name for name, state in states.items() if state == "cached"} >= CACHED
    assert outputs == first[1] and "promoted before" in said
    assert place.registry.history() == before


def test_what_the_gate_stops_leaves_the_champions_as_they_were_and_says_why(place, first):
    before = {path: path.read_bytes() for path in (place.folder / "models").rglob("*") if path.is_file()}
    states, outputs, said = place.run("train", NOTHING, code=3)
    assert outputs["sentences"] == outputs["words"] == "stop" and "register" not in states
    assert "is stopped by" in said and "✗ wer, seen" in said
    assert {path: path.read_bytes() for path in (place.folder / "models").rglob("*") if path.is_file()} == before


def test_daily_trains_once_though_the_gate_stops_it_and_then_has_nothing_to_do(place, first):
    states, outputs, said = place.run("daily", NOTHING, code=3)
    assert outputs["Output"] == "train" and "no run has gone through yet" in said and "register" not in states
    assert "remember" in states and "the gate's answer: sentences stop, words stop" in said
    states, outputs, said = place.run("daily", NOTHING)
    assert outputs["Output"] == "nothing" and "nothing new since the last run" in said
    assert set(states) == {"bring", "version-data", "look"}


def test_tune_tries_what_it_is_given_and_ends_with_a_plan_and_a_page(place, monkeypatch):
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("pipelines.tune.ROUNDS", 1)
    settings = PipelinesSettings(work=place.folder / "work")
    asked = {"data": str(place.data), "trials": "2", "epochs": "1", "limit": str(CLIPS)}
    done = run("tune", asked, settings, print)
    names = [step.name for step in done.steps]
    assert sorted(names[:4]) == BEFORE
    assert names[4:] == ["ask", "try-out", "tell", "best"], "trials side by side are one"
    assert done.outputs["Output"] > 0
    (kept,) = (place.folder / "runs" / "tune").iterdir()
    assert {path.name for path in (kept / "files").iterdir()} == {"plan.json", "tuning.html"}
    again = run("tune", asked, settings, print)
    assert [step.name for step in again.steps][4:] == ["ask", "tell", "best"], "no trial is left to try"


def test_a_changed_label_trains_anew_and_a_training_that_was_killed_goes_on(place, first):
    manifest = place.data / MANIFEST
    lines = manifest.read_text().splitlines()
    changed = next(n for n, line in enumerate(lines) if ",train," in line)
    start, _, end = lines[changed].rpartition("-")
    lines[changed] = f"{start}-{int(end) - 1}"
    manifest.write_text("\n".join(lines) + "\n")
    before = {path.parent.name for path in (place.folder / "work" / "members").glob("*/near.pt")}
    killed(place, before)
    (done,) = {*(place.folder / "work" / "members").glob("*/near.pt")} - {
        place.folder / "work" / "members" / name / "near.pt" for name in before
    }
    written = done.stat().st_mtime_ns
    states, outputs, _ = place.run("train")
    assert states["train"] == "done" and outputs["run"] != first[1]["run"]
    assert done.stat().st_mtime_ns == written, "what was trained before the kill is not trained again"


def killed(place: Place, before: set[str]) -> None:
    """A run whose processes are killed, all of them, once its first new member is trained."""
    running = subprocess.Popen(
        place.command("train"), env=place.environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + PATIENCE_S
    try:
        while not {path.parent.name for path in (place.folder / "work" / "members").glob("*/near.pt")} - before:
            assert running.poll() is None and time.monotonic() < until
            time.sleep(0.05)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
