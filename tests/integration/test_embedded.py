"""The whole platform in one process, without a door."""

import threading
import time

import pytest

from lipsol.errors import BadInput, LipsolError, ModelError, NotFound, Transient
from lipsol.store.local import LocalStore
from services.preprocess.results import Result
from tests.services_made import SAID, MadeRegistry, clip, served, settings_of


def files(folder):
    """Every file in a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_clip_is_read_and_nothing_of_it_stays(platform, tmp_path):
    result = platform.read(b"a clip", grammar="none")
    assert (result.state, result.text, result.grammar) == ("read", SAID, None)
    assert files(tmp_path / "store") == []


def test_what_is_wrong_is_raised(platform, made):
    with pytest.raises(BadInput, match="no face"):
        platform.read(b"bad clip")
    with pytest.raises(NotFound, match="grid-sentences"):
        platform.read(b"a clip", model="other")
    made.reader.fault = ModelError("the network is broken")
    with pytest.raises(ModelError, match="network"):
        platform.read(b"a clip")
    assert platform.ready()


def test_many_are_read_in_their_order_and_a_bad_one_takes_no_other_with_it(platform, tmp_path):
    clips = [b"bad" if n % 5 == 3 else b"x" * (n + 1) for n in range(40)]
    outcomes = list(platform.read_many(clips))
    assert [isinstance(each, BadInput) for each in outcomes] == [clip == b"bad" for clip in clips]
    assert all(each.text == SAID for each in outcomes if isinstance(each, Result))
    assert not [each for each in outcomes if isinstance(each, LipsolError) and not isinstance(each, BadInput)]
    assert files(tmp_path / "store") == []


def test_what_waits_is_read_in_batches(platform, made):
    made.reader.hold.clear()
    reading = threading.Thread(target=lambda: list(platform.read_many([b"x"] * 9)))
    reading.start()
    while made.watcher.watched < 9:
        time.sleep(0.01)
    made.reader.hold.set()
    reading.join()
    assert sum(made.reader.batches) == 9
    assert max(made.reader.batches) > 1


def test_clips_are_asked_for_only_as_there_is_room(platform, made):
    asked = []

    def clips():
        for n in range(30):
            asked.append(n)
            yield b"x"

    outcomes = platform.read_many(clips())
    next(outcomes)
    assert len(asked) <= platform.edge.pool.workers + platform.settings.inference.batch
    assert len(list(outcomes)) == 29


def test_leaving_waits_for_what_was_taken(made):
    made.reader.hold.clear()
    with made.open() as platform:
        answered = []
        reader = threading.Thread(target=lambda: answered.append(platform.read(b"a clip")))
        reader.start()
        while not made.reader.batches:
            time.sleep(0.01)
        threading.Timer(0.2, made.reader.hold.set).start()
    reader.join(60)
    assert [result.text for result in answered] == [SAID]


def test_the_store_of_a_platform_that_named_none_is_gone_when_it_ends(made, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    made.settings = made.settings.model_copy(update={"store": made.settings.store.model_copy(update={"folder": None})})
    with made.open() as platform:
        platform.read(b"a clip")
        assert list(tmp_path.glob("lipsol-*"))
    assert not list(tmp_path.glob("lipsol-*"))


def test_a_platform_without_models_does_not_start(made):
    made.registry = MadeRegistry([])
    with pytest.raises(ModelError, match="no model"), made.open():
        pass


def test_no_thread_outlives_the_platform(made):
    before = set(threading.enumerate())
    with made.open() as platform:
        platform.read(b"a clip")
    for each in set(threading.enumerate()) - before:
        each.join(30.0)  # told to end it may do so a moment later
    assert set(threading.enumerate()) <= before


def test_settings_that_can_not_work_are_named_all_at_once(monkeypatch):
    from services.embedded import Embedded

    monkeypatch.setenv("LIPSOL_PREPROCESS__PORT", "70000")
    monkeypatch.setenv("LIPSOL_INFERENCE__BATCH", "0")
    with pytest.raises(BadInput) as refusal:
        Embedded()
    for variable in ("LIPSOL_PREPROCESS__PORT", "LIPSOL_INFERENCE__BATCH"):
        assert variable in str(refusal.value)


def test_memory_for_uploads_must_hold_one_clip(tmp_path):
    with pytest.raises(ValueError, match="memory_bytes"):
        settings_of(tmp_path, max_bytes=100, memory_bytes=99)


def test_of_a_caller_who_wants_no_more_nothing_is_kept(platform, tmp_path):
    outcomes = platform.read_many([b"x"] * 30)
    next(outcomes)
    outcomes.close()
    assert files(tmp_path / "store") == []


def test_a_reading_that_never_comes_is_given_up_and_forgotten(made, tmp_path):
    made.settings = settings_of(tmp_path, wait_s=0.1)
    made.reader.hold.clear()
    with made.open() as platform:
        with pytest.raises(Transient, match=r"0\.1 s"):
            platform.read(b"a clip")
        assert files(tmp_path / "store") == []
        made.reader.hold.set()
    assert files(tmp_path / "store") == []


def test_leaving_reads_what_clients_left_with_it(made):
    alone = made.settings.inference.model_copy(update={"batch": 1})
    made.settings = made.settings.model_copy(update={"inference": alone})
    made.reader.hold.clear()
    with made.open() as platform:
        with served(platform) as client:
            names = [client.post("/v1/clips", files=clip()).json()["clip_id"] for _ in range(3)]
        threading.Timer(0.2, made.reader.hold.set).start()
    kept = LocalStore(made.settings.store.folder)
    results = [Result.model_validate_json(kept.get(f"clips/{name}/result.json")) for name in names]
    assert [result.state for result in results] == ["read"] * 3
