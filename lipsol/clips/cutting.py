"""Where a recording is cut into windows: where the lips rest; pure.

A window is what is read as one: an utterance. It ends in the first clear rest of the lips, or in the quietest moment
when they do not rest for `MOST`; a rest that goes on is a window of its own, that nobody needs to read, and so is a
time in which no face is seen. So windows follow each other without a hole. The clip of a window may reach a little
into its neighbours, as far as they rest there, or some frames where nobody rested, so that no word is cut in two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import median_filter, uniform_filter1d

from lipsol.clips.face import EYE_CORNERS, FaceTrack
from lipsol.clips.mouth import LIPS

# In frames at 25 a second.
LEAST = 38  # of an utterance: 1.5 s, unless the recording or the face ends before
MOST = 300  # of an utterance: 12 s, from when on it is cut where it is quietest
REST = 8  # that lips rest before it is a rest: 0.3 s; in speech they stand still for a sound, a third of that
WORD = 9  # that lips move at least for something said: 0.36 s; less is a twitch, or a camera that jumps
LEAD = 13  # of a rest that are kept before and after speech: 0.5 s, as in the clips that models learn from
AWAY = 13  # without a face that make a gap: 0.5 s
OVERLAP = 5  # that the clips of two windows share in a rest: 0.2 s
WIDE = 15  # the same where nobody rested: 0.6 s, longer than most words
ROOM = MOST + 2 * LEAD  # after so many frames `cut` always finds an end

# Lips at rest move by 0.001 of the distance of the eyes a frame, which is how far landmarks tremble; GRID's speakers
# stay above 0.0025 for nine tenths of the time that they speak.
STILL = 0.002
STILL_SHARE = 0.3  # of the liveliest tenth: in a picture of more noise, what is still trembles more

Kind = Literal["speech", "rest", "away"]


@dataclass(frozen=True)
class Cut:
    """Where a window ends; all in frames from its start.

    end    the next window begins here
    reach  the clip of this one goes on until here: at or after `end`
    back   the clip of the next one begins here: at or before `end`
    kind   what the window is: something said, lips that rest, or no face
    """

    end: int
    reach: int
    back: int
    kind: Kind


def liveliness(track: FaceTrack) -> Float[np.ndarray, "frames"]:
    """How far the lip points move from frame to frame against each other, in distances of the eyes; NaN: no face.

    What the head does to all points alike is taken out; single frames that jump (a new search for the face) as well.
    """
    points = track.points[:, LIPS].astype(np.float64)
    eyes = track.points[:, EYE_CORNERS].astype(np.float64)
    span = np.maximum(np.linalg.norm(eyes[:, 1] - eyes[:, 0], axis=-1), 1e-3)
    shape = (points - points.mean(1, keepdims=True)) / span[:, np.newaxis, np.newaxis]
    moved = np.zeros(len(points))
    moved[1:] = np.sqrt(np.square(np.diff(shape, axis=0)).sum(-1).mean(-1))
    moved[1:][~(track.found[1:] & track.found[:-1])] = 0.0
    live = uniform_filter1d(median_filter(moved, 5, mode="nearest"), 3, mode="nearest")
    return np.where(track.found, live, np.nan)


def cut(live: Float[np.ndarray, "frames"], *, ended: bool) -> Cut | None:
    """The end of the window that begins with the first of these frames; None: more frames are needed to tell.

    live: as `liveliness` has it. ended: nothing comes after them. There is always an end after `ROOM` frames, and, if
    there is a frame at all, once `ended`.
    """
    if not len(live):
        return None
    away = _long(np.isnan(live), AWAY)
    if away[0]:
        end = _first(~away, len(live))
        return Cut(end, end, end, "away") if ended or end < len(live) or end >= MOST else None
    limit = _first(away, len(live))
    closed = ended or limit < len(live)
    moving = _speaking(live[:limit], closed=closed)
    began = _first(moving, limit)
    if began == limit and closed:
        return Cut(limit, limit, limit, "rest")
    if began - LEAD >= LEAD:
        return Cut(began - LEAD, began - LEAD, began - LEAD - OVERLAP, "rest")
    if began == limit:
        return None
    return _in_speech(live[:limit], moving, began, closed=closed)


def _in_speech(live: np.ndarray, moving: np.ndarray, began: int, *, closed: bool) -> Cut | None:
    """The end of a window whose speech begins at `began`."""
    limit = len(live)
    for start, end in _runs(~moving[:ROOM]):
        if start < began or end - start < REST or min(end, start + 2 * LEAD) < LEAST:
            continue
        if start > MOST:
            break
        if end == limit and end - start < 2 * LEAD:
            if not closed:
                return None  # it may go on
            break
        at = max(min((start + end) // 2, start + LEAD), min(LEAST, end))
        if at > MOST:
            break
        return Cut(at, min(end, at + OVERLAP), max(start, at - OVERLAP), "speech")
    if closed and limit <= MOST:
        return Cut(limit, limit, limit, "speech")
    if limit < ROOM and not closed:
        return None
    at = MOST // 3 + int(np.argmin(uniform_filter1d(_known(live)[:MOST], 7)[MOST // 3 :]))
    return Cut(at, min(limit, at + WIDE), at - WIDE, "speech")


def _speaking(live: np.ndarray, *, closed: bool) -> Bool[np.ndarray, "frames"]:
    """Where something is said: lips move for a while, with no rest in between. A moment without a face counts too.

    closed: movement at the very end does not go on behind it.
    """
    known = live[~np.isnan(live)]
    bound = max(STILL, STILL_SHARE * float(np.percentile(known, 90))) if len(known) else STILL
    moving = ~(live < bound)
    speaking = ~_long(~moving, REST) & moving.any()
    if len(live) and not closed and moving[-REST:].any():
        return _long(np.append(speaking, [speaking[-1]] * WORD), WORD)[: len(live)]
    return _long(speaking, WORD)


def _known(live: np.ndarray) -> np.ndarray:
    """The same with a high value where there was no face, so that nothing is cut there."""
    return np.where(np.isnan(live), np.inf if np.isnan(live).all() else np.nanmax(live), live)


def _runs(flags: np.ndarray) -> Iterator[tuple[int, int]]:
    """Start and end of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _long(flags: np.ndarray, least: int) -> Bool[np.ndarray, "frames"]:
    """The flags with runs shorter than `least` taken out."""
    kept = np.zeros(len(flags), bool)
    for start, end in _runs(flags):
        kept[start:end] = end - start >= least
    return kept


def _first(flags: np.ndarray, without: int) -> int:
    """Where the first True is; `without`, if there is none."""
    found = np.flatnonzero(flags)
    return int(found[0]) if len(found) else without
