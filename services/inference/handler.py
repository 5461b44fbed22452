"""Mouths in, predictions out. A repeat of the same clip and bundle gives the same prediction id: it harms nothing."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lipsol.clips.clip import MouthClip
from lipsol.events import AlternativeText, Event, ModelName, MouthReady, PredictionMade, TimedWord
from lipsol.model.prediction import Prediction
from lipsol.reader import BUNDLE_GRAMMAR, Bound
from lipsol.registry.port import ModelInfo
from lipsol.store.claims import Claims
from lipsol.text.grammar import Grammar
from services.inference.models import Models

FREE = "none"  # the grammar that asks for a free reading
GRAMMARS_HELD = 64  # parsed grammars in memory


@dataclass(frozen=True)
class Handler:
    """Reads what waits, a batch for each bundle. `now`: Unix time, seconds."""

    models: Models
    claims: Claims
    now: Callable[[], float]

    def handle(self, events: Sequence[Event]) -> list[Event]:
        """A prediction for each mouth, in the order given.

        Raises BadInput for a mouth that is gone or not what was announced, or a model that is not here; ModelError for
        a bundle that can't be used.
        """
        mouths = [event for event in events if isinstance(event, MouthReady)]
        infos = [self.models.info(event.model, event.language) for event in mouths]
        made: dict[int, PredictionMade] = {}
        for digest in dict.fromkeys(info.digest for info in infos):
            places = [at for at, info in enumerate(infos) if info.digest == digest]
            read = self._read(infos[places[0]], [mouths[at] for at in places])
            made.update(zip(places, read, strict=True))
        return [made[at] for at in range(len(mouths))]

    def _read(self, info: ModelInfo, events: Sequence[MouthReady]) -> list[PredictionMade]:
        """Read a batch with one bundle."""
        began_at, began = self.now(), time.perf_counter()
        clips = [self._mouth(event) for event in events]
        predictions = self.models.reader(info).read_many(clips, [bound(event.grammar) for event in events])
        read_ms = (time.perf_counter() - began) * 1e3
        return [
            _made(event, prediction, info, _timings(event, began_at, read_ms), began_at + read_ms / 1e3)
            for event, prediction in zip(events, predictions, strict=True)
        ]

    def _mouth(self, event: MouthReady) -> MouthClip:
        """The mouth that the event speaks of. Raises BadInput if it is gone, or not the one that was announced."""
        return MouthClip.from_bytes(self.claims.cash(event.mouth))


@lru_cache(maxsize=GRAMMARS_HELD)
def bound(spec: str) -> Bound:
    """What a grammar's name or document means to a reader. Raises BadInput or NotFound."""
    if spec == "":
        return BUNDLE_GRAMMAR
    return None if spec == FREE else Grammar.of(spec)


def prediction_id(clip_id: str, digest: str) -> str:
    """Names the reading of one clip by one bundle: 128 bits of a hash, hex."""
    return hashlib.sha256(f"{clip_id} {digest}".encode()).hexdigest()[:32]


def _timings(event: MouthReady, began_at: float, read_ms: float) -> dict[str, float]:
    """The stages so far, with `queue` (all waiting since the clip came in), `read` (its batch) and `total`, ms."""
    waited_ms = (began_at - event.received_at) * 1e3
    queue_ms = max(0.0, waited_ms - sum(event.timings_ms.values()))
    total_ms = max(0.0, waited_ms) + read_ms
    return {**event.timings_ms, "queue": round(queue_ms, 3), "read": round(read_ms, 3), "total": round(total_ms, 3)}


def _made(
    event: MouthReady, prediction: Prediction, info: ModelInfo, timings_ms: dict[str, float], made_at: float
) -> PredictionMade:
    return PredictionMade(
        clip_id=event.clip_id,
        prediction_id=prediction_id(event.clip_id, info.digest),
        text=prediction.text,
        confidence=prediction.confidence,
        abstained=prediction.abstained,
        alternatives=tuple(AlternativeText(each.text, each.confidence) for each in prediction.alternatives),
        words=tuple(TimedWord(each.text, each.start_s, each.end_s, each.confidence) for each in prediction.words),
        language=prediction.language,
        grammar=prediction.grammar,
        model=ModelName(info.name, info.version, info.digest),
        track=event.track,
        shadow=event.shadow,
        timings_ms=timings_ms,
        quality=event.quality,
        made_at=made_at,
    )
