"""Events as the edge and the readers publish them, for tests of the analyst."""

import itertools

from lipsol.events import Claim, DeadLetter, FeedbackGiven, ModelName, MouthReady, PredictionMade, to_bytes
from lipsol.topics import CANARY_MOUTHS, STABLE_MOUTHS
from lipsol.traffic import part

OLD, NEW = "a" * 64, "c" * 64  # digests of the two bundles
NUMBERS = itertools.count()


def reading(clip: str, track="stable", *, at: float, shadow=False, **changes):
    """A reading of a clip that came in at `at`; ms: that it waited and was read beyond the edge's stages."""
    digest = changes.pop("digest", NEW if track == "canary" else OLD)
    ms = changes.pop("ms", 100.0)
    queue, read = changes.pop("waited", ms / 2), ms / 2
    timings = {"decode": 40.0, "face": 60.0, "queue": queue, "read": read, "total": 100.0 + queue + read}
    values = {
        "clip_id": clip,
        "prediction_id": f"{clip} {digest}",
        "text": "bin blue at f two now",
        "confidence": 0.9,
        "abstained": False,
        "alternatives": (),
        "words": (),
        "language": "en",
        "grammar": None,
        "model": ModelName("grid", "1", digest),
        "track": track,
        "shadow": shadow,
        "timings_ms": timings,
        "quality": {},
        "made_at": at + 0.2,
        "received_at": at,
        "part": part(clip),
    }
    return PredictionMade(**(values | changes))


def death(clip: str, track="canary", *, at: float, shadow=False, language="en"):
    """A letter for a mouth that was given up on that track."""
    topic = (CANARY_MOUTHS if track == "canary" else STABLE_MOUTHS).name
    claim = Claim(b"mouth", "", "f" * 64, 5, 0.0)
    mouth = MouthReady(clip, "", track, shadow, "", "", "", language, claim, 1, {}, {}, at, 0.0)
    return DeadLetter(
        clip, clip, shadow, topic, 0, next(NUMBERS), "it failed", "", "exhausted", "inference", 3, to_bytes(mouth)
    )


def judged(clip: str, track="stable", *, at: float, verdict="right", text=None):
    """What a person said of a clip's reading."""
    name = f"{clip} {verdict} {text}"
    return FeedbackGiven(clip, name, text, verdict, "bin blue at f two now", OLD, at, track=track, language="en")
