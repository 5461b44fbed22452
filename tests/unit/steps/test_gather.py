"""What corrections teach is gathered for a run: beside the data set's own clips, and no longer than it is needed."""

import hashlib

import pytest

from lipsol.data.corrections import Correction, contributor_of
from lipsol.data.dataset import Dataset, Item, open_dataset, save
from lipsol.steps.daily import gathered
from lipsol.store.corrections import Corrections
from lipsol.store.local import LocalStore
from tests.services_made import mouth_of
from tests.unit.data.mouths_made import Here

SAID, FRAMES = "bin blue at f two now", 30


@pytest.fixture
def held(tmp_path, monkeypatch):
    monkeypatch.setattr("lipsol.data.mouths.ProcessPoolExecutor", Here)
    return Corrections(LocalStore(tmp_path / "store"))


@pytest.fixture
def data(tmp_path):
    """A data set of one mouth."""
    clip = tmp_path / "own.npz"
    clip.write_bytes(mouth_of(1, FRAMES).to_bytes())
    item = Item(clip, "s1", (), "test", SAID)
    save(Dataset("few", "en", "grid", ("s1",), (item,), "", "", "", "", "", False, tmp_path / "few"), tmp_path / "few",
         copy=False)  # fmt: skip
    return str(tmp_path / "few")


@pytest.fixture
def gather(held, data, tmp_path):
    """One run's gathering; gives the folder and the ids of the clips in it."""

    def run():
        out = gathered(held, data, "one", str(tmp_path / "work"))
        return out, [item.id for item in open_dataset(tmp_path / "work" / out).items]

    return run


def correct(held, clip_id, seed, session="", language="en"):
    mouth = mouth_of(seed, FRAMES).to_bytes()
    name, digest = contributor_of(session, clip_id), hashlib.sha256(mouth).hexdigest()
    held.keep(Correction(clip_id, f"f-{clip_id}", SAID, language, name, "a" * 64, "", "1", float(seed), digest), mouth)


def test_without_corrections_it_is_the_data_itself(held, data, gather):
    correct(held, "other", 2, language="ur")
    assert gather() == (data, ["own"])


def test_corrections_are_gathered_beside_the_data_sets_own_clips_and_those_it_has_are_not(
    held, data, gather, tmp_path, capsys
):
    correct(held, "new", 2)
    correct(held, "sample", 1)
    out, clips = gather()
    assert clips == ["own", "new"]
    assert [path.stem for path in (tmp_path / "work" / "gathered").rglob("*.npz")] == ["new"]
    assert "the data set has this film of its own" in capsys.readouterr().out
    assert gather() == (out, clips)
    assert "left_out" not in capsys.readouterr().out, "the same corrections are not collected again"


def test_a_gathering_that_was_killed_is_done_again(held, gather, tmp_path):
    correct(held, "new", 2)
    out, clips = gather()
    (tmp_path / "work" / out / "dataset.json").unlink()
    assert gather() == (out, clips)


def test_mouths_of_earlier_runs_go_with_the_next_one(held, data, gather, tmp_path):
    correct(held, "first", 2)
    gather()
    correct(held, "second", 3)
    held.withdraw("first")
    assert gather()[1] == ["own", "second"]
    assert [path.stem for path in (tmp_path / "work" / "gathered").rglob("*.npz")] == ["second"]
    held.withdraw("second")
    assert gather() == (data, ["own"])
    assert not list((tmp_path / "work" / "gathered").rglob("*.npz"))
