"""An event as what is measured of it: what drift is looked for in, what a person's word says, and what is plotted.

Pure. Texts end here: what goes on are numbers, and words that are counted.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from lipsol.drift.features import NUMBERS, Observation, Told
from lipsol.events import FeedbackGiven, PredictionMade
from lipsol.text.rates import NO_RATE, Rate, character_rate, word_rate
from services.monitor.group import Group

QUALITY: Mapping[str, str] = {  # histogram of the catalogue -> measure of a mouth's quality record
    "lipsol_brightness_levels": "brightness",
    "lipsol_contrast_levels": "contrast",
    "lipsol_sharpness_variance": "sharpness",
    "lipsol_face_found_ratio": "face_found",
    "lipsol_mouth_width_pixels": "mouth_px",
    "lipsol_yaw_degrees": "yaw_deg",
    "lipsol_motion_ratio": "motion",
    "lipsol_frame_rate_hertz": "source_fps",
    "lipsol_clip_seconds": "seconds",
    "lipsol_dropped_frames": "dropped_frames",
}
FACES = "lipsol_view_faces"
INPUTS = (*QUALITY, FACES)
OUTPUTS = ("lipsol_confidence_ratio", "lipsol_entropy_ratio", "lipsol_text_characters", "lipsol_text_words")
MARK_BYTES = 8


def group_of(made: PredictionMade) -> Group:
    """Whose reading it is."""
    return Group(made.track, made.model.name, made.model.digest, made.language, made.shadow)


def group_told_of(given: FeedbackGiven) -> Group | None:
    """Whose reading a person was shown; None: the event does not tell."""
    if given.track is None or not given.model:
        return None
    return Group(given.track, given.model, given.model_digest, given.language)


def inputs(made: PredictionMade) -> dict[str, float]:
    """Histogram -> what it was for this clip; a head's turn is told whichever way it is."""
    found = {name: abs(made.quality[measure]) for name, measure in QUALITY.items() if measure in made.quality}
    if made.faces:
        found[FACES] = float(made.faces)
    return found


def outputs(made: PredictionMade) -> dict[str, float]:
    """Histogram -> what it was for this reading."""
    confidence, entropy, characters, words = OUTPUTS
    found = {confidence: made.confidence, characters: float(len(made.text)), words: float(len(made.text.split()))}
    if made.entropy is not None:
        found[entropy] = made.entropy
    return found


def observation(made: PredictionMade) -> Observation:
    """The clip as drift's detector sees it."""
    numbers = {name: value for name, value in made.quality.items() if name in NUMBERS}
    if made.faces:
        numbers["faces"] = float(made.faces)
    told = {"confidence": made.confidence, "length": float(len(made.text))}
    if made.entropy is not None:
        told["entropy"] = made.entropy
    return Observation(numbers, made.embedding, told, made.abstained, Counter(made.text.split()))


def mark(made: PredictionMade) -> bytes:
    """The text as something that equals another reading's of the same clip, and tells nothing without the clip's id."""
    return hashlib.blake2b(made.text.encode(), key=made.clip_id.encode()[:64], digest_size=MARK_BYTES).digest()


@dataclass(frozen=True)
class Judged:
    """What a person said of a reading, in numbers.

    right       whether all of it was right
    corrected   they gave other words
    confidence  that they were shown; None: not known
    words, characters  the clip's share of the error rates; nothing where the right words are not known
    """

    right: bool
    corrected: bool
    confidence: float | None = None
    words: Rate = NO_RATE
    characters: Rate = NO_RATE

    def told(self) -> Told:
        """The same as drift's detector takes it."""
        words, characters = self.words, self.characters
        return Told(self.confidence, self.right, words.edits, words.said, characters.edits, characters.said)


def judged(given: FeedbackGiven) -> Judged | None:
    """What it says of the reading; None: nothing, as from one who gave up."""
    if given.text is None and given.verdict is None:
        return None
    truth = given.text if given.text is not None else given.reading if given.verdict == "right" else ""
    right = given.verdict == "right" or truth == given.reading
    if not truth:
        return Judged(right, False, given.confidence)
    words, characters = word_rate(truth, given.reading), character_rate(truth, given.reading)
    return Judged(right, not right, given.confidence, words, characters)
