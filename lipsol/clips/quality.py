"""What the picture was like, measured on every clip, and the reasons to refuse one, in a person's words."""

from dataclasses import asdict, dataclass

import cv2
import numpy as np

from lipsol.clips.clip import FPS, Clip, MouthClip
from lipsol.clips.face import FaceTrack
from lipsol.clips.mouth import LIPS, MOUTH_CORNERS, lip_motion, mouth_width
from lipsol.errors import BadInput

MIN_BRIGHTNESS = 20.0  # of 255; below this cameras show mostly noise
MIN_FOUND = 0.5  # share of the frames in which the face must be seen
MIN_MOUTH_PX = 14.0  # corner to corner; GRID's mouths have about 40
MAX_YAW_DEG = 50.0  # beyond it half of the mouth is hidden
MIN_MOTION = 0.004  # of mouth width; lips at rest and landmark noise stay below
MOTION_AFTER_S = 1.0  # clips shorter than this may be one closed-mouthed word, so motion is not asked of them
NOSE_TIP, CHEEKS, MID_LIPS = 1, (234, 454), (13, 14)  # mesh points

LIGHT_UP = "light your face from the front"


@dataclass(frozen=True)
class Quality:
    """The quality record of a clip.

    seconds     length in seconds
    source_fps  frame rate of the file, Hz
    dropped_frames  frames that the file lacks
    brightness  mean gray of the picture, 0 to 255
    contrast    standard deviation of gray in the mouth picture, 0 to 128
    sharpness   variance of the mouth picture's Laplacian (Pech-Pacheco et al. 2000); low is blurred
    face_found  share of the frames in which the face was seen, 0 to 1
    mouth_px    median distance of the mouth's corners in the file's own pixels as decoded
    yaw_deg     median turn of the head to the side, degrees, roughly, from the nose's place between the cheeks
    motion      standard deviation of the lips' opening over mouth width
    """

    seconds: float
    source_fps: float
    dropped_frames: float
    brightness: float
    contrast: float
    sharpness: float
    face_found: float
    mouth_px: float
    yaw_deg: float
    motion: float

    def as_dict(self) -> dict[str, float]:
        """Name -> value, rounded to four digits."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def require_face(clip: Clip, found: float) -> None:
    """Refuse a clip in which the face is seen in less than `MIN_FOUND` of the frames (`found`, 0 to 1)."""
    if found >= MIN_FOUND:
        return
    light = brightness(clip)
    if light < MIN_BRIGHTNESS:
        raise BadInput(
            f"the picture is nearly black (brightness {light:.0f} of 255, at least {MIN_BRIGHTNESS:.0f} needed)",
            LIGHT_UP,
        )
    missing = clip.seconds * (1 - found)
    raise BadInput(f"no face for {missing:.1f} of {clip.seconds:.1f} s", f"face the camera, and {LIGHT_UP}")


def measure(clip: Clip, track: FaceTrack, mouth: MouthClip) -> Quality:
    """The quality record of a clip whose face was followed."""
    points = track.points[track.found]
    return Quality(
        seconds=clip.seconds,
        source_fps=clip.source_fps,
        dropped_frames=float(clip.dropped),
        brightness=brightness(clip),
        contrast=float(np.mean([np.std(picture) for picture in mouth.mouth])),
        sharpness=float(np.median([cv2.Laplacian(picture, cv2.CV_32F).var() for picture in mouth.mouth])),
        face_found=float(track.found.mean()),
        mouth_px=float(np.median(mouth_width(points))),
        yaw_deg=_yaw_deg(points),
        motion=lip_motion(track),
    )


def of_mouth(mouth: MouthClip) -> dict[str, float]:
    """What a mouth clip still shows of its picture: the fields of `Quality` that need no more, by name.

    brightness is the mouth's, not the whole picture's; motion is measured on the lips of the mouth picture.
    """
    pictures = mouth.mouth
    top, bottom, left, right = (mouth.lips[:, LIPS.index(point)] for point in (*MID_LIPS, *MOUTH_CORNERS))
    gap, width = np.linalg.norm(top - bottom, axis=-1), np.linalg.norm(right - left, axis=-1)
    told = {
        "seconds": len(mouth) / FPS,
        "brightness": float(pictures.mean()),
        "contrast": float(np.mean([np.std(picture) for picture in pictures])),
        "sharpness": float(np.median([cv2.Laplacian(picture, cv2.CV_32F).var() for picture in pictures])),
        "face_found": float(mouth.seen.mean()),
        "motion": float(np.std(gap / np.maximum(width, 1e-6))),
    }
    return {name: round(value, 4) for name, value in told.items()}


def require_readable(quality: Quality) -> None:
    """Refuse a mouth that can't be read, saying what a person can do about it."""
    if quality.mouth_px < MIN_MOUTH_PX:
        raise BadInput(
            f"the mouth is {quality.mouth_px:.0f} pixels wide, at least {MIN_MOUTH_PX:.0f} are needed",
            "come closer to the camera",
        )
    if abs(quality.yaw_deg) > MAX_YAW_DEG:
        raise BadInput(
            f"the face is turned {abs(quality.yaw_deg):.0f} degrees away, at most {MAX_YAW_DEG:.0f} can be read",
            "face the camera",
        )
    if quality.seconds >= MOTION_AFTER_S and quality.motion < MIN_MOTION:
        raise BadInput(
            f"the lips do not move (motion {quality.motion:.4f} of the mouth's width, at least {MIN_MOTION} needed)",
            "record while speaking; a photo can't be read",
        )


def brightness(clip: Clip) -> float:
    """Mean gray of the clip, 0 to 255, from every fifth frame and fourth pixel."""
    return float(clip.frames[::5, ::4, ::4].mean())


def _yaw_deg(points: np.ndarray) -> float:
    left, right = (points[:, cheek, 0] for cheek in CHEEKS)
    off = (2 * points[:, NOSE_TIP, 0] - left - right) / np.maximum(right - left, 1e-3)
    return float(np.degrees(np.arcsin(np.clip(np.median(off), -1, 1))))
