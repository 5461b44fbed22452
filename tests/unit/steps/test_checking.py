"""The check step: what passed is compared with, also when its clips are gone or were changed in place."""

from dataclasses import replace

import numpy as np
import pytest

from lipsol.clips.clip import MouthClip
from lipsol.data.dataset import save
from lipsol.steps.checking import check
from tests.unit.data.mouths_made import Here, dataset

CLIPS = 22  # of 20 a distribution can be told


@pytest.fixture
def made(tmp_path):
    """A data set of one speaker."""
    (tmp_path / "data").mkdir()
    whole = dataset(tmp_path / "data", clips=CLIPS, speakers=1)
    save(whole, whole.folder, copy=False)
    return whole


def test_what_passed_is_compared_with_though_clips_were_changed_in_place_or_taken_out(
    made, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("lipsol.data.mouths.ProcessPoolExecutor", Here)

    def checked(version):
        check(str(made.folder), version, str(tmp_path / "work"), 0, str(tmp_path / "page.html"))
        return "warning shift: brightness" in capsys.readouterr().out

    assert not checked("first")
    for item in made.items:
        clip = MouthClip.from_bytes(item.path.read_bytes())
        darker = replace(clip, mouth=(clip.mouth * 0.7).astype(np.uint8))
        item.path.write_bytes(darker.to_bytes())
    made.items[-1].path.unlink()
    save(replace(made, items=made.items[:-1]), made.folder, copy=False)
    assert checked("second")
    assert not checked("second"), "it is compared with itself by nobody"
