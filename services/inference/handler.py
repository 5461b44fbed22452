"""Mouths in, predictions out. A repeat of the same clip and bundle gives the same prediction id: it harms nothing.

- A clip is read by the bundle that its client named, else by its language's default; on the canary's track by the one
  that the policy named.
- Where the canary's bundle can't be had, or is of another language, the clip is read as stable would have read it, and
  told as stable's: a person waits for it, and it is no evidence of the canary. A shadow copy is then passed over, and
  so is every copy by stable: nobody waits, and stable's reading was made already.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import structlog

from lipsol.clips.clip import MouthClip
from lipsol.errors import ModelError, NotFound
from lipsol.events import AlternativeText, Event, ModelName, MouthReady, PredictionMade, TimedWord, Track
from lipsol.model.prediction import Prediction
from lipsol.reader import BUNDLE_GRAMMAR, Bound
from lipsol.registry.port import ModelInfo
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.claims import Claims
from lipsol.text.grammar import Grammar
from services.inference.models import Models

FREE = "none"  # the grammar that asks for a free reading
GRAMMARS_HELD = 64  # parsed grammars in memory

log = structlog.get_logger()


@dataclass(frozen=True)
class _Plan:
    """One mouth, the bundle that reads it, and the deployment that the reading is told as."""

    event: MouthReady
    info: ModelInfo
    track: Track


@dataclass(frozen=True)
class Handler:
    """Reads what waits, a batch for each bundle. `now`: Unix time, seconds; `track`: as which deployment."""

    models: Models
    claims: Claims
    now: Callable[[], float]
    telemetry: Telemetry
    track: Track = "stable"

    def handle(self, events: Sequence[Event]) -> list[Event]:
        """A prediction for each mouth but for copies that are passed over, in the order given.

        Raises BadInput for a mouth that is gone or not what was announced, or a model that is not here; ModelError for
        a bundle that can't be used.
        """
        plans = [plan for event in events if isinstance(event, MouthReady) and (plan := self._plan(event))]
        made: dict[int, PredictionMade] = {}
        for digest in dict.fromkeys(plan.info.digest for plan in plans):
            places = [at for at, plan in enumerate(plans) if plan.info.digest == digest]
            read = self._read([plans[at] for at in places])
            made.update(zip(places, read, strict=True))
        return [made[at] for at in range(len(plans))]

    def _plan(self, event: MouthReady) -> _Plan | None:
        """By what a mouth is read, and as whose; None: it is passed over. Raises NotFound."""
        if self.track == "canary":
            info = self._canary(event)
            if info is not None:
                return _Plan(event, info, "canary")
        if event.shadow:
            self.telemetry.add("lipsol_copies_skipped_total", track=self.track)
            return None
        return _Plan(event, self.models.info(event.model, event.language), "stable")

    def _canary(self, event: MouthReady) -> ModelInfo | None:
        """What the canary reads a mouth by; None where it can't."""
        if event.model or not event.bundle:
            return self.models.info(event.model, event.language)
        try:
            info = self.models.usable(event.bundle)
        except (NotFound, ModelError) as fault:
            log.warning("canary-bundle-unusable", bundle=event.bundle, reason=fault.detail)
            return None
        return info if info.language == event.language else None

    def _read(self, plans: Sequence[_Plan]) -> list[PredictionMade]:
        """Read a batch with one bundle."""
        began_at, began = self.now(), time.perf_counter()
        clips = [self._mouth(plan.event) for plan in plans]
        grammars = [bound(plan.event.grammar) for plan in plans]
        predictions = self.models.reader(plans[0].info).read_many(clips, grammars)
        read_ms = (time.perf_counter() - began) * 1e3
        return [
            _made(plan, prediction, _timings(plan.event, began_at, read_ms), began_at + read_ms / 1e3)
            for plan, prediction in zip(plans, predictions, strict=True)
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


def _made(plan: _Plan, prediction: Prediction, timings_ms: dict[str, float], made_at: float) -> PredictionMade:
    event, info = plan.event, plan.info
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
        track=plan.track,
        shadow=event.shadow,
        timings_ms=timings_ms,
        quality=event.quality,
        made_at=made_at,
    )
