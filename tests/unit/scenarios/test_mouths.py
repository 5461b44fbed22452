"""The watcher's stand-in gives stored mouths, and refuses what names none."""

import json

import pytest

from lipsol.errors import BadInput
from tests.scenarios.mouths import SHORT, StoredWatcher, clip_bytes
from tests.services_made import QUALITY, mouth_of


@pytest.fixture
def watcher(tmp_path):
    for number in range(2):
        (tmp_path / f"{number}.npz").write_bytes(mouth_of(number, frames=40).to_bytes())
        (tmp_path / f"{number}.json").write_text(json.dumps(QUALITY.as_dict()))
    return StoredWatcher(tmp_path)


def test_mouths_are_counted_round_and_most_are_cut_short(watcher):
    whole, short = (watcher.watch(clip_bytes(number, "salt")).mouth for number in (4, 3))
    assert (len(whole), len(short)) == (40, SHORT)
    assert (whole.mouth == mouth_of(0, frames=40).mouth).all()
    assert (short.mouth == mouth_of(1, frames=40).cut(8, 8 + SHORT).mouth).all()


def test_what_names_no_mouth_is_refused(watcher):
    with pytest.raises(BadInput):
        watcher.watch(b"a video")
