"""A recording -> the windows that are read of it, one by one, in memory that does not grow with its length.

Frames come in segments from the decoder. In each the faces are found anew, and known again by place and size; every
frame is looked at once. What was seen last is held until `cutting` finds where a window ends. A window that can't be
read is told with its reason, like one that can; it does not keep the others from being read. A file that breaks off
midway is read until there.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import UInt8

from lipsol.clips.clip import FPS, Clip
from lipsol.clips.cutting import MOST, ROOM, Cut, cut, liveliness
from lipsol.clips.face import MESH_POINTS, FaceTrack
from lipsol.clips.mouth import lip_motion, talking_face
from lipsol.clips.quality import require_face
from lipsol.clips.video import SEGMENT_S
from lipsol.clips.watched import Watched, watched
from lipsol.errors import BadInput

HELD = ROOM + round(SEGMENT_S * FPS) * 2  # frames in memory at most
PEOPLE = 4  # that are kept apart at once
NEAR = 0.75  # of its own width that a face may have moved between two segments
ALIKE = 1.6  # times that it may have grown or shrunk
LOYAL = 0.5  # of the liveliest's motion: whoever was read last is read on while this one moves the lips so much

Follow = Callable[[UInt8[np.ndarray, "frames height width 3"]], list[FaceTrack]]


@dataclass(frozen=True)
class Window:
    """A part of a recording, from start_s to end_s; each begins where the one before it ended.

    number    of the windows, from 0
    clip_s    where its clip begins, a little before or at start_s: the zero of its words' times
    watched   the mouth to read; None: there is nothing to be read
    fault     why not; None: the lips rest
    """

    number: int
    start_s: float
    end_s: float
    clip_s: float
    watched: Watched | None = None
    fault: BadInput | None = None


@dataclass(eq=False)
class _Person:
    """A face over the frames held: points and whether it was found; and its box when it was seen last."""

    points: np.ndarray
    found: np.ndarray
    box: np.ndarray

    def track(self, end: int) -> FaceTrack:
        """What is known of it in the first `end` frames."""
        return FaceTrack(self.points[:end], self.found[:end])


@dataclass
class Reel:
    """The frames that are held, and the people in them; frame 0 is where the next window's clip begins.

    began  frames of the recording before that
    lead   frames of it that belong to the window before
    """

    began: int = 0
    lead: int = 0
    count: int = 0
    source_fps: float = FPS
    dropped: int = 0
    codec: str = ""
    people: list[_Person] = field(default_factory=list)
    reader: _Person | None = None
    _frames: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0, 3), np.uint8))

    def add(self, clip: Clip, tracks: Sequence[FaceTrack]) -> None:
        """Take the next segment."""
        if not len(self._frames):
            self._frames = np.empty((HELD, *clip.frames.shape[1:]), np.uint8)
        end = self.count + len(clip.frames)
        self._frames[self.count : end] = clip.frames
        strangers = self.people[:]
        for track in tracks:
            person = _known_again(track, strangers)
            if person is None:
                person = _Person(np.zeros((HELD, MESH_POINTS, 2), np.float32), np.zeros(HELD, bool), np.zeros(4))
                self.people.append(person)
            else:
                strangers.remove(person)
            person.points[self.count : end], person.found[self.count : end] = track.points, track.found
            person.box = _box(track.points[np.flatnonzero(track.found)[-1]])
        self.count = end
        self.source_fps, self.dropped, self.codec = clip.source_fps, self.dropped + clip.dropped, clip.codec
        self._leave_out()

    def clip(self, end: int) -> Clip:
        """The first `end` frames."""
        return Clip(self._frames[:end], FPS, self.source_fps, self.dropped, self.codec)

    def drop(self, frames: int) -> None:
        """Forget the first frames."""
        left = self.count - frames
        self._frames[:left] = self._frames[frames : self.count]
        for person in self.people:
            person.points[:left] = person.points[frames : self.count]
            person.found[:left] = person.found[frames : self.count]
            person.found[left:] = False
        self.count, self.began, self.dropped = left, self.began + frames, 0
        self._leave_out()

    def choose(self) -> _Person | None:
        """Whose lips are read: the one of the window before, as long as that one speaks; else who moves them most."""
        end = min(self.count, self.lead + MOST)
        seen = [person for person in self.people if person.found[self.lead : end].any()]
        if not seen:
            return None
        tracks = {id(person): person.track(end) for person in seen}
        best = talking_face(list(tracks.values()))
        liveliest = next(person for person in seen if tracks[id(person)] is best)
        before = next((person for person in seen if person is self.reader), None)
        if before is None or lip_motion(tracks[id(before)]) < LOYAL * lip_motion(best):
            return liveliest
        return before

    def _leave_out(self) -> None:
        """Forget people who are not in what is held; of more than `PEOPLE`, those least seen."""
        here = [person for person in self.people if person is self.reader or person.found.any()]
        here.sort(key=lambda person: (person is not self.reader, -int(person.found.sum())))
        self.people = here[:PEOPLE]


def windows(clips: Iterator[Clip], follow: Follow) -> Iterator[Window]:
    """The windows of a recording whose frames come as `clips`, each as soon as its end is known.

    follow finds the faces in some frames. Raises BadInput where nothing of the recording can be decoded.
    """
    reel, number, timings = Reel(), 0, dict.fromkeys(("decode", "face"), 0.0)
    broken: BadInput | None = None
    ended = False
    while not ended or reel.count > reel.lead:
        end = _next_end(reel, ended=ended)
        if end is None:
            began = time.perf_counter()
            try:
                clip = next(clips, None)
            except BadInput as fault:
                if not reel.began and not reel.count:
                    raise
                broken, clip = fault, None
            timings["decode"] += _ms_since(began)
            ended = clip is None
            if clip is not None:
                began = time.perf_counter()
                reel.add(clip, follow(clip.frames))
                timings["face"] += _ms_since(began)
            continue
        yield _window(reel, end, number, timings)
        number += 1
        timings = dict.fromkeys(timings, 0.0)
        reel.drop(reel.lead + end.back)
        reel.lead = end.end - end.back
    if broken is not None:
        at = (reel.began + reel.lead) / FPS
        yield Window(number, at, at, at, None, broken)


def _next_end(reel: Reel, *, ended: bool) -> Cut | None:
    person = reel.choose()
    own = slice(reel.lead, reel.count)
    live = np.full(reel.count - reel.lead, np.nan) if person is None else liveliness(person.track(reel.count))[own]
    found = cut(live, ended=ended)
    if found is not None:
        reel.reader = person or reel.reader
    return found


def _window(reel: Reel, end: Cut, number: int, timings_ms: dict[str, float]) -> Window:
    """The window that ends there, as the reel holds it."""
    start = reel.began + reel.lead
    told = Window(number, start / FPS, (start + end.end) / FPS, reel.began / FPS)
    if end.kind == "rest":
        return told
    clip = reel.clip(reel.lead + end.reach)
    tracks = [person.track(len(clip.frames)) for person in reel.people]
    tracks = [track for track in tracks if track.found.any()]
    chosen = FaceTrack(np.zeros((0, MESH_POINTS, 2), np.float32), np.zeros(0, bool))
    if end.kind == "speech" and reel.reader is not None:
        chosen = reel.reader.track(len(clip.frames))
    try:
        require_face(clip, float(chosen.found.mean()) if len(chosen.found) else 0.0)
        seen = watched(clip, chosen, len(tracks), {name: round(ms, 3) for name, ms in timings_ms.items()})
    except BadInput as fault:
        return replace(told, fault=fault)
    return replace(told, watched=seen)


def _known_again(track: FaceTrack, people: Sequence[_Person]) -> _Person | None:
    """Who of `people` this face is: the nearest one, if it is near and of like size."""
    box = _box(track.points[np.flatnonzero(track.found)[0]])
    nearest = min(people, key=lambda person: _distance(person.box, box), default=None)
    if nearest is None or _distance(nearest.box, box) > NEAR:
        return None
    sizes = sorted(float(each[2] - each[0]) for each in (nearest.box, box))
    return nearest if sizes[1] <= ALIKE * sizes[0] else None


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """Between the centres of two boxes, in widths of the first."""
    apart = (one[:2] + one[2:] - other[:2] - other[2:]) / 2
    return float(np.linalg.norm(apart)) / max(float(one[2] - one[0]), 1.0)


def _box(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points.min(0), points.max(0)])


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1e3
