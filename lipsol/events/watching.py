"""What the monitor found, did, and remembers."""

from dataclasses import dataclass
from typing import Literal

from lipsol.events.base import Event, Track
from lipsol.topics import ACTIONS, DRIFT, WATCH

DriftKind = Literal["camera", "speaker", "mix", "model", "software"]
Remedy = Literal["retrain", "roll-back", "tell-users", "repair", "nothing"]
DriftState = Literal["begun", "over"]
Automation = Literal["observe", "suggest", "act"]
ActionKind = Literal["retrain", "abort-canary", "roll-back", "tell-users", "repair", "accept"]


@dataclass(frozen=True)
class Evidence:
    """One comparison that speaks for a finding: what, by which test or distance, its value, what it had to stay below.

    share  the part of the clips that are different by it, in [0, 1]; 0.0: not told
    """

    measure: str
    method: str
    value: float
    threshold: float
    share: float = 0.0


@dataclass(frozen=True)
class DriftDetected(Event):
    """What comes in, or what is read from it, is no longer like the reference.

    drift_id      name of this finding, so that a repeat changes nothing
    model_digest  the bundle that was watched, sha256 hex
    track         the deployment that was watched
    measure       what was compared ("confidence", "brightness", ...)
    method        by which test or distance ("psi", "ks", "mmd", ...)
    value         what it came to
    threshold     what it had to stay below
    samples       readings in the window
    window_from, window_to  the window, Unix seconds
    detected_at   Unix seconds
    kind          what kind of wrong it is: "camera" (or light), a new kind of "speaker", another "mix" of what is said,
                  the "model" got worse, or a "software" fault; None: not told
    remedy        what to do about it
    state         whether it has begun, or is over; None: as begun
    language      of the readings that were watched, as BCP 47; "": all
    evidence      all comparisons that speak for it, the strongest first; `measure` to `threshold` are the first
    """

    drift_id: str
    model_digest: str
    track: Track
    measure: str
    method: str
    value: float
    threshold: float
    samples: int
    window_from: float
    window_to: float
    detected_at: float
    kind: DriftKind | None = None
    remedy: Remedy | None = None
    state: DriftState | None = None
    language: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def topic(self) -> str:
        return DRIFT.name

    @property
    def key(self) -> str:
        return self.model_digest


@dataclass(frozen=True)
class ActionTaken(Event):
    """The monitor, or a person, did something about a finding, or says what it would do.

    action_id     name of this action, so that a repeat changes nothing
    kind          what: ask for a "retrain", "abort-canary", "roll-back" stable, "tell-users", "repair"; "accept": what
                  is seen now is the new normal
    automation    the degree under which it was decided
    done          True: carried out; False: noted ("observe") or proposed to people ("suggest")
    reason        why, in a person's words
    drift_id      the finding that it answers; "": none
    model_digest  the bundle that it is about, sha256 hex
    track         the deployment that it is about
    language      as BCP 47; "": all
    by            who did it: "monitor", or a person's name
    at            Unix seconds
    """

    action_id: str
    kind: ActionKind
    automation: Automation
    done: bool
    reason: str
    drift_id: str
    model_digest: str
    track: Track
    language: str
    by: str
    at: float

    @property
    def topic(self) -> str:
        return ACTIONS.name

    @property
    def key(self) -> str:
        return self.model_digest


@dataclass(frozen=True)
class StateKept(Event):
    """A part of what the monitor remembers, as of some place on its topics; the newest of each part is the state.

    part    which part: what the key names
    owner   the process that wrote it, so that two at once are noticed
    value   the part as bytes; empty: it is no more
    at      Unix seconds
    """

    part: str
    owner: str
    value: bytes
    at: float

    @property
    def topic(self) -> str:
        return WATCH.name

    @property
    def key(self) -> str:
        return self.part
