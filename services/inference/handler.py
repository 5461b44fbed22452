"""Mouths in, predictions out. A repeat of the same clip and bundle gives the same prediction id: it harms nothing.

- A clip is read by the bundle that its client named, else by its language's default; on the canary's track by the one
  that the policy named, where the clip is of that one's language. One of another language is the canary's all the same,
  copies too: its image, its pins and its defaults read that as well, and are let in with the rest.
- Where the policy's bundle can't be had, the clip is read as stable would have read it, and told as stable's: a person
  waits for it, and it is no evidence of the canary. A shadow copy is then passed over, and so is every copy by stable:
  nobody waits, and stable's reading was made already.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass

import structlog

from lipsol.clips.clip import MouthClip
from lipsol.errors import ModelError, NotFound
from lipsol.events import AlternativeText, Event, ModelName, MouthReady, PredictionMade, TimedWord, Track
from lipsol.registry.port import ModelInfo
from lipsol.runtime.envelope import trace_id_of
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.claims import Claims
from lipsol.traffic import part
from services.inference.core import Answer, Ask, Core

log = structlog.get_logger()


@dataclass(frozen=True)
class _Plan:
    """One mouth, the bundle that reads it, and the deployment that the reading is told as."""

    event: MouthReady
    info: ModelInfo
    track: Track


@dataclass(frozen=True)
class Handler:
    """Has what waits read by the core, all at once. `now`: Unix time, seconds; `track`: as which deployment."""

    core: Core
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
        began_at, began = self.now(), time.perf_counter()
        asks = [self._ask(plan) for plan in plans]
        futures = self.core.submit_all(asks, in_turn=True)
        wait(futures)
        took_s = time.perf_counter() - began
        return [_made(plan, future.result(), began_at, took_s) for plan, future in zip(plans, futures, strict=True)]

    def _ask(self, plan: _Plan) -> Ask:
        """What the core is asked for a mouth."""
        event = plan.event
        mouth, trace_id = self._mouth(event), trace_id_of(event.clip_id)
        return Ask(mouth, plan.info, event.grammar, event.deadline_at, trace_id, event.clip_id, embedded=True)

    def _plan(self, event: MouthReady) -> _Plan | None:
        """By what a mouth is read, and as whose; None: it is passed over. Raises NotFound."""
        if self.track == "canary":
            info = self._canary(event)
            if info is not None:
                return _Plan(event, info, "canary")
        if event.shadow:
            self.telemetry.add("lipsol_copies_skipped_total", track=self.track)
            return None
        return _Plan(event, self.core.models.info(event.model, event.language), "stable")

    def _canary(self, event: MouthReady) -> ModelInfo | None:
        """What the canary reads a mouth by; None where the policy's bundle can't be had. Raises NotFound."""
        models = self.core.models
        if event.model or not event.bundle:
            return models.info(event.model, event.language)
        try:
            info = models.usable(event.bundle)
        except (NotFound, ModelError) as fault:
            log.warning("canary-bundle-unusable", bundle=event.bundle, reason=fault.detail)
            return None
        return info if info.language == event.language else models.info("", event.language)

    def _mouth(self, event: MouthReady) -> MouthClip:
        """The mouth that the event speaks of. Raises BadInput if it is gone, or not the one that was announced."""
        return MouthClip.from_bytes(self.claims.cash(event.mouth))


def prediction_id(clip_id: str, digest: str) -> str:
    """Names the reading of one clip by one bundle: 128 bits of a hash, hex."""
    return hashlib.sha256(f"{clip_id} {digest}".encode()).hexdigest()[:32]


def _timings(event: MouthReady, answer: Answer, began_at: float, took_s: float) -> dict[str, float]:
    """The stages so far, with `queue` (all waiting since the clip came in), `read` and `total`, ms."""
    read_ms = answer.timings_ms["network"] + answer.timings_ms["search"]
    total_ms = max(0.0, began_at - event.received_at + took_s) * 1e3
    queue_ms = max(0.0, total_ms - read_ms - sum(event.timings_ms.values()))
    return {**event.timings_ms, "queue": round(queue_ms, 3), "read": round(read_ms, 3), "total": round(total_ms, 3)}


def _made(plan: _Plan, answer: Answer, began_at: float, took_s: float) -> PredictionMade:
    event, info, prediction = plan.event, answer.info, answer.prediction
    return PredictionMade(
        clip_id=event.clip_id,
        prediction_id=prediction_id(event.clip_id, info.digest),
        text=prediction.text,
        confidence=prediction.confidence,
        abstained=prediction.abstained,
        alternatives=tuple(AlternativeText(each.text, each.confidence, each.look) for each in prediction.alternatives),
        words=tuple(
            TimedWord(each.text, each.start_s, each.end_s, each.confidence, each.alike) for each in prediction.words
        ),
        language=prediction.language,
        grammar=prediction.grammar,
        model=ModelName(info.name, info.version, info.digest),
        track=plan.track,
        shadow=event.shadow,
        timings_ms=_timings(event, answer, began_at, took_s),
        quality=event.quality,
        made_at=began_at + took_s,
        none=prediction.none,
        faces=event.faces,
        codec=event.codec,
        redo=event.redo,
        received_at=event.received_at,
        embedding=answer.embedding,
        entropy=answer.entropy,
        part=part(event.key),
    )
