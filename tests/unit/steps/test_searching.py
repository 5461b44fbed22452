"""The steps of a search: what is found for one data set is never given as another's."""

import pytest

from lipsol.data.dataset import Dataset, Item, save
from lipsol.steps import searching
from lipsol.tuning import study

COST = {"storage": "", "epochs": 4, "limit": 0, "seed": 1}


@pytest.fixture
def learnt(tmp_path, monkeypatch):
    """The data sets that trials were trained on; who learns from "easy" gets few words wrong."""
    monkeypatch.setenv("LIPSOL_TRACKING__FOLDER", str(tmp_path / "runs"))
    found = []

    class Near(study.Near):
        def __call__(self, *_):
            found.append(self.data.name)
            return 0.1 if self.data.name == "easy" else 0.9

    monkeypatch.setattr(study, "Near", Near)
    return found


def _data(folder):
    folder.mkdir()
    (folder / "a.mp4").write_bytes(folder.name.encode())
    item = Item(folder / "a.mp4", "s1", (), "train", "bin blue at a one now")
    save(
        Dataset("few", "en", "grid", ("s1",), (item,), "", "", "", "", "", synthetic=False, folder=folder),
        folder,
        copy=False,
    )
    return str(folder)


def _tuned(data, tmp_path, version, **cost):
    how = {**COST, **cost, "work": str(tmp_path)}
    of = {"study": "tune", "data_version": version, "code": "c1"}
    while given := searching.ask(**of, **how, at_once=2, trials=2):
        for trial in given:
            searching.try_out(trial, data=data, **how)
        assert searching.tell(given, data=data, **how) == len(given)
    return searching.best(**of, **how, data=data, plan=str(tmp_path / "plan"), report=str(tmp_path / "report"))


def test_a_search_on_other_data_or_at_another_cost_begins_anew_and_the_same_one_goes_on(learnt, tmp_path):
    easy, hard = _data(tmp_path / "easy"), _data(tmp_path / "hard")
    assert (_tuned(easy, tmp_path, "v1"), len(learnt)) == (0.1, 4)
    assert (_tuned(hard, tmp_path, "v2"), learnt[4:]) == (0.9, ["hard"] * 4)
    assert (_tuned(easy, tmp_path, "v1"), len(learnt)) == (0.1, 8)
    assert (_tuned(easy, tmp_path, "v1", epochs=5), len(learnt)) == (0.1, 12)
