"""Daily trains for new data, enough corrections or a request; what it answered is past, and what it did not stays."""

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.data.corrections import Correction
from lipsol.data.dataset import Dataset, Item, save
from lipsol.errors import BadInput
from lipsol.events import ActionTaken, to_bytes
from lipsol.steps.daily import Asking, Seen, look, looked, remember, remembered
from lipsol.store.corrections import Corrections
from lipsol.store.local import LocalStore
from lipsol.topics import ACTIONS

SOON_S = 0.01  # that a queue in memory is listened to
GRID, URDU = Asking("grid", "en"), Asking("urdu-synthetic", "ur")


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path)


@pytest.fixture
def bus():
    with_all = MemoryBus()
    yield with_all
    with_all.close()


@pytest.fixture
def ran(store, bus):
    """A run that went through: data "one", no corrections, nobody who asked."""
    looked(store, bus, GRID, "one", 50, SOON_S)
    remembered(store, GRID)


def corrected(store, clips, language="en"):
    for n in clips:
        told = Correction(f"clip{n}", f"f{n}", "bin blue", language, "c1", "", "", "w1", 1.0, "")
        store.put(f"corrections/{told.clip_id}/{told.feedback_id}.json", told.to_json())


def acts(bus, name, kind="retrain", *, done=True, language="en"):
    why = "a new kind of speaker: face of 200 clips"
    event = ActionTaken(name, kind, "act", done, why, f"of-{name}", "a" * 64, "stable", language, "monitor", 3.0)
    bus.publish(ACTIONS.name, event.key, to_bytes(event))


def test_the_first_run_trains(store, bus):
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "train"


def test_with_nothing_new_it_does_nothing_and_says_so(store, bus, ran, capsys):
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "nothing"
    assert "nothing new since the last run" in capsys.readouterr().out


def test_new_data_is_a_reason(store, bus, ran, capsys):
    assert looked(store, bus, GRID, "two", 50, SOON_S) == "train"
    assert "new data: two, and one last time" in capsys.readouterr().out


@pytest.mark.parametrize(("new", "said"), [(49, "nothing"), (50, "train")])
def test_fifty_new_corrections_are_a_reason_and_fewer_are_none(store, bus, ran, new, said):
    corrected(store, range(new))
    assert [*Corrections(store).all()]
    assert looked(store, bus, GRID, "one", 50, SOON_S) == said


def test_corrections_that_a_run_saw_are_new_no_more(store, bus, ran):
    corrected(store, range(60))
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "train"
    remembered(store, GRID)
    corrected(store, range(60, 80))
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "nothing"


def test_a_request_is_a_reason_until_a_run_has_answered_it(store, bus, ran, capsys):
    acts(bus, "one")
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "train"
    assert "monitor asked for it, for stable aaaaaaaaaaaa: a new kind of speaker" in capsys.readouterr().out
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "train", "the run died: nobody remembered"
    remembered(store, GRID)
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "nothing"


@pytest.mark.parametrize(
    ("kind", "done"), [("retrain", False), ("tell-users", True), ("abort-canary", True), ("accept", True)]
)
def test_what_is_only_proposed_and_what_asks_for_something_else_is_none(store, bus, ran, kind, done):
    acts(bus, "one", kind, done=done)
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "nothing"


def test_an_action_that_nobody_can_read_is_a_reason_rather_than_a_loss(store, bus, ran, capsys):
    bus.publish(ACTIONS.name, "a" * 64, b"\xff\xff")
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "train"
    assert "an action that can't be read" in capsys.readouterr().out


def test_a_request_that_comes_while_it_trains_is_the_next_runs_reason(store, bus, ran):
    acts(bus, "before")
    looked(store, bus, GRID, "one", 50, SOON_S)
    acts(bus, "meanwhile")
    remembered(store, GRID)
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "train"


def test_two_data_sets_with_one_store_remember_each_for_itself(store, bus):
    both = {GRID: "v-grid", URDU: "v-urdu"}
    for day in range(3):
        for asking, version in both.items():
            assert looked(store, bus, asking, version, 50, SOON_S) == ("nothing" if day else "train")
            remembered(store, asking)


def test_corrections_in_another_language_are_no_reason(store, bus, ran):
    corrected(store, range(60), "ur")
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "nothing"


def test_a_request_is_answered_by_each_data_set_of_its_language_and_by_no_other(store, bus, ran):
    looked(store, bus, URDU, "v-urdu", 50, SOON_S)
    remembered(store, URDU)
    acts(bus, "in-urdu", language="ur")
    acts(bus, "for-all", language="")
    for asking, version in ((GRID, "one"), (URDU, "v-urdu")):
        assert looked(store, bus, asking, version, 50, SOON_S) == "train"
        remembered(store, asking)
        assert looked(store, bus, asking, version, 50, SOON_S) == "nothing"
    acts(bus, "later-in-urdu", language="ur")
    assert looked(store, bus, GRID, "one", 50, SOON_S) == "nothing"
    assert looked(store, bus, URDU, "v-urdu", 50, SOON_S) == "train"


def test_a_training_that_the_gate_stopped_is_an_answer_and_its_verdict_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LIPSOL_STORE__FOLDER", str(tmp_path / "store"))
    folder = tmp_path / "data"
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"frames")
    items = (Item(clip, "s1", (), "train", "bin blue at a one now"),)
    made = Dataset("few", "en", "grid", ("s1",), items, "", "", "", "", "", synthetic=False, folder=folder)
    save(made, folder, copy=False)
    data = str(folder)
    assert look(data, "one", 50) == "train"
    remember(data, "stop", "stop")
    assert "sentences stop, words stop" in capsys.readouterr().out
    assert look(data, "one", 50) == "nothing"


def test_what_is_remembered_comes_back_as_it_was_and_nonsense_names_the_cure():
    seen = Seen("one", frozenset({"b", "a"}), frozenset({"c"}))
    assert Seen.from_json(seen.to_json()) == seen
    for torn in (b"", b"{}", b"[]", b'{"data_version": "one", "corrections": [], "asked": 1}'):
        with pytest.raises(BadInput, match="delete it"):
            Seen.from_json(torn)


def test_a_store_that_ends_with_the_process_can_remember_nothing(monkeypatch):
    monkeypatch.delenv("LIPSOL_STORE__FOLDER", raising=False)
    with pytest.raises(BadInput, match="LIPSOL_STORE__FOLDER"):
        look("data", "one", 50)
