"""Golden answers: a bundle proves that it reads here as it read where it was packed, or it is not read with.

A bundle brings a clip or two that it was never trained on, and what its reader made of them, each way of decoding.
They are read again when it is opened. A network that was swapped or damaged, a calibration that was changed, a decoder
of another release that decides otherwise: each gives another answer, and so never answers anybody.
"""

import math
from collections.abc import Mapping

from lipsol.bundle import Golden, GoldenClip
from lipsol.card import Answer, Kind, Way
from lipsol.clips.clip import MouthClip
from lipsol.errors import BadInput, LipsolError, ModelError
from lipsol.reader import BUNDLE_GRAMMAR, NEVER_QUITE, Bound, Heard, Reader

FRAMES = 36  # of a golden clip: 1.4 s, some words, and at most 0.4 MB
DECISIVE = 2.0  # times as likely as the runner-up: a reading that rounding can't tip over
# How far a confidence may be from the golden one. Threads, company in a batch and the graph's optimisation change the
# order of sums: they moved the stock bundles' log-probabilities by 2e-5 at most and no confidence, which has four
# decimals. Rounding what goes into and comes out of each product to half precision's 11 bits moved those of the samples
# by 0.006 at most.
TOLERANCE = 1e-3
TOLERANCE_FP16 = 2e-2
CURE = (
    "its network, its calibration or its grammar is another, or this LipSol decodes otherwise: fetch it again; or, if "
    "that is why, evaluate it with this LipSol and `lipsol models gild` it anew"
)
WAYS: Mapping[Kind, tuple[Way, ...]] = {"words": ("words",), "sentences": ("grammar", "free")}
BOUNDS: Mapping[Way, Bound] = {"grammar": BUNDLE_GRAMMAR, "free": None, "words": BUNDLE_GRAMMAR}


def make(reader: Reader, clips: Mapping[str, MouthClip]) -> Golden:
    """Golden clips and answers for the reader's bundle: the middle FRAMES of each clip, as it reads them now.

    Of each clip the decisive answers are kept, or the most decisive one. clips: by name, of the bundle's language, that
    training never saw. Raises ModelError if the network does not run.
    """
    return tuple(_made(reader, name, _middle(mouth)) for name, mouth in clips.items())


def renewed(reader: Reader) -> Golden:
    """The golden clips of the reader's bundle, each as long as it is, with the answers that it gives now; as `make`."""
    return tuple(_made(reader, clip.name, clip.mouth) for clip in reader.bundle.golden)


def most_decisive(reader: Reader, clips: Mapping[str, MouthClip]) -> str:
    """The clip that makes the best golden one: the name of that whose likeliest reading is furthest ahead."""
    return max(clips, key=lambda name: max(_margin(reader, _middle(clips[name]), way) for way in _ways(reader)))


def check(reader: Reader) -> None:
    """Read the golden clips of the reader's bundle again.

    Raises ModelError naming the bundle, the clip, what was expected, what came, and the cure.
    """
    bundle, tolerance = reader.bundle, TOLERANCE_FP16 if reader.engine.fp16 else TOLERANCE
    named = bundle.file or bundle.name
    if not bundle.golden:
        raise ModelError(f"{named} has no golden answers", "give it some: `lipsol models gild`")
    for clip, heard in zip(bundle.golden, _heard(reader, [clip.mouth for clip in bundle.golden]), strict=True):
        for expected in clip.answers:
            got = _given(reader, clip, heard, expected.way)
            off = abs(got.confidence - expected.confidence)
            if got.text == expected.text and off <= tolerance:  # a NaN is never within
                continue
            raise ModelError(
                f"{named} does not read its golden clip {clip.name!r} ({expected.way}) as it did when it was packed: "
                f"expected {_told(expected)}, got {_told(got)}, where {tolerance:g} is allowed",
                CURE,
            )


def _ways(reader: Reader) -> list[Way]:
    """The ways in which the reader's bundle can be read."""
    return [way for way in WAYS[reader.bundle.kind] if way != "grammar" or reader.grammar is not None]


def _margin(reader: Reader, mouth: MouthClip, way: Way) -> float:
    """How many times as likely the reading is as the runner-up."""
    (read,) = reader.decode_many([mouth], [BOUNDS[way]])
    return read.probability / max(read.alternatives[0].probability, NEVER_QUITE) if read.alternatives else math.inf


def _made(reader: Reader, name: str, mouth: MouthClip) -> GoldenClip:
    (heard,) = _heard(reader, [mouth])
    margins = {way: _margin(reader, mouth, way) for way in _ways(reader)}
    kept = [way for way, margin in margins.items() if margin >= min(DECISIVE, max(margins.values()))]
    return GoldenClip(name, mouth, tuple(_answer(reader, heard, way) for way in kept))


def _heard(reader: Reader, mouths: list[MouthClip]) -> list[Heard]:
    """What the network makes of the clips, whatever network it is."""
    try:
        return reader.hear(mouths)
    except LipsolError:
        raise
    except Exception as fault:  # a network of other outputs breaks in as many ways as there are
        bundle = reader.bundle
        raise ModelError(
            f"the network of {bundle.file or bundle.name} is not that of a {bundle.kind} model "
            f"({type(fault).__name__}: {fault})",
            "fetch the bundle again, or train it again",
        ) from fault


def _answer(reader: Reader, heard: Heard, way: Way) -> Answer:
    read = reader.decode(heard, BOUNDS[way])
    return Answer(way, read.text, read.confidence)


def _given(reader: Reader, clip: GoldenClip, heard: Heard, way: Way) -> Answer:
    """What a golden clip is read as now. Raises ModelError if it can't be, as by a grammar that it is too short for."""
    try:
        return _answer(reader, heard, way)
    except BadInput as fault:
        named = reader.bundle.file or reader.bundle.name
        raise ModelError(f"{named} can't read its golden clip {clip.name!r} ({way}): {fault.detail}", CURE) from fault


def _told(answer: Answer) -> str:
    sure = "nothing" if math.isnan(answer.confidence) else f"{answer.confidence:.4f}"
    return f"{answer.text!r} at {sure}"


def _middle(mouth: MouthClip) -> MouthClip:
    start = max(0, (len(mouth) - FRAMES) // 2)
    return mouth.cut(start, start + FRAMES)
