"""What steps keep, name and tell: equal askings meet, a changed byte does not, and no curve is lost."""

import threading
import time
from dataclasses import replace

import pytest

from lipsol import versions
from lipsol.data.dataset import Dataset, Item, open_dataset, save
from lipsol.errors import BadInput, NotFound, Transient
from lipsol.runtime.settings import DataSettings
from lipsol.steps.learning import SEND_S, Asked, Live, watch
from lipsol.steps.saying import SAID, say
from lipsol.steps.tracked import begin, going_on
from lipsol.steps.versions import bring, code_of, version_code, version_data
from lipsol.steps.work import alone, kept
from tests.services_made import mouth_of
from tests.unit.data.mouths_made import Here

PATIENCE_S = 60.0  # on a busy machine
ASKED = {"plan": "brief", "rules": "brief", "seed": 1, "limit": 0, "spoil": ""}


@pytest.fixture
def data(tmp_path):
    """A data set of one clip that is no video."""
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"frames")
    item = Item(clip, "s1", (), "train", "bin blue at a one now")
    made = Dataset("few", "en", "grid", ("s1",), (item,), "", "", "", "", "", synthetic=False, folder=tmp_path / "few")
    save(made, tmp_path / "few", copy=False)
    return tmp_path / "few"


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    """Where tracked runs go."""
    monkeypatch.setenv("LIPSOL_TRACKING__FOLDER", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_every_line_for_a_person_is_marked(capsys):
    say("one\ntwo")
    assert capsys.readouterr().out == f"{SAID}one\n{SAID}two\n"


def test_data_is_brought_once_by_its_revision_and_a_folder_is_where_it_is(data, tmp_path, monkeypatch):
    remote = DataSettings(remote=str(tmp_path / "remote"))
    monkeypatch.setenv("LIPSOL_DATA__REMOTE", remote.remote)
    save(open_dataset(data), tmp_path / "whole", copy=True)
    named = f"few@{versions.keep(tmp_path / 'whole', remote).rev}"
    assert bring(str(data), str(tmp_path / "work")) == str(data)
    brought = bring(named, str(tmp_path / "work"))
    assert brought == str(tmp_path / "work" / "data" / named) == bring(named, str(tmp_path / "work"))
    assert version_data(brought) == version_data(str(tmp_path / "whole"))
    with pytest.raises(NotFound):
        bring("few@0123456789ab", str(tmp_path / "work"))


def test_clips_are_watched_and_those_that_no_mouth_is_in_are_left_out(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lipsol.data.mouths.ProcessPoolExecutor", Here)
    work = str(tmp_path / "work")
    with pytest.raises(BadInput, match="none of the 1 clips"):
        watch(str(data), work, 0)
    whole, mouth = open_dataset(data), tmp_path / "b.npz"
    mouth.write_bytes(mouth_of(1, 30).to_bytes())
    items = (*whole.items, replace(whole.items[0], path=mouth))
    save(replace(whole, items=items), data, copy=False)
    assert watch(str(data), work, 0) == 1
    said = capsys.readouterr().out
    assert "left out s1_a" in said and "1 of 2 clips can be read" in said


def test_one_changed_byte_or_label_is_another_version_of_the_data(data):
    first = version_data(str(data))
    (data.parent / "a.mp4").write_bytes(b"other!")
    second = version_data(str(data))
    manifest = data / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("one now", "two now"))
    assert len({first, second, version_data(str(data))}) == 3


def test_a_changed_file_or_library_is_another_version_of_the_code(tmp_path):
    (tmp_path / "a.py").write_text("one")
    first = code_of(tmp_path, {"numpy": "2.4"})
    assert first == code_of(tmp_path, {"numpy": "2.4"}) != code_of(tmp_path, {"numpy": "2.5"})
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("made")
    assert code_of(tmp_path, {"numpy": "2.4"}) == first
    (tmp_path / "a.py").write_text("two")
    assert code_of(tmp_path, {"numpy": "2.4"}) != first
    assert version_code() == version_code()


def test_the_same_asking_is_the_same_tracked_run_and_another_is_another(data, tmp_path):
    work = str(tmp_path / "work")
    first = begin(str(data), "d1", "c1", work, **ASKED)
    assert begin(str(data), "d1", "c1", work, **ASKED) == first
    assert begin(str(data), "d2", "c1", work, **ASKED) != first
    assert begin(str(data), "d1", "c1", work, **{**ASKED, "spoil": "shuffled labels"}) != first


def test_a_tracker_that_forgot_the_run_is_told_of_a_new_one(data, tmp_path, runs):
    work = str(tmp_path / "work")
    first = begin(str(data), "d1", "c1", work, **ASKED)
    runs.rename(tmp_path / "gone")
    second = begin(str(data), "d1", "c1", work, **ASKED)
    assert second != first
    with going_on(second) as run:
        assert run.id == second


def test_a_second_training_waits_for_the_first_one_in_its_folder(tmp_path, capsys):
    order = []

    def second():
        with alone(tmp_path / "members"):
            order.append("second")

    with alone(tmp_path / "members"):
        waiting = threading.Thread(target=second)
        waiting.start()
        until = time.monotonic() + PATIENCE_S
        while "waiting for it" not in capsys.readouterr().out:
            assert waiting.is_alive() and time.monotonic() < until
            time.sleep(0.01)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_equal_keys_are_one_place_and_others_another(tmp_path):
    assert kept(str(tmp_path), "begun", {"a": 1, "b": 2}) == kept(str(tmp_path), "begun", {"b": 2, "a": 1})
    assert kept(str(tmp_path), "begun", 1, 2) != kept(str(tmp_path), "begun", 2, 1)


class Run:
    """A tracked run that is away for a while, written by hand."""

    id, url = "run", "here"

    def __init__(self):
        self.away, self.points = False, []

    def metrics(self, values, step=0):
        self.points.append((step, values))

    def file(self, path, folder=""):
        """Not asked for."""

    def curve(self, points):
        if self.away:
            raise Transient("away")
        self.points += points


def test_curves_are_sent_now_and_then_and_those_that_met_no_tracker_go_with_the_next(clock):
    run = Run()
    live = Live(run, clock.now)
    line = {"part": "sentences", "loss": 2.0, "name": "no figure"}
    live.hear("near", {"step": 1, **line})
    assert not run.points
    clock.advance(SEND_S)
    run.away = True
    live.hear("near", {"step": 2, **line})
    clock.advance(SEND_S)
    run.away = False
    live.hear("near", {"step": 3, **line})
    assert run.points == [(step, {"near/sentences/loss": 2.0}) for step in (1, 2, 3)]


def test_a_spoil_that_is_none_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match="shuffled labels"):
        Asked("data", "d", "c", "brief", 1, 0, "suffled").job(str(tmp_path), tmp_path)
