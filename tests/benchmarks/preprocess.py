"""Watching against MediaPipe's Face Mesh plus a crop, in frames a second of one core; and what watching skips.

Fair: the same frames in turns, each counted by the CPU time that it took, whatever its threads are. The first ratio is
like for like: both look out for as many faces as the platform does, and both get frames that are decoded already. The
others say what becomes of it where MediaPipe may settle for the first face, and where each decodes for itself (ours in
its sandbox).
"""

import json
import statistics
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

from lipsol.clips.clip import Clip, MouthClip
from lipsol.clips.face import MAX_FACES, FaceFinder, FaceTrack
from lipsol.clips.mouth import LIPS, STEADY_FRAMES, follow_mouth, talking_face
from lipsol.clips.video import decode
from tests.benchmarks.environments import python_with
from tests.benchmarks.figures import Figure, cpu_seconds
from tests.benchmarks.ground import Ground

ROUNDS = 3  # times that each goes through the clips, in turns
FASTER = 2.5  # times MediaPipe's frames a second that watching must reach
CENTRE_PX = 2.0  # that a mouth's centre may be off at the 95th percentile
PROGRAM = Path(__file__).with_name("mediapipe_program.py")
Run = Callable[[], float]  # frames a second of CPU time


def measure(ground: Ground) -> list[Figure]:
    """Ratios to MediaPipe, how far crops are off, and how seldom the whole picture is searched."""
    clips = [decode(data) for data in ground.clips]
    return [*_against_mediapipe(ground.clips, clips), *_of_searching(clips)]


def _against_mediapipe(films: Sequence[bytes], clips: Sequence[Clip]) -> list[Figure]:
    finder, frames = FaceFinder(), sum(len(clip.frames) for clip in clips)

    def ours() -> float:
        return frames / cpu_seconds(lambda: [_mouth(finder, clip) for clip in clips])

    def ours_decoding() -> float:
        return frames / cpu_seconds(lambda: [_mouth(finder, decode(film)) for film in films])

    with TemporaryDirectory() as folder, _mediapipe() as ask:
        names = _laid_out(Path(folder), films, clips)

        def theirs(kind: str, faces: int) -> float:
            told = ask({"faces": faces, "clips": names[kind]})
            return float(told["frames"] / told["cpu_s"])

        pairs: dict[str, tuple[Run, Run]] = {
            "mediapipe": (ours, lambda: theirs("frames", MAX_FACES)),
            "mediapipe_one_face": (ours, lambda: theirs("frames", 1)),
            "mediapipe_decoding": (ours_decoding, lambda: theirs("films", MAX_FACES)),
        }
        rates = {name: [(one(), other()) for _ in range(1 + ROUNDS)][1:] for name, (one, other) in pairs.items()}
    return [figure for name, held in rates.items() for figure in _compared(name, held)]


def _compared(name: str, rates: Sequence[tuple[float, float]]) -> list[Figure]:
    """The median of the rounds' ratios, and both rates; only the comparison like for like has a target."""
    own, other = (statistics.median(each) for each in zip(*rates, strict=True))
    ratio = statistics.median(one / another for one, another in rates)
    return [
        Figure(f"{name}_watching", round(own, 1), "frames/s/core"),
        Figure(f"{name}_itself", round(other, 1), "frames/s/core"),
        Figure(f"{name}_ratio", round(ratio, 2), "times", FASTER if name == "mediapipe" else None),
    ]


def _mouth(finder: FaceFinder, clip: Clip) -> MouthClip:
    return follow_mouth(clip, talking_face(finder.follow(clip.frames)))


@contextmanager
def _mediapipe() -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    command = [str(python_with("mediapipe")), str(PROGRAM)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        line_in, line_out = child.stdin, child.stdout

        def ask(order: dict[str, Any]) -> dict[str, Any]:
            print(json.dumps(order), file=line_in, flush=True)
            answer = line_out.readline()
            if not answer:
                raise RuntimeError(f"MediaPipe ended by itself; run it by hand: {' '.join(command)}")
            return json.loads(answer)

        try:
            yield ask
        finally:
            line_in.close()


def _laid_out(folder: Path, films: Sequence[bytes], clips: Sequence[Clip]) -> dict[str, list[str]]:
    """Paths of the clips as files: decoded, and not."""
    for number, (film, clip) in enumerate(zip(films, clips, strict=True)):
        np.save(folder / f"{number}.npy", clip.frames)
        (folder / f"{number}.mp4").write_bytes(film)
    numbers = range(len(films))
    return {
        "frames": [str(folder / f"{number}.npy") for number in numbers],
        "films": [str(folder / f"{number}.mp4") for number in numbers],
    }


class Counting(FaceFinder):
    """Counts its searches of the whole picture."""

    searches = 0

    def detect(self, frame: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        self.searches += 1
        return super().detect(frame)


def _of_searching(clips: Sequence[Clip]) -> list[Figure]:
    finder = Counting()
    for clip in clips:
        finder.follow(clip.frames)
    searched = 100 * finder.searches / sum(len(clip.frames) for clip in clips)
    off = {passes: np.concatenate([crops_apart(finder, clip, passes) for clip in clips]) for passes in (1, 2)}
    return [
        Figure("face_searches", round(searched, 2), "per 100 frames"),
        Figure("mouth_centre_off_p95", _p95(off[1]), "px", CENTRE_PX, below=True),
        Figure("mouth_centre_off_settled_p95", _p95(off[2]), "px"),
    ]


def _p95(values: np.ndarray) -> float:
    return round(float(np.percentile(values, 95)), 3)


def crops_apart(finder: FaceFinder, clip: Clip, passes: int = 1) -> np.ndarray:
    """How far the crops' centres are from where they are when the face is detected anew in every frame, px a frame.

    passes  1: the mesh looks where the detector says, whose boxes are a little off; 2: and once more where the mesh
            itself then says, as it does when it follows
    """
    afresh = [finder.follow(np.repeat(frame[np.newaxis], passes, axis=0)) for frame in clip.frames]
    points = np.stack([talking_face(found).points[-1] for found in afresh])
    detected = FaceTrack(points, np.ones(len(points), bool))
    apart = crop_centres(talking_face(finder.follow(clip.frames))) - crop_centres(detected)
    return np.asarray(np.linalg.norm(apart, axis=-1))


def crop_centres(track: FaceTrack) -> np.ndarray:
    """Where in the picture the middle of each mouth crop lies, px, shape (frames, 2); for a face found in every frame.

    As `follow_mouth` has it: the mean of the lip points, smoothed over time.
    """
    return np.asarray(gaussian_filter1d(track.points[:, LIPS].mean(1), STEADY_FRAMES, axis=0, mode="nearest"))
