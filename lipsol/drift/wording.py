"""A finding in plain words, for an operator who knows no statistics."""

from collections.abc import Sequence

from lipsol.drift.comparison import Comparison

KINDS = {
    "camera": "Pictures are not what they were",
    "speaker": "Other people speak than the model knows",
    "mix": "Other things are said than before",
    "model": "The model reads worse than it did, and what comes in is as it was",
    "software": "Mouths are cut out wrongly before they are read, and pictures are as they were",
}
ELSE = {
    "camera": "another camera or light",
    "speaker": "other people",
    "mix": "other things being said",
    "model": "a worse model",
    "software": "a fault in our software",
}
REMEDIES = {
    "tell-users": "Tell the people at the cameras.",
    "retrain": "Train with clips of what comes now.",
    "roll-back": "Go back to the model before.",
    "repair": "Look at what was deployed last.",
    "nothing": "It is read as surely as before, so nothing needs to be done.",
}
CHANGES = {  # measure -> in words, unit: what is said of a rise, and of a fall
    "seconds": ("clips are longer", "clips are shorter", " s"),
    "source_fps": ("more frames a second", "fewer frames a second", ""),
    "dropped_frames": ("more frames are missing", "fewer frames are missing", ""),
    "brightness": ("brighter", "darker", " of 255"),
    "contrast": ("more contrast", "less contrast", ""),
    "sharpness": ("sharper", "more blurred", ""),
    "face_found": ("the face is seen more of the time", "the face is seen less of the time", ""),
    "mouth_px": ("mouths are larger", "mouths are smaller", " pixels"),
    "yaw_deg": ("heads are turned further to one side", "heads are turned further to the other side", " degrees"),
    "motion": ("lips move more", "lips move less", ""),
    "faces": ("more faces in the picture", "fewer faces in the picture", ""),
    "confidence": ("the model is surer", "the model is less sure", ""),
    "entropy": ("the network doubts more", "the network doubts less", ""),
    "length": ("readings are longer", "readings are shorter", " characters"),
    "abstained": ('"not sure" is answered more often', '"not sure" is answered less often', ""),
    "calibration": ("more is right than confidence says", "less is right than confidence says", ""),
    "wer": ("more words are corrected", "fewer words are corrected", ""),
    "cer": ("more letters are corrected", "fewer letters are corrected", ""),
}
PLAIN = {
    "embedding": "mouths look otherwise",
    "place": "the mouth lies elsewhere in its picture",
    "mirror": "left and right are exchanged",
    "words": "other words are read",
}
MOST = 3  # measures that are named


def sentences(kind: str, remedy: str, or_else: Sequence[str], evidence: Sequence[Comparison]) -> str:
    """What is wrong, how it shows, what else it could be, and what to do."""
    shows = "; ".join(phrase(each) for each in evidence[:MOST])
    doubt = (
        f" It could as well be {' or '.join(ELSE[each] for each in or_else)}: look before you act." if or_else else ""
    )
    return f"{KINDS[kind]}: {shows}.{doubt} {REMEDIES[remedy]}"


def phrase(each: Comparison) -> str:
    """One comparison in words, with what it was and is where that can be said."""
    if each.measure not in CHANGES:
        return PLAIN.get(each.measure, f"{each.measure} differs")
    more, less, unit = CHANGES[each.measure]
    told = more if each.change > 0 else less
    return f"{told} ({_number(each.was + each.change)} instead of {_number(each.was)}{unit})"


def _number(value: float) -> str:
    """Three digits are enough for anybody."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value + 0.0:.3g}"
