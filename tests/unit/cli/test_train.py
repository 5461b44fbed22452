import pytest
from click.testing import CliRunner

from lipsol.errors import BadInput, LipsolError
from services.cli import train
from services.cli.app import lipsol


def test_training_without_its_extra_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "NEEDED", ("torch_that_nobody_has",))
    with pytest.raises(LipsolError) as told:
        train.run(train.TrainOptions(tmp_path, tmp_path, tmp_path))
    assert "torch_that_nobody_has" in told.value.detail
    assert "train" in told.value.cure


def test_training_without_clips_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "NEEDED", ())
    with pytest.raises(BadInput, match="nowhere"):
        train.run(train.TrainOptions(tmp_path / "nowhere", tmp_path, tmp_path))


@pytest.mark.parametrize(("told", "precision"), [((), None), (("--precision", "single"), "single")])
def test_without_a_precision_the_device_decides(monkeypatch, told, precision):
    asked = []
    monkeypatch.setattr(train, "run", lambda options: asked.append(options) or 0)
    CliRunner().invoke(lipsol, ["train", *told])
    assert asked[0].precision == precision
