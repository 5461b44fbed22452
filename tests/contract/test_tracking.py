"""What every tracker must do: the law of `lipsol/tracking/port.py`, sentence by sentence."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from lipsol.errors import BadInput, NotFound
from lipsol.mlflow import MlflowServer
from lipsol.tracking.local import LocalTracker, points_of
from lipsol.tracking.mlflow import MlflowTracker
from lipsol.tracking.port import Tracker


@dataclass(frozen=True)
class Told:
    """What a tracker has of a run; a figure's values by step, in the order that they came."""

    status: str
    parameters: dict[str, str]
    tags: dict[str, str]
    figures: dict[str, list[tuple[int, float]]]
    files: dict[str, bytes]


@dataclass(frozen=True)
class TrackerUnderTest:
    """A tracker, and how a test looks at a run of an experiment; the experiment is nobody else's."""

    tracker: Tracker
    look: Callable[[str, str], Told]
    experiment: str = field(default_factory=lambda: f"test-{uuid4().hex[:8]}")


@pytest.fixture(params=["local", "mlflow"])
def tracked(request: pytest.FixtureRequest, tmp_path: Path) -> TrackerUnderTest:
    """Each tracker there is."""
    if request.param == "mlflow":
        server = MlflowServer(request.getfixturevalue("mlflow").uri)
        return TrackerUnderTest(MlflowTracker(server), partial(_look_on, server))
    return TrackerUnderTest(LocalTracker(tmp_path), partial(_look_in, tmp_path))


def test_a_run_is_kept_with_its_parameters_tags_figures_and_files(tracked, tmp_path):
    (tmp_path / "card.md").write_text("what it is")
    with tracked.tracker.run(tracked.experiment, "first", {"rate": "0.003"}, {"data": "ab12"}) as run:
        run.metrics({"wer": 0.25, "cer": 0.125}, step=2)
        run.file(tmp_path / "card.md", "cards")
        assert run.id in run.url
        during = tracked.look(tracked.experiment, run.id)
    after = tracked.look(tracked.experiment, run.id)
    assert (during.status, after.status) == ("running", "finished")
    assert (after.parameters, after.tags) == ({"rate": "0.003"}, {"data": "ab12"})
    assert after.figures == {"wer": [(2, 0.25)], "cer": [(2, 0.125)]}
    assert after.files == {"cards/card.md": b"what it is"}


def test_a_run_that_is_gone_on_with_keeps_what_it_had(tracked):
    with tracked.tracker.run(tracked.experiment, "first", {"rate": "0.003"}, {"try": "1"}) as run:
        run.metrics({"wer": 0.5}, step=1)
    more = {"rate": "0.9", "seed": "7"}
    with tracked.tracker.run(tracked.experiment, "again", more, {"try": "2"}, run_id=run.id) as resumed:
        assert tracked.look(tracked.experiment, run.id).status == "running"
        resumed.metrics({"wer": 0.25}, step=2)
    told = tracked.look(tracked.experiment, run.id)
    assert resumed.id == run.id
    assert (told.status, told.parameters, told.tags) == ("finished", {"rate": "0.003", "seed": "7"}, {"try": "2"})
    assert told.figures == {"wer": [(1, 0.5), (2, 0.25)]}


def test_a_curve_that_is_sent_again_doubles_nothing(tracked):
    curve = [(step, {"near/loss": 1.0 / (step + 1), "near/rate": 0.003}) for step in range(5)]
    with tracked.tracker.run(tracked.experiment, "curve", {}, {}) as run:
        assert run.curve(curve[:3]) == 6
        assert run.curve(curve[:3]) == 0
    with tracked.tracker.run(tracked.experiment, "curve", {}, {}, run_id=run.id) as resumed:
        assert resumed.curve(curve) == 4
        resumed.curve([(9, {"near/loss": 0.1})])
    figures = tracked.look(tracked.experiment, run.id).figures
    assert figures["near/loss"] == [*((step, values["near/loss"]) for step, values in curve), (9, 0.1)]
    assert figures["near/rate"] == [(step, 0.003) for step in range(5)]


def test_a_figure_is_kept_whatever_is_in_its_name_and_its_curve_is_not_doubled(tracked):
    name, kept = "far-خان, s2 (old)/words/loss", "far-خان_ s2 _old_/words/loss"
    with tracked.tracker.run(tracked.experiment, "names", {}, {}) as run:
        run.metrics({"unseen, spread wording/free/wer": 0.5})
        assert run.curve([(1, {name: 0.25})]) == 1
        assert run.curve([(1, {name: 0.25}), (2, {name: 0.125})]) == 1
    figures = tracked.look(tracked.experiment, run.id).figures
    assert figures == {"unseen_ spread wording/free/wer": [(0, 0.5)], kept: [(1, 0.25), (2, 0.125)]}


def test_a_run_that_is_left_by_an_exception_has_failed_and_keeps_what_it_was_told(tracked):
    def told_then_broken():
        with tracked.tracker.run(tracked.experiment, "broken", {}, {}) as run:
            run.metrics({"loss": 3.0})
            seen.append(run.id)
            raise ValueError("no more memory")

    seen = []
    with pytest.raises(ValueError, match="no more memory"):
        told_then_broken()
    told = tracked.look(tracked.experiment, seen[0])
    assert (told.status, told.figures) == ("failed", {"loss": [(0, 3.0)]})


def test_a_file_that_is_given_again_replaces_the_first(tracked, tmp_path):
    with tracked.tracker.run(tracked.experiment, "files", {}, {}) as run:
        for text in ("old", "new"):
            (tmp_path / "report.html").write_text(text)
            run.file(tmp_path / "report.html")
    assert tracked.look(tracked.experiment, run.id).files == {"report.html": b"new"}


def test_a_run_that_is_not_there_is_not_found(tracked):
    with (
        pytest.raises(NotFound, match="'0123456789abcdef0123456789abcdef'"),
        tracked.tracker.run(tracked.experiment, "gone", {}, {}, run_id="0123456789abcdef0123456789abcdef"),
    ):
        pass
    with tracked.tracker.run(tracked.experiment, "here", {}, {}) as run:
        pass
    with (
        pytest.raises(NotFound, match=run.id),
        tracked.tracker.run(f"{tracked.experiment}-other", "here", {}, {}, run_id=run.id),
    ):
        pass


def test_a_step_below_0_and_an_experiment_without_a_name_are_refused(tracked):
    with tracked.tracker.run(tracked.experiment, "steps", {}, {}) as run:
        with pytest.raises(BadInput, match="step -1"):
            run.metrics({"loss": 1.0}, step=-1)
        with pytest.raises(BadInput, match="step -2"):
            run.curve([(0, {"loss": 1.0}), (-2, {"loss": 1.0})])
    assert tracked.look(tracked.experiment, run.id).figures == {}
    with pytest.raises(BadInput), tracked.tracker.run("", "no name", {}, {}):
        pass


def test_any_thread_may_tell_a_run(tracked):
    with tracked.tracker.run(tracked.experiment, "threads", {}, {}) as run, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda step: run.metrics({f"of {step % 4}": float(step)}, step), range(40)))
    figures = tracked.look(tracked.experiment, run.id).figures
    assert {name: sorted(points) for name, points in figures.items()} == {
        f"of {part}": [(step, float(step)) for step in range(part, 40, 4)] for part in range(4)
    }


def test_those_who_go_on_with_a_run_side_by_side_lose_nothing_of_each_other(tracked):
    def goes_on(tags):
        return tracked.tracker.run(tracked.experiment, "", {}, tags, run_id=run.id)

    with tracked.tracker.run(tracked.experiment, "two gates", {"seed": "1"}, {}) as run:
        pass
    with goes_on({"gate_sentences": "pass"}) as outer:
        with goes_on({"gate_words": "stop"}) as inner:
            inner.curve([(1, {"words/loss": 0.5})])
        outer.curve([(1, {"sentences/loss": 0.25})])
    told = tracked.look(tracked.experiment, run.id)
    assert (told.status, told.parameters) == ("finished", {"seed": "1"})
    assert told.tags == {"gate_sentences": "pass", "gate_words": "stop"}
    assert told.figures == {"words/loss": [(1, 0.5)], "sentences/loss": [(1, 0.25)]}


def test_many_at_once_lose_nothing(tracked):
    def goes_on(n):
        with tracked.tracker.run(tracked.experiment, "", {}, {f"tag{n}": str(n)}, run_id=run.id) as own:
            own.curve([(step, {f"loss{n}": float(step)}) for step in range(20)])

    with tracked.tracker.run(tracked.experiment, "many", {}, {}) as run:
        pass
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(goes_on, range(16)))
    told = tracked.look(tracked.experiment, run.id)
    assert told.tags == {f"tag{n}": str(n) for n in range(16)}
    assert {name: sorted(points) for name, points in told.figures.items()} == {
        f"loss{n}": [(step, float(step)) for step in range(20)] for n in range(16)
    }


def _look_in(folder: Path, experiment: str, run_id: str) -> Told:
    run = folder / experiment / run_id
    about = json.loads((run / "run.json").read_text())
    figures: dict[str, list[tuple[int, float]]] = {}
    for step, values in points_of(run):
        for name, value in values.items():
            figures.setdefault(name, []).append((step, value))
    files = run / "files"
    held = {path.relative_to(files).as_posix(): path.read_bytes() for path in files.rglob("*") if path.is_file()}
    return Told(about["status"], about["parameters"], about["tags"], figures, held)


def _look_on(server: MlflowServer, _: str, run_id: str) -> Told:
    run = server.client.get_run(run_id)
    figures = {
        name: [(held.step, held.value) for held in server.client.get_metric_history(run_id, name)]
        for name in run.data.metrics
    }
    with TemporaryDirectory() as folder:
        files = Path(server.client.download_artifacts(run_id, "", folder))
        held = {path.relative_to(files).as_posix(): path.read_bytes() for path in files.rglob("*") if path.is_file()}
    tags = {name: value for name, value in run.data.tags.items() if not name.startswith("mlflow.")}
    return Told(run.info.status.lower(), run.data.params, tags, figures, held)
