"""What the tensors are called and mean: n mouths in, n readings out. Pure.

INPUTS and OUTPUTS are the whole contract; metadata, checks and docs/serving.md follow from them. The first axis of
every tensor counts the clips; clips of different length are padded to the longest, and `length` says how long each is.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from lipsol.clips.clip import JAW_POINTS, LIP_POINTS, MOUTH_PX, MouthClip
from lipsol.errors import BadInput
from lipsol.model.prediction import Prediction
from lipsol.reader import MIN_FRAMES
from services.inference.oip.tensors import texts

CLIPS_MAX = 64  # of one request
GRAMMAR_BYTES = 256 * 1024  # of one clip's grammar: a phrase list of some thousand words
FAR = 100.0  # no point of a face is farther from the mouth's centre, in units of the mouth picture's side


@dataclass(frozen=True)
class Declared:
    """A tensor that is taken or given. shape: without the axis of the clips; -1: the frames."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    meaning: str
    required: bool = True

    @property
    def full_shape(self) -> tuple[int, ...]:
        """With the axis of the clips, -1 where any length will do."""
        return (-1, *self.shape)


INPUTS = (
    Declared("mouth", "UINT8", (-1, MOUTH_PX, MOUTH_PX), "the mouth, gray, upright and steady, 25 frames a second"),
    Declared("lips", "FP32", (-1, LIP_POINTS, 2), "lip points in mouth pixels / 96, origin at the picture's centre"),
    Declared("jaw", "FP32", (-1, JAW_POINTS, 2), "points of the lower face oval, in the same units"),
    Declared(
        "outline",
        "FP32",
        (-1, LIP_POINTS, 2),
        "the lip points as fractions of the camera picture; reading needs none",
        False,
    ),
    Declared("seen", "BOOL", (-1,), "whether a face was found in the frame; all were, where it is left out", False),
    Declared("length", "INT64", (), "frames of each clip; all of them, where it is left out", False),
    Declared("grammar", "BYTES", (), "a grammar's name or JSON, `none`, or empty for the bundle's own", False),
)
OUTPUTS = (
    Declared("text", "BYTES", (), "the best reading, UTF-8"),
    Declared("confidence", "FP32", (), "the calibrated probability that all of it is right"),
    Declared("abstained", "BOOL", (), "whether the reader is not sure enough to claim it"),
    Declared("alternatives", "BYTES", (), "JSON: `[{text, confidence, look}]`, other readings, most probable first"),
    Declared(
        "words", "BYTES", (), "JSON: `[{text, start_s, end_s, confidence, alike}]`, seconds from the clip's start"
    ),
    Declared("none", "FP32", (), "of a board of phrases the probability that none of them was said; else -1"),
)
TAKEN = {each.name: each for each in INPUTS}
GIVEN = {each.name: each for each in OUTPUTS}


def check(name: str, datatype: str, shape: Sequence[int]) -> None:
    """Raise BadInput for an input of a name, datatype or shape that is not taken."""
    declared = TAKEN.get(name)
    if declared is None:
        raise BadInput(f"no input is called {name[:100]!r}", f"send {', '.join(TAKEN)}")
    if datatype != declared.datatype:
        raise BadInput(f"the input {name!r} has datatype {datatype[:20]!r}", f"send {declared.datatype}")
    wanted = declared.full_shape
    fits = len(shape) == len(wanted) and all(
        has == must or must < 0 < has for has, must in zip(shape, wanted, strict=True)
    )
    if not fits:
        raise BadInput(f"the input {name!r} has shape {list(shape)[:8]}", f"send {list(wanted)}, -1 being any length")
    if shape[0] > CLIPS_MAX:
        raise BadInput(f"the input {name!r} has {shape[0]} clips", f"send at most {CLIPS_MAX} at once")


def check_wanted(names: Sequence[str]) -> tuple[str, ...]:
    """The outputs to give: those that were named, or all. Raises BadInput for one that there is not, or named twice."""
    for at, name in enumerate(names):
        if name not in GIVEN:
            raise BadInput(f"no output is called {name[:100]!r}", f"ask for {', '.join(GIVEN)}")
        if name in names[:at]:
            raise BadInput(f"the output {name!r} is asked for twice", "ask once")
    return tuple(names) or tuple(GIVEN)


def mouths_of(arrays: Mapping[str, np.ndarray]) -> list[MouthClip]:
    """The mouths in a request's inputs. Raises BadInput where they don't fit each other, or are no mouths."""
    missing = [each.name for each in INPUTS if each.required and each.name not in arrays]
    if missing:
        raise BadInput(f"the inputs {', '.join(missing)} are missing", "send them")
    clips, frames = arrays["mouth"].shape[:2]
    for name, array in arrays.items():
        if array.shape[0] != clips or (-1 in TAKEN[name].shape and array.shape[1] != frames):
            raise BadInput(
                f"the input {name!r} has shape {list(array.shape)} beside {clips} mouths of {frames} frames",
                "send one of each for every frame",
            )
        _check_points(name, array)
    outline = arrays.get("outline", np.broadcast_to(np.float32(0), (clips, frames, LIP_POINTS, 2)))
    seen = arrays.get("seen", np.broadcast_to(np.True_, (clips, frames)))
    return [
        MouthClip(
            arrays["mouth"][n, :end], arrays["lips"][n, :end], arrays["jaw"][n, :end], outline[n, :end], seen[n, :end]
        )
        for n, end in enumerate(_lengths(arrays, clips, frames))
    ]


def grammars_of(arrays: Mapping[str, np.ndarray], clips: int) -> list[str]:
    """The grammar that each clip is to be read by. Raises BadInput for one that is no text, or too long."""
    if "grammar" not in arrays:
        return [""] * clips
    found = []
    for given in arrays["grammar"]:
        if len(given) > GRAMMAR_BYTES:
            raise BadInput(f"a grammar of {len(given)} bytes", f"send at most {GRAMMAR_BYTES}")
        try:
            found.append(given.decode())
        except UnicodeDecodeError as fault:
            raise BadInput("a grammar that is no UTF-8", "send its name or its JSON as UTF-8") from fault
    return found


def outputs_of(predictions: Sequence[Prediction], wanted: Sequence[str]) -> dict[str, np.ndarray]:
    """The readings as tensors, those that are wanted, in that order."""
    makers: dict[str, Callable[[], np.ndarray]] = {
        "text": lambda: texts([each.text for each in predictions]),
        "confidence": lambda: np.array([each.confidence for each in predictions], np.float32),
        "abstained": lambda: np.array([each.abstained for each in predictions], bool),
        "alternatives": lambda: texts([_alternatives(each) for each in predictions]),
        "words": lambda: texts([_words(each) for each in predictions]),
        "none": lambda: np.array([-1 if each.none is None else each.none for each in predictions], np.float32),
    }
    return {name: makers[name]() for name in wanted}


def _check_points(name: str, array: np.ndarray) -> None:
    """Raise BadInput for points that are nowhere, or off any face: a network makes nonsense of them."""
    if array.dtype == np.float32 and not (np.abs(array) <= FAR).all():  # false for what is no number, too
        raise BadInput(f"the input {name!r} has points that are no numbers up to {FAR:g}", "send points of a face")


def _lengths(arrays: Mapping[str, np.ndarray], clips: int, frames: int) -> list[int]:
    lengths = arrays["length"].tolist() if "length" in arrays else [frames] * clips
    for length in lengths:
        if not MIN_FRAMES <= length <= frames:
            raise BadInput(
                f"a clip of {length} frames, in tensors of {frames}", f"send {MIN_FRAMES} or more, and say how many"
            )
    return list(lengths)


def _alternatives(prediction: Prediction) -> str:
    return _json([asdict(each) for each in prediction.alternatives])


def _words(prediction: Prediction) -> str:
    return _json([asdict(each) for each in prediction.words])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
