import json
from contextlib import contextmanager

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import NotFound
from lipsol.runtime.envelope import Trace, wrap
from lipsol.store.local import LocalStore
from services.cli.explain import run
from services.operating.operations import Operations
from tests.services_made import SAID, prediction_of, ready_of

CLIP = "ab" * 16


@pytest.fixture
def platform(tmp_path):
    bus = MemoryBus()
    trace = Trace.new()
    bus.publish_all(
        [wrap(ready_of(CLIP), "preprocess", 1.0, trace), wrap(prediction_of(CLIP), "inference", 2.0, trace)]
    )

    @contextmanager
    def opened():
        yield Operations(bus, LocalStore(tmp_path))

    yield opened
    bus.close()


def told(platform, clip=CLIP, since="1d", *, words=False, as_json=False):
    return run(clip, since, words=words, as_json=as_json, platform=platform)


def test_a_story_has_who_when_track_model_and_timings_and_no_words(platform, capsys):
    assert told(platform) == 0
    said = capsys.readouterr().out
    for part in (CLIP, "preprocess", "inference", "track stable", "model grid-sentences 1", "decode 1.0 ms", "90 %"):
        assert part in said
    assert SAID not in said
    told(platform, words=True)
    assert SAID in capsys.readouterr().out


def test_a_story_as_json_is_one_object(platform, capsys):
    assert told(platform, as_json=True) == 0
    story = json.loads(capsys.readouterr().out)
    assert (story["clip_id"], len(story["traces"]), len(story["steps"])) == (CLIP, 1, 2)


def test_a_clip_that_nothing_tells_of_is_not_found(platform):
    with pytest.raises(NotFound):
        told(platform, "cd" * 16)
