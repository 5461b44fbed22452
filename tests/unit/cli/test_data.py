"""`lipsol data check` and `lipsol data import`, as they are typed."""

import json

import pytest

from lipsol.data.dataset import MANIFEST, open_dataset, save
from services.cli import main
from tests.unit.data.mouths_made import dataset


@pytest.fixture
def folder(tmp_path):
    """A small data set of three clips."""
    (tmp_path / "clips").mkdir()
    save(dataset(tmp_path / "clips", clips=3, speakers=1), tmp_path / "data", copy=False)
    return tmp_path / "data"


def test_data_are_checked_told_of_and_refused_by_the_exit_code(folder, tmp_path, capsys):
    call = ["data", "check", str(folder / MANIFEST), "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert main([*call, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "pass"
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text().replace(",unseen,", ",unseeing,", 1))
    assert main(call) == 2
    told = capsys.readouterr()
    assert "error rows: 1 of 3 clips: row 2" in told.out and "report.html shows it" in told.err


def test_what_is_not_there_is_told_with_a_cure(tmp_path, capsys):
    assert main(["data", "check", str(tmp_path / "nowhere")]) == 2
    assert "nowhere is not here; name a data set's folder" in capsys.readouterr().err


def test_a_source_is_written_as_a_data_set_with_its_clips(folder, tmp_path, capsys):
    assert main(["data", "import", str(folder), "--out", str(tmp_path / "mine"), "--copy"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "mine" / MANIFEST)
    assert open_dataset(tmp_path / "mine").version() == open_dataset(folder).version()
    assert len(list((tmp_path / "mine" / "clips").rglob("*.npz"))) == 3
