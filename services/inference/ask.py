"""What the core is asked and what it answers; the same whatever door it comes by."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lipsol.clips.clip import MouthClip
from lipsol.model.prediction import Prediction
from lipsol.registry.port import ModelInfo
from lipsol.text.wording import Bound, Wording

GRAMMARS_HELD = 64  # parsed grammars in memory


@dataclass(frozen=True)
class Ask:
    """One mouth to be read.

    info         the bundle that reads it: of `Models.info` or `Models.usable`
    grammar      "": the bundle's own; "none": a free reading; else a packaged grammar's name or a grammar document
    deadline_at  Unix time, seconds, after which nobody waits any more; 0: there is none
    trace_id     of the request that it belongs to, for figures; "": not told
    clip_id      by which the clip is known to others, where it is; "": to nobody
    embedded     whether the answer is to tell the mouth's embedding
    """

    mouth: MouthClip
    info: ModelInfo
    grammar: str = ""
    deadline_at: float = 0.0
    trace_id: str = ""
    clip_id: str = ""
    embedded: bool = False


@dataclass(frozen=True)
class Answer:
    """What was read, and by which bundle.

    timings_ms  `wait` (for its turn), `network` (of its batch) and `search` (for its words)
    batch       clips that went through the network together
    entropy     how unsure the network was (`Emissions.entropy`)
    embedding   of the mouth (`lipsol.clips.embedding`), where that was asked for; else ()
    """

    prediction: Prediction
    info: ModelInfo
    timings_ms: Mapping[str, float]
    batch: int
    entropy: float
    embedding: tuple[float, ...] = ()


@lru_cache(maxsize=GRAMMARS_HELD)
def bound(spec: str) -> Bound:
    """What a grammar's name or document means to a reader. Raises BadInput or NotFound."""
    wording = Wording.of(spec)
    return wording if wording.hotwords or wording.board else wording.grammar
