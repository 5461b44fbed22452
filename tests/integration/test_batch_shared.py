"""Batches, dead letters and stories over a real Kafka and a bucket, by the operator's own connections."""

import json
import time
import uuid
from contextlib import contextmanager

import pytest

from lipsol.bus.port import Outgoing
from lipsol.runtime.envelope import unwrap
from lipsol.runtime.settings import BusSettings
from lipsol.runtime.wiring import kafka_link, open_bus, open_objects
from lipsol.topics import CLIPS, STABLE_MOUTHS
from services.cli.batch import Place, SubmitOptions, run_status, run_submit
from services.operating.letters import Wanted
from services.operating.operations import Operations
from services.preprocess.keeping import Keeper
from tests.s3_made import buckets_of
from tests.services_made import SAID


@pytest.fixture
def kafka_settings(kafka, made):
    """The platform's settings, over a Kafka with a prefix of its own."""
    from lipsol.bus.kafka import create_topics

    bus = BusSettings(kind="kafka", servers=kafka, prefix=f"g{uuid.uuid4().hex[:10]}.")
    made.settings = made.settings.model_copy(update={"bus": bus})
    create_topics(kafka_link(made.settings))
    return made.settings


@pytest.fixture
def operator(kafka_settings, made):
    """The operator's own connection to a platform that reads over Kafka."""
    with made.open() as platform:
        bus = open_bus(kafka_settings)
        yield Operations(bus, platform.store)
        bus.close()


def place_of(operator, settings):
    """The seam of `run_submit`."""

    @contextmanager
    def opened():
        objects = open_objects(settings, operator.store)
        yield Place(operator.bus, operator.store, objects, Keeper(operator.store, 86400.0), "en", True)

    return opened


def results_of(operator):
    @contextmanager
    def opened():
        yield operator.store, Keeper(operator.store, 86400.0)

    return opened


@pytest.fixture
def folder(tmp_path):
    """Thirty clips, one of them of no use."""
    clips = tmp_path / "clips"
    clips.mkdir()
    for n in range(30):
        (clips / f"{n:02}.mp4").write_bytes(b"bad" if n == 7 else b"clip" + bytes([n]))
    return clips


def eventually(look, at_most_s=120.0):
    """What `look` gives once it gives something."""
    until = time.monotonic() + at_most_s
    while not (found := look()) and time.monotonic() < until:
        time.sleep(0.1)
    assert found
    return found


def test_a_batch_goes_over_kafka_and_is_followed_from_elsewhere(operator, kafka_settings, folder, tmp_path, capsys):
    place, results = place_of(operator, kafka_settings), results_of(operator)
    assert run_submit(SubmitOptions(str(folder), "b1", wait=False), place) == 0
    assert "30 clips sent, 0 on their way already" in capsys.readouterr().out
    assert run_submit(SubmitOptions(str(folder), "b1", wait=False), place) == 0
    assert "0 clips sent, 30 on their way already" in capsys.readouterr().out
    report = tmp_path / "report.jsonl"
    assert run_status("b1", wait=True, report=report, as_json=True, results=results) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["clips"], told["read"], told["failed"], told["done"]) == (30, 29, 1, True)
    rows = {row["path"]: row for row in map(json.loads, report.read_text().splitlines())}
    assert (rows["00.mp4"]["text"], rows["07.mp4"]["state"]) == (SAID, "failed")
    assert len(list(operator.bus.replay([CLIPS.name]))) == 30
    story = operator.story(rows["00.mp4"]["clip_id"])
    assert [step.what for step in story.steps] == ["ClipReceived", "MouthReady", "PredictionMade"]
    assert len(story.traces) == 1


def test_a_video_that_went_missing_is_a_dead_letter_and_its_replay_reads_it(operator, kafka_settings, folder, made):
    made.watcher.hold.clear()  # the one thread that fetches stands still at the first clip
    run_submit(SubmitOptions(str(folder), "b1", wait=False), place_of(operator, kafka_settings))
    keeper = Keeper(operator.store, 86400.0)
    events = [unwrap(message) for message in operator.bus.replay([CLIPS.name])]
    taken = eventually(lambda: made.watcher.watched)
    assert taken <= 2
    lost = {event.clip_id: operator.store.get(event.source) for event in events if operator.store.exists(event.source)}
    for event in events:
        operator.store.delete(event.source)
    made.watcher.hold.set()
    letters = eventually(lambda: len(found := operator.letters(Wanted())) >= len(events) - 2 and found)
    assert {(letter.kind, letter.stage.rpartition("-2")[0] or letter.stage) for letter in letters} == {
        ("bad-input", "preprocess-batch")
    }
    some = next(letter for letter in letters if lost[letter.clip_id] != b"bad")
    eventually(lambda: keeper.result(some.clip_id).state == "failed")
    event = next(event for event in events if event.clip_id == some.clip_id)
    operator.store.put(event.source, lost[event.clip_id])
    operator.replay(some.id, by="ann")
    eventually(lambda: keeper.result(some.clip_id).state == "read")
    story = operator.story(some.clip_id)
    assert [step.what for step in story.steps] == [
        "ClipReceived", "DeadLetter", "ClipReceived", "MouthReady", "PredictionMade",
    ]  # fmt: skip
    assert [bool(step.replay_of) for step in story.steps] == [False, False, True, False, False]


def test_poison_of_any_kind_is_listed_shown_and_can_be_mended(operator):
    poison = {"bytes": b"\xff\xfe\x00", "empty": b"", "text": b"hello", "json": b'{"clip_id": "x"}'}
    for key, value in poison.items():
        operator.bus.publish_all([Outgoing(STABLE_MOUTHS.name, key, value)])
    letters = eventually(lambda: len(found := operator.letters(Wanted())) == len(poison) and found)
    assert {letter.key for letter in letters} == set(poison)
    for letter in letters:
        opened = operator.letter(letter.id)
        assert opened.event is None
        assert opened.fault
        assert letter.reason
    operator.replay(letters[0].id, by="ann")
    eventually(lambda: len(operator.letters(Wanted())) == len(poison) + 1)


def test_what_lies_in_a_bucket_is_read_where_it_lies(s3, made, capsys):
    bucket = f"videos-{uuid.uuid4().hex[:8]}"
    s3.make_bucket(bucket)
    for name in ("a/1.mp4", "a/2.mp4", "a/notes.txt", "b/3.mp4"):
        buckets_of(s3).put(bucket, name, name.encode(), {})
    store = made.settings.store.model_copy(update={"endpoint": s3.uri, "readable": bucket})
    made.settings = made.settings.model_copy(update={"store": store})
    with made.open() as platform:
        place = place_of(Operations(platform.bus, platform.store), made.settings)
        assert run_submit(SubmitOptions(f"s3://{bucket}/a/", "b1", as_json=True), place) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["clips"], told["read"]) == (2, 2)
        names = sorted(unwrap(message).name for message in platform.bus.replay([CLIPS.name]))
        assert names == [f"s3://{bucket}/a/1.mp4", f"s3://{bucket}/a/2.mp4"]
    assert buckets_of(s3).read(bucket, "a/1.mp4", 100) == b"a/1.mp4"
