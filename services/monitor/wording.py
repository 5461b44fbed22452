"""What the monitor found, in plain words: one headline over everything, one for each group, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lipsol.drift.wording import KINDS
from lipsol.events import Remedy
from services.monitor.views import State, Watched

Overall = Literal[State, "empty", "alerts", "not counting"]

STATES: Mapping[State, str] = {
    "quiet": "As it should be",
    "learning": "Too few clips yet to tell",
    "drift": "Not as it was",
    "no reference": "Nothing to compare with",
    "away": "What to compare with can't be had",
}
REMEDIES: Mapping[Remedy, str] = {
    "retrain": "Teach the model what comes in now: gather corrections with consent, and train it again.",
    "roll-back": "Go back to the model that read before: stop the canary, or promote the former version.",
    "tell-users": "Tell the people concerned how to light and to hold the camera. Training does not mend it.",
    "repair": "Mend the software: go back to the release before this one. Don't train on these clips.",
    "nothing": "Nothing needs doing. Where it stays like this, accept it as the new normal.",
}
MEASURES: Mapping[str, Sequence[str]] = {
    "Readings": ("lipsol_predictions_total",),
    "Confidence": ("confidence", "lipsol_confidence_ratio"),
    "Readings that were not sure": ("abstained", "lipsol_abstained_ratio"),
    "Words that people corrected": ("wer", "lipsol_corrected_word_error_ratio"),
    "Brightness": ("brightness", "lipsol_brightness_levels"),
    "Width of the mouth": ("mouth_px", "lipsol_mouth_width_pixels"),
    "Letters that people corrected": ("cer", "lipsol_corrected_character_error_ratio"),
    "Readings that people corrected": ("lipsol_corrections_total",),
    "Readings without any words": ("lipsol_empty_answers_total",),
    "Clips that people filmed again": ("lipsol_redone_total",),
    "Readings that people gave up on": ("lipsol_gave_up_total",),
    "Clips that were refused": ("lipsol_refusals_total",),
    "Pictures in which a face was found": ("face_found", "lipsol_face_found_ratio"),
    "Contrast": ("contrast", "lipsol_contrast_levels"),
    "Sharpness": ("sharpness", "lipsol_sharpness_variance"),
    "Turn of the head": ("yaw_deg", "lipsol_yaw_degrees"),
    "Motion of the lips": ("motion", "lipsol_motion_ratio"),
    "Pictures a second": ("source_fps", "lipsol_frame_rate_hertz"),
    "Pictures that were dropped": ("dropped_frames", "lipsol_dropped_frames"),
    "Length of the clips": ("seconds", "lipsol_clip_seconds"),
    "People in the picture": ("faces", "lipsol_view_faces"),
    "Doubt of the network": ("entropy", "lipsol_entropy_ratio"),
    "Length of the readings": ("length", "lipsol_text_characters"),
    "Words of a reading": ("lipsol_text_words",),
    "Readings that were not sure, counted": ("lipsol_abstained_total",),
    "Clips that both tracks read": ("lipsol_compared_total",),
    "Those that they read differently": ("lipsol_disagreed_total",),
    "Look and motion of the mouths": ("embedding",),
    "Place of the mouth in its picture": ("place",),
    "Mouths that are mirrored": ("mirror",),
    "Shares of the words": ("words",),
    "Confidence against how often it was right": ("calibration",),
}
"""What measures are to people, and by which names drift and the windows know them; what is looked at first is first."""
_WORDS = {name: words for words, names in MEASURES.items() for name in names}
KNOWN = "What comes in is like what the models know."
AWAY = "See that the registry answers, and has this bundle: `lipsol models` asks it. The monitor goes on asking."
MISSING = "Give the bundle a reference: `lipsol models reference BUNDLE --data DATA`."


@dataclass(frozen=True)
class Headline:
    """The whole in one line.

    since    Unix seconds; None: it has no beginning that is known
    todo     what to do about it; "": nothing
    runbook  name of the page that tells how; "": none
    """

    state: Overall
    headline: str
    said: str
    since: float | None = None
    todo: str = ""
    runbook: str = ""


def name_of(measure: str) -> str:
    """A measure in plain words; one that has none is told by its name."""
    return _WORDS.get(measure) or measure.removeprefix("lipsol_").replace("_", " ").capitalize()


def place_of(measure: str) -> int:
    """Where a measure stands among those that people look at."""
    return list(MEASURES).index(name_of(measure)) if measure in _WORDS else len(MEASURES)


def headline_of(watched: Watched) -> str:
    """One group's state in a few words."""
    verdict = watched.verdict
    return KINDS[verdict.kind] if watched.state == "drift" and verdict is not None else STATES[watched.state]


def said_of(watched: Watched) -> str:
    """What is said of one group, without what its headline says already."""
    said = watched.said.removeprefix(f"{headline_of(watched)}: ")
    return said[:1].upper() + said[1:]


def remedy_of(watched: Watched) -> str:
    """What to do about one group; "": nothing."""
    if watched.state == "no reference":
        return MISSING
    if watched.state == "away":
        return AWAY
    verdict = watched.verdict
    return REMEDIES[verdict.remedy] if watched.state == "drift" and verdict is not None else ""


def runbook_of(watched: Watched) -> str:
    """Name of the page that tells what to do; "": none."""
    if watched.state == "away":
        return "reference-away"
    verdict = watched.verdict
    return f"drift-{verdict.kind}" if watched.state == "drift" and verdict is not None else ""


def overall(watched: Sequence[Watched], faults: Sequence[str] = (), alerts: Sequence[str] = ()) -> Headline:
    """The worst of all that is known.

    faults  why the monitor does not count just now
    alerts  what other alerts that are active say, the worst first
    """
    if faults:
        return Headline("not counting", "This monitor does not count just now", "; ".join(faults) + ".")
    by_state = {state: [each for each in watched if each.state == state] for state in STATES}
    if drifted := by_state["drift"]:
        return _drifted(drifted)
    if alerts:
        more = f" And {len(alerts) - 1} more." if len(alerts) > 1 else ""
        return Headline("alerts", "Something else is wrong", f"{alerts[0]}.{more}")
    if not watched:
        return Headline("empty", "Nothing has been read yet", "What is read from now on is watched here.")
    return _undrifted(by_state, len(watched))


def _drifted(drifted: Sequence[Watched]) -> Headline:
    since = min(each.since for each in drifted)
    first = min(drifted, key=lambda each: (each.group.shadow, each.since))
    headline = headline_of(first)
    more = f" And {len(drifted) - 1} more of what is watched changed." if len(drifted) > 1 else ""
    return Headline("drift", headline, said_of(first) + more, since, remedy_of(first), runbook_of(first))


def _undrifted(by_state: Mapping[State, Sequence[Watched]], number: int) -> Headline:
    """Nothing is known to be wrong; how much is known at all?"""
    away, blind, learning = (len(by_state[state]) for state in ("away", "no reference", "learning"))
    if away + blind + learning == number:
        state: State = "away" if away else "no reference" if blind else "learning"
        todo, page = remedy_of(by_state[state][0]), runbook_of(by_state[state][0])
        said = "So nobody can tell yet whether all is as it should be."
        return Headline(state, STATES[state], said, None, todo, page)
    unknown = [
        f"{many} of {number} {why}"
        for many, why in (
            (away, "wait for what they are compared with"),
            (blind, "can't be compared with anything"),
            (learning, "had too few clips yet"),
        )
        if many
    ]
    said = f"As far as can be told: {', '.join(unknown)}." if unknown else KNOWN
    return Headline("quiet", "All is as it should be", said)
