"""What the monitor keeps and tells of clips with known words: no transcript, no right words, no clip, no picture."""

import base64
import binascii
import json
import re
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import structlog
from prometheus_client.openmetrics.exposition import generate_latest

from lipsol.clips.embedding import SIZE
from lipsol.drift.budget import BLOCK, Sensitivity
from lipsol.drift.detector import Detector
from lipsol.drift.features import Observation
from lipsol.drift.reference import Reference
from lipsol.events import StateKept
from lipsol.model.prediction import Alternative, Prediction, Word
from lipsol.reader import Bound, Heard
from lipsol.runtime.envelope import unwrap
from lipsol.topics import FEEDBACK, PREDICTIONS, WATCH
from services.embedded import Embedded
from services.monitor.groups import Groups
from services.monitor.settings import MonitorSettings
from services.monitor.state import HEAD
from tests.services_made import MadePlatform, MadeReader, clip, mouth_of, served, served_app

READ = "bin velvet at umbrella two now"
OTHER = "bin velvet at parasol two now"
SAID = ("crimson harpsichord at nine", "lay blue quicksilver by the abbey")
SECRETS = (READ, OTHER, *SAID, "velvet", "umbrella", "parasol", "crimson", "harpsichord", "quicksilver", "abbey")
ASKED = ("/v1/figures", "/v1/state", "/v1/windows", "/v1/actions", "/v1/alerts", "/v1/reports")
CLIPS = 30  # more than a block
TOLD_OF = 10
PATIENCE_S = 60.0


class Secretive(MadeReader):
    """Reads every mouth as words that no vocabulary holds."""

    def decode(self, heard: Heard, grammar: Bound) -> Prediction:
        told = super().decode(heard, grammar)
        words = tuple(Word(word, n * 0.1, n * 0.1 + 0.1, 0.9) for n, word in enumerate(READ.split()))
        return replace(told, text=READ, words=words, alternatives=(Alternative(OTHER, 0.05),))


@pytest.fixture
def made(made: MadePlatform) -> MadePlatform:
    """A platform that reads secrets, and keeps what its monitor knows all the time."""
    made.reader = Secretive()
    made.settings = made.settings.model_copy(update={"monitor": MonitorSettings(port=0, keep_s=0.05)})
    return made


def wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


def laid_open(data: bytes) -> Iterator[bytes]:
    """The bytes, and whatever is packed in them by zlib, base64 or both, wherever it begins."""
    yield data
    for packed in re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", data):
        try:
            yield from laid_open(base64.b64decode(packed, validate=True))
        except binascii.Error:
            continue
    for found in re.finditer(rb"x[\x01\x5e\x9c\xda]", data):
        try:
            yield from laid_open(zlib.decompressobj().decompress(data[found.start() :]))
        except zlib.error:
            continue


def betrayed(told: bytes, secrets: list[bytes]) -> list[bytes]:
    """Which of the secrets are in it."""
    opened = list(laid_open(told))
    return [secret for secret in secrets if any(secret in each for each in opened)]


def pixels() -> list[bytes]:
    """Rows of the pictures of every mouth that is sent."""
    return [bytes(mouth_of(n + 1).mouth[0, row]) for n in range(CLIPS) for row in (0, 48)]


def kept(platform: Embedded) -> list[StateKept]:
    told = [unwrap(message) for message in platform.bus.replay([WATCH.name])]
    return [event for event in told if isinstance(event, StateKept)]


def reached(platform: Embedded, topic: str) -> int:
    """How many messages of a topic count in what the monitor kept last."""
    heads = [event.value for event in kept(platform) if event.part == HEAD]
    places = json.loads(zlib.decompress(heads[-1]))["places"] if heads else []
    return sum(int(offset) + 1 for name, _, offset, _ in places if name == topic)


def test_a_secret_is_found_however_it_is_packed():
    packed = base64.b64encode(zlib.compress(b"a crimson harpsichord, and more than that"))
    assert betrayed(b"{" + packed + b"}", [b"harpsichord"]) == [b"harpsichord"]
    assert betrayed(b"head" + zlib.compress(packed), [b"harpsichord"]) == [b"harpsichord"]
    assert betrayed(b"nothing", [b"harpsichord"]) == []


def test_no_word_no_clip_and_no_picture_leaves_the_monitor(platform: Embedded):
    with structlog.testing.capture_logs() as logs, served(platform) as client:
        ids = [client.post("/v1/clips", files=clip(b"x" * (n + 1))).json()["clip_id"] for n in range(CLIPS)]
        for n, clip_id in enumerate(ids[:TOLD_OF]):
            assert client.post(f"/v1/clips/{clip_id}/feedback", json={"text": SAID[n % 2]}).status_code < 300
        watching = platform.watching
        wait_for(lambda: sum(each.counts["corrections"] for each in watching.counts().groups.values()) == TOLD_OF)
        client.post("/v1/clips", files=clip(b"bad"))  # what comes last is kept as well
        wait_for(lambda: reached(platform, FEEDBACK.name) == TOLD_OF)
        with served_app(watching.app, platform.settings.monitor) as board:
            answers = [board.get(path) for path in ASKED]
        metrics = [platform.telemetry.text().encode(), generate_latest(platform.telemetry.registry)]
    assert [answer.status_code for answer in answers] == [200] * len(ASKED)
    words = [secret.encode() for secret in SECRETS]
    names = [clip_id.encode() for clip_id in ids]
    told = {
        **{path: answer.content for path, answer in zip(ASKED, answers, strict=True)},
        **{f"metrics {n}": text for n, text in enumerate(metrics)},
        "state": b"\0".join(b"%s %s" % (event.part.encode(), event.value) for event in kept(platform)),
    }
    found = {where: betrayed(text, [*words, *names, *pixels()]) for where, text in told.items()}
    assert {where: secrets for where, secrets in found.items() if secrets} == {}
    assert betrayed(json.dumps(logs, default=str, ensure_ascii=False).encode(), [*words, *pixels()]) == []
    came_in = b"".join(message.value for message in platform.bus.replay([PREDICTIONS.name, FEEDBACK.name]))
    assert set(betrayed(came_in, [READ.encode(), SAID[0].encode(), *names])) == {
        READ.encode(),
        SAID[0].encode(),
        *names,
    }


def test_of_a_clip_whose_words_the_vocabulary_holds_the_metrics_tell_no_word_and_no_character(platform, monkeypatch):
    monkeypatch.setattr(Groups, "words", lambda *_: frozenset(READ.split()))
    told = platform.telemetry
    with served(platform) as client:
        assert client.post("/v1/clips", files=clip()).status_code < 300
        wait_for(lambda: told.value("lipsol_predictions_total", track="stable", model="grid-sentences") == 1)
    metrics = told.text()
    assert betrayed(metrics.encode(), [f'="{word}"'.encode() for word in READ.split()]) == []
    assert "lipsol_words_total{" not in metrics
    assert "lipsol_characters_total{" not in metrics


def test_of_a_block_that_is_full_no_clip_can_be_told():
    chance = np.random.default_rng(0)
    embeddings = [tuple(chance.normal(size=SIZE).round(4).tolist()) for _ in range(2 * BLOCK)]
    seen = [
        Observation({"brightness": 120.0}, each, {"confidence": 0.9}, False, {"harpsichord": 1}) for each in embeddings
    ]
    detector = Detector(Reference.of(seen, [], digest_of_data="made"), Sensitivity())
    for each in seen[:BLOCK]:
        detector.add(each, 0.0)
    numbers = [np.array(each, kind).tobytes()[:16] for each in embeddings for kind in (np.float32, np.float64)]
    assert betrayed(detector.to_bytes(), [b"harpsichord", *numbers]) == []
    detector.add(seen[0], 0.0)  # of the one clip of an open block its numbers are known until the next comes
    assert betrayed(detector.to_bytes(), numbers) == [numbers[1]]
