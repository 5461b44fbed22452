"""Watched mouths read by the shipped bundle through inference's own handler: what the monitor would be told of each.

What was read is kept under build/detection/readings, named by the mouths' files, the network and its calibration, and
the code that tells of a mouth; a change of any reads anew.
"""

import base64
import hashlib
import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from lipsol.bundle import Bundle
from lipsol.clips import embedding
from lipsol.clips.clip import MouthClip
from lipsol.events import MouthReady, PredictionMade, from_bytes, to_bytes
from lipsol.model import emissions
from lipsol.reader import Reader
from lipsol.registry.local import LocalRegistry
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.claims import Claims
from lipsol.store.local import LocalStore
from lipsol.text.alphabet import normalise
from lipsol.topics import PREDICTIONS, STABLE_MOUTHS
from services.inference.core import Core
from services.inference.handler import Handler
from services.inference.models import Models
from tests.conftest import TOP
from tests.detection.distortions import MOUTHS, noisy
from tests.detection.watching import KEPT, Mouth

MODEL = TOP / "models" / "grid-sentences.lipsol"
TOLD_BY: tuple[ModuleType, ...] = (embedding, emissions)  # the code behind what an event tells of a mouth
AT_ONCE = 8


@dataclass(frozen=True)
class Read:
    """One clip as the monitor is told of it, and what was truly said."""

    made: PredictionMade
    truth: str
    speaker: str


@dataclass(frozen=True)
class Way:
    """How mouths are read: `fault` one of MOUTHS ("": none), `noise` as `noisy` takes it (0: the bundle as it is)."""

    fault: str = ""
    noise: float = 0.0


AS_SHIPPED = Way()


def read_all(mouths: Sequence[Mouth], way: Way, report: Callable[[str], None], model: Path = MODEL) -> list[Read]:
    """Those mouths that the platform takes, as read; in the order given."""
    taken = [mouth for mouth in mouths if mouth.mouth is not None]
    bundle = Bundle.load(model)
    place = KEPT / "readings" / f"{_key(taken, way, bundle)}.json"
    if not place.exists():
        report(f"reading {len(taken)} mouths, {way}")
        place.parent.mkdir(parents=True, exist_ok=True)
        with _handler(bundle, way) as handler:
            events = _read(handler, taken, way)
        place.write_text(json.dumps([base64.b64encode(to_bytes(event)).decode() for event in events]))
    events = [from_bytes(PREDICTIONS.name, base64.b64decode(each)) for each in json.loads(place.read_text())]
    return [
        Read(event, normalise(mouth.item.text, "en"), mouth.item.speaker)
        for event, mouth in zip(events, taken, strict=True)
        if isinstance(event, PredictionMade)
    ]


def _key(mouths: Sequence[Mouth], way: Way, bundle: Bundle) -> str:
    told = hashlib.sha256(bundle.network)
    told.update(json.dumps([repr(bundle.confidence), repr(way), bundle.grammar]).encode())
    for part in TOLD_BY:
        told.update(inspect.getsource(part).encode())
    if way.noise:
        told.update(inspect.getsource(noisy).encode())
    if way.fault:
        told.update(inspect.getsource(MOUTHS[way.fault]).encode())
    for mouth in mouths:
        told.update(mouth.kept.name.encode())
    return told.hexdigest()[:16]


@contextmanager
def _handler(bundle: Bundle, way: Way) -> Iterator[Handler]:
    """Inference's handler over the bundle, or over one made worse, as it would run in a service."""
    read_by = replace(bundle, network=noisy(bundle.network, way.noise, seed=1)) if way.noise else bundle
    store = LocalStore()
    core = Core(Models(LocalRegistry(MODEL), lambda _path, _info: Reader(read_by), held=1), telemetry=Telemetry())
    core.start()
    try:
        yield Handler(core, Claims(store), lambda: 0.0, Telemetry())
    finally:
        core.stop(10.0)
        store.close()


def _read(handler: Handler, mouths: Sequence[Mouth], way: Way) -> list[PredictionMade]:
    change: Callable[[MouthClip], MouthClip] = MOUTHS[way.fault] if way.fault else lambda mouth: mouth
    events: list[Any] = []
    for at in range(0, len(mouths), AT_ONCE):
        asked = [_ready(mouth, change, handler.claims) for mouth in mouths[at : at + AT_ONCE]]
        events += handler.handle(asked)
    return events


def _ready(mouth: Mouth, change: Callable[[MouthClip], MouthClip], claims: Claims) -> MouthReady:
    """What the edge publishes of a watched clip."""
    if mouth.mouth is None:
        raise ValueError(f"{mouth.item.name} was refused")
    name = mouth.item.name
    claim = claims.keep(f"mouths/{name}", change(mouth.mouth).to_bytes(), STABLE_MOUTHS.retention_s)
    return MouthReady(
        clip_id=name, session="", track="stable", shadow=False, model="", bundle="", grammar="", language="en",
        mouth=claim, faces=mouth.faces, quality=mouth.quality, timings_ms={}, received_at=0.0, deadline_at=0.0,
        codec=mouth.codec,
    )  # fmt: skip
