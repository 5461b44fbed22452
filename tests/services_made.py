"""Stand-ins of the services' tests: science that needs no model, a registry in memory, and a platform that serves."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx
import numpy as np
from starlette.types import ASGIApp

from lipsol.clips.clip import MouthClip
from lipsol.clips.quality import Quality
from lipsol.clips.watch import Watched
from lipsol.errors import BadInput, NotFound
from lipsol.events import (
    AlternativeText,
    Claim,
    DeadLetter,
    DeathKind,
    FeedbackGiven,
    ModelName,
    MouthReady,
    PredictionMade,
    TimedWord,
)
from lipsol.model.emissions import Emissions
from lipsol.model.prediction import Alternative, Prediction, Word
from lipsol.promotion import Promotion
from lipsol.reader import Bound, Heard
from lipsol.registry.port import NONE, ModelInfo
from lipsol.runtime.settings import RegistrySettings, StoreSettings, TelemetrySettings
from lipsol.text.grammar import Grammar
from lipsol.text.wording import wording_of
from lipsol.topics import STABLE_MOUTHS
from services.doors.server import Server
from services.doors.service import DoorSettings
from services.embedded import Embedded, EmbeddedSettings
from services.monitor.settings import MonitorSettings
from services.operating.settings import OperatingSettings
from services.preprocess.settings import PreprocessSettings

SAID = "bin blue at f two now"
QUALITY = Quality(3.0, 25.0, 0.0, 117.0, 40.0, 90.0, 1.0, 41.0, 2.0, 0.05)


def mouth_of(seed: int = 0, frames: int = 5) -> MouthClip:
    """A mouth of noise."""
    noise = np.random.default_rng(seed)
    return MouthClip(
        noise.integers(0, 255, (frames, 96, 96), np.uint8),
        noise.normal(size=(frames, 40, 2)).astype(np.float32),
        noise.normal(size=(frames, 16, 2)).astype(np.float32),
        noise.random((frames, 40, 2)).astype(np.float32),
        np.ones(frames, bool),
    )


class MadeWatcher:
    """Finds a mouth in any bytes but those that begin with "bad"; `hold` keeps clips until it is set."""

    def __init__(self) -> None:
        self.hold = threading.Event()
        self.hold.set()
        self.watched = 0
        self.codec = "h264"

    def watch(self, data: bytes) -> Watched:
        self.watched += 1
        if not self.hold.wait(120):
            raise TimeoutError
        if data.startswith(b"bad"):
            raise BadInput("no face for 2.1 of 3.0 s", "face the camera")
        if data.startswith(b"bug"):
            raise ZeroDivisionError("/home/somebody/secret.py")
        timings = {"decode": 1.0, "face": 2.0, "mouth": 0.5, "quality": 0.25}
        return Watched(mouth_of(len(data)), QUALITY, 1, timings, self.codec)


class MadeReader:
    """Reads every mouth as `SAID`; a word of a grammar without it as the grammar's first sentence."""

    def __init__(self) -> None:
        self.hold = threading.Event()
        self.hold.set()
        self.batches: list[int] = []
        self.lengths: list[int] = []
        self.fault: Exception | None = None

    def hear(self, mouths: Sequence[MouthClip], at_once: int) -> list[Heard]:
        assert len(mouths) <= at_once
        self.batches.append(len(mouths))
        self.lengths += map(len, mouths)
        if not self.hold.wait(120):
            raise TimeoutError
        if self.fault is not None:
            raise self.fault
        silence = np.zeros((1, 2), np.float32)
        return [Heard(Emissions(silence, silence, "a", ("a",)), 0.0, len(mouth)) for mouth in mouths]

    def decode(self, heard: Heard, grammar: Bound) -> Prediction:
        assert heard.frames
        return self._read(grammar)

    def _read(self, bound: Bound) -> Prediction:
        grammar = wording_of(bound).grammar
        text = next(grammar.sentences()) if isinstance(grammar, Grammar) else SAID
        words = tuple(Word(word, n * 0.1, n * 0.1 + 0.1, 0.9) for n, word in enumerate(text.split()))
        alternatives = tuple(Alternative(f"{text} {n}", 0.02) for n in range(3))
        named = grammar.name if isinstance(grammar, Grammar) else None if grammar is None else "grid"
        return Prediction(text, 0.9, False, alternatives, words, "en", named, 0.05 if wording_of(bound).board else None)


def info_of(name: str = "grid-sentences", language: str = "en", *, default: bool = True) -> ModelInfo:
    """A model as a registry tells of it."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return ModelInfo(name, "1", digest, "sentences", language, "grid", default, {"licence": "CC BY 4.0"})


@dataclass
class MadeRegistry:
    """Models that have no file."""

    infos: list[ModelInfo] = field(default_factory=lambda: [info_of(), info_of("grid-words", default=False)])
    keys: None = None
    faulty: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        return self.faulty

    def models(self) -> list[ModelInfo]:
        return self.infos

    def find(self, name_or_digest: str) -> ModelInfo:
        for info in self.infos:
            if name_or_digest == info.name or info.digest.startswith(name_or_digest):
                return info
        raise NotFound(f"no model {name_or_digest!r}", f"give one of {', '.join(info.name for info in self.infos)}")

    def default(self, language: str) -> ModelInfo:
        for info in self.infos:
            if info.default and info.language == language:
                return info
        raise NotFound(f"no model reads {language!r}", "give one of en")

    def path(self, digest: str) -> Path:
        return Path(digest)

    def candidates(self) -> list[ModelInfo]:
        return []

    def champion(self, name: str) -> ModelInfo | None:
        return next((info for info in self.infos if info.name == name), None)

    def file(self, digest: str, name: str) -> Path:
        raise NotFound(f"no file {name!r} is with {digest[:12]}", "these models have no files")

    def register(self, path: Path, files: Mapping[str, Path] = NONE, *, candidate: bool = True) -> ModelInfo:
        raise BadInput(f"{path.name}, {len(files)} files, candidate {candidate}: can't be kept", "they have no files")

    def promote(self, promotion: Promotion) -> None:
        raise BadInput(f"{promotion.model} can't be promoted", "these models have no history")

    def history(self, name: str = "") -> list[Promotion]:  # noqa: ARG002 - the port's signature
        return []


def settings_of(tmp_path: Path, **preprocess: object) -> EmbeddedSettings:
    """Settings that touch nothing but a folder; any free ports."""
    return EmbeddedSettings(
        store=StoreSettings(folder=tmp_path / "store"),
        registry=RegistrySettings(folder=tmp_path / "models"),
        telemetry=TelemetrySettings(metrics_port=0, metrics_host="127.0.0.1"),
        operating=OperatingSettings(port=0),
        monitor=MonitorSettings(port=0),
        preprocess=PreprocessSettings.model_validate({"workers": 2, "wait_s": 60.0, "grpc_port": 0, **preprocess}),
    )


@dataclass
class MadePlatform:
    """An embedded platform over stand-ins."""

    settings: EmbeddedSettings
    watcher: MadeWatcher = field(default_factory=MadeWatcher)
    reader: MadeReader = field(default_factory=MadeReader)
    registry: MadeRegistry = field(default_factory=MadeRegistry)

    def open(self) -> Embedded:
        """The platform, not yet started."""
        return Embedded(
            self.settings,
            watcher=self.watcher,
            open_reader=lambda _path, _info: self.reader,
            registry=self.registry,
        )


@contextmanager
def served(platform: Embedded) -> Iterator[httpx.Client]:
    """A client of the platform's edge over real HTTP, on a free port."""
    with served_app(platform.edge.door(platform.faults), platform.settings.preprocess, platform.drain) as client:
        yield client


@contextmanager
def served_app(app: ASGIApp, place: DoorSettings, unready: Callable[[], None] = lambda: None) -> Iterator[httpx.Client]:
    """A client of any app over real HTTP, on a free port."""
    server = Server(app, "127.0.0.1", 0, place, unready)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=120) as client:
            yield client
    finally:
        server.leave()
        thread.join()


def clip(data: bytes = b"a clip") -> dict[str, tuple[str, bytes, str]]:
    """A form's file field, as httpx takes it."""
    return {"file": ("clip.mp4", data, "video/mp4")}


def ready_of(clip_id: str, **changed: object) -> MouthReady:
    """A mouth that waits in the store, as the edge tells of it."""
    told: dict[str, object] = {
        "clip_id": clip_id,
        "session": "",
        "track": "stable",
        "shadow": False,
        "model": "",
        "bundle": "",
        "grammar": "",
        "language": "en",
        "mouth": Claim(b"", f"clips/{clip_id}/mouth", "0" * 64, 4, 1_795_338_000.0),
        "faces": 1,
        "quality": QUALITY.as_dict(),
        "timings_ms": {"decode": 1.0, "face": 2.0},
        "received_at": 1_795_251_600.0,
        "deadline_at": 0.0,
    }
    return MouthReady(**{**told, **changed})  # type: ignore[arg-type]


def prediction_of(
    clip_id: str, text: str = SAID, *, name: str = "grid-sentences", abstained: bool = False
) -> PredictionMade:
    """A reading, as the reading service tells of it."""
    info = info_of(name)
    words = tuple(TimedWord(word, n * 0.1, n * 0.1 + 0.1, 0.9) for n, word in enumerate(text.split()))
    return PredictionMade(
        clip_id=clip_id,
        prediction_id=f"{clip_id[:8]}-{name}",
        text=text,
        confidence=0.9,
        abstained=abstained,
        alternatives=(AlternativeText("bin blue at f two please", 0.05),),
        words=words,
        language="en",
        grammar="grid",
        model=ModelName(info.name, info.version, info.digest),
        track="stable",
        shadow=False,
        timings_ms={"read": 20.0, "total": 200.0},
        quality=QUALITY.as_dict(),
        made_at=1_795_251_601.0,
    )


def letter_of(clip_id: str, kind: DeathKind = "bad-input", reason: str = "the mouth is gone") -> DeadLetter:
    """A clip that was given up."""
    return DeadLetter(
        clip_id, clip_id, False, STABLE_MOUTHS.name, 0, 0, reason, "send it again", kind, "inference", 3, b""
    )


def feedback_of(
    clip_id: str, text: str | None = None, verdict: Literal["right", "wrong"] | None = None
) -> FeedbackGiven:
    """What a person says of a reading of `SAID`."""
    name = f"{clip_id}-{text}-{verdict}"
    return FeedbackGiven(clip_id, name, text, verdict, SAID, info_of().digest, 1_795_251_700.0)
