"""What differs -> what kind of wrong it is, and what to do about it.

Each kind has a mark of its own; the first mark in this order that is seen names it:

software  the mouth lies elsewhere in its picture, or is mirrored, while pictures are as they were: preprocessing puts
          it into the middle whoever speaks, so a person can't do that
camera    a picture is far from what it was (`FAR`), further than people differ; or pictures differ and mouths do not
speaker   mouths look otherwise (MMD on embeddings): people differ in their pictures too, but not that far
mix       other words are read, mouths and pictures are as they were, and the network doubts no more than it did
model     mouths and pictures are as they were, and the network doubts more, or is more often wrong

Where another kind explains what is seen nearly as well, the verdict says so: being wrong with confidence is the worst
that a monitor can do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lipsol.drift.comparison import Comparison
from lipsol.drift.features import NUMBERS
from lipsol.drift.wording import sentences

Kind = Literal["camera", "speaker", "mix", "model", "software"]
Remedy = Literal["retrain", "roll-back", "tell-users", "repair", "nothing"]

FAR = {  # how far the clips that differ are from what was, in parts of it: further than GRID's speakers are apart
    "brightness": 0.15,
    "mouth_px": 0.25,
    "sharpness": 0.6,
}
FAR_DEG = 17.0  # the same of the head's turn
CADENCE = ("source_fps", "dropped_frames")  # which no speaker changes
LIGHT = ("brightness", "source_fps", "dropped_frames")  # which hardly change how a mouth looks
LOOKS = 5.0  # times over its threshold, and the embedding tells of another mouth, whatever became of the picture
CLOSE = 2.0  # a strength so many times another's is clear of it
WORSE = ("calibration", "wer", "cer")


@dataclass(frozen=True)
class Verdict:
    """A finding.

    kind      the kind of wrong that explains the evidence best
    remedy    what to do about it
    evidence  the comparisons that speak for it, the strongest first, each measure by its strongest method
    said      all that in a sentence or two for people, with the doubt where there is any
    or_else   other kinds that explain the evidence nearly as well
    """

    kind: Kind
    remedy: Remedy
    evidence: tuple[Comparison, ...]
    said: str
    or_else: tuple[Kind, ...] = ()


def judge(comparisons: Sequence[Comparison], *, canary_against: Sequence[Comparison] = ()) -> Verdict | None:
    """What the comparisons of a window mean; None: nothing is wrong.

    canary_against: of a canary, the comparisons of stable's window of the same time: what both see is not the canary's.
    """
    shared = {each.measure for each in canary_against if each.drifted}
    drifted: dict[str, Comparison] = {}
    for each in sorted(comparisons, key=lambda each: -each.strength):
        if each.drifted and each.measure not in shared:
            drifted.setdefault(each.measure, each)
    if not drifted:
        return None
    kind, or_else = _kind(drifted)
    evidence = tuple(drifted.values())
    remedy = _remedy(kind, drifted)
    return Verdict(kind, remedy, evidence, sentences(kind, remedy, or_else, evidence), or_else)


def _kind(drifted: dict[str, Comparison]) -> tuple[Kind, tuple[Kind, ...]]:
    """The kind, and what else it could be."""
    far = [name for name in NUMBERS if name in drifted and _is_far(drifted[name])]
    numbers = _strongest(drifted, NUMBERS)
    mouths = _strongest(drifted, ("embedding",))
    moved = _strongest(drifted, ("place", "mirror"))
    if moved:
        if not far:
            return "software", ()
        return ("software", ("camera",)) if set(far) <= set(LIGHT) else ("camera", ("software",))
    if far:
        strange = mouths >= LOOKS and set(far) <= set(LIGHT)
        return "camera", ("speaker",) if strange else ()
    if mouths:
        clear = mouths >= CLOSE * max(numbers, 1.0) or mouths >= LOOKS
        return ("speaker", ()) if clear else ("camera", ("speaker",)) if numbers else ("speaker", ("software",))
    doubt = max(_doubt(drifted), _strongest(drifted, WORSE))
    said = _strongest(drifted, ("words", "length"))
    if not max(numbers, doubt, said):  # surer than ever, or answered more often: no good sign by itself
        return "model", ("mix",)
    if numbers >= max(said, doubt):
        return "camera", _near(numbers, {"mix": said, "model": doubt})
    if said >= doubt:
        return "mix", _near(said, {"model": doubt, "camera": numbers})
    return "model", _near(doubt, {"mix": said, "camera": numbers})


def _strongest(drifted: dict[str, Comparison], names: Sequence[str]) -> float:
    return max((drifted[name].strength for name in names if name in drifted), default=0.0)


def _near(best: float, others: dict[Kind, float]) -> tuple[Kind, ...]:
    """Those of the others that the best is not clear of."""
    return tuple(kind for kind, strength in others.items() if strength * CLOSE > best)


def _doubt(drifted: dict[str, Comparison]) -> float:
    """How strongly the reader doubts more than it did; that it is surer is no doubt."""
    ways = {"confidence": -1, "entropy": 1, "abstained": 1}
    return max(
        (drifted[name].strength for name, way in ways.items() if name in drifted and drifted[name].change * way > 0),
        default=0.0,
    )


def _is_far(each: Comparison) -> bool:
    """Whether the clips that differ do so further than people do."""
    if each.measure in CADENCE:
        return True
    change = abs(each.change) / max(each.share, 0.1)
    if each.measure == "yaw_deg":
        return change > FAR_DEG
    return each.measure in FAR and change > FAR[each.measure] * abs(each.was)


def _remedy(kind: Kind, drifted: dict[str, Comparison]) -> Remedy:
    """What helps; nothing needs to, where other words are read as well as ever."""
    if kind == "mix":
        worse = _doubt(drifted) or _strongest(drifted, WORSE)
        return "retrain" if worse else "nothing"
    remedies: dict[Kind, Remedy] = {
        "camera": "tell-users", "speaker": "retrain", "model": "roll-back", "software": "repair"
    }  # fmt: skip
    return remedies[kind]
