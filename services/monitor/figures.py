"""Where the monitor's findings become metrics (names and units: `lipsol/runtime/metrics.py`)."""

from collections import deque

from lipsol.events import PredictionMade
from lipsol.runtime.telemetry import Telemetry

RECENT = 500  # readings over which the share of abstentions is taken, for each model and track
QUALITY = {  # measure -> histogram of how large it is, whichever way a head is turned
    "face_found": "lipsol_face_found_ratio",
    "mouth_px": "lipsol_mouth_width_pixels",
    "yaw_deg": "lipsol_yaw_degrees",
    "brightness": "lipsol_brightness_levels",
}


class Figures:
    """Counts into a telemetry."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._abstained: dict[tuple[str, str], deque[bool]] = {}

    def read(self, made: PredictionMade) -> None:
        """A clip was read: how sure, how long each stage took, what the picture was like."""
        who = {"track": made.track, "model": made.model.name}
        self._telemetry.add("lipsol_predictions_total", **who)
        self._telemetry.observe("lipsol_confidence_ratio", made.confidence, **who)
        if made.abstained:
            self._telemetry.add("lipsol_abstained_total", **who)
        recent = self._abstained.setdefault((made.track, made.model.name), deque(maxlen=RECENT))
        recent.append(made.abstained)
        self._telemetry.set("lipsol_abstained_ratio", sum(recent) / len(recent), **who)
        for stage, milliseconds in made.timings_ms.items():
            self._telemetry.observe("lipsol_stage_seconds", milliseconds / 1e3, stage=stage)
        for measure, histogram in QUALITY.items():
            if measure in made.quality:
                self._telemetry.observe(histogram, abs(made.quality[measure]))

    def judged(self, model: str, *, right: bool, corrected: bool) -> None:
        """A person told whether a reading was right; corrected: by giving the words."""
        self._telemetry.add("lipsol_verdicts_total", model=model, reason="right" if right else "wrong")
        if corrected and not right:
            self._telemetry.add("lipsol_corrections_total", model=model)

    def real_error_rate(self, model: str, rate: float) -> None:
        """The word error rate over all readings of the window whose right words are known."""
        self._telemetry.set("lipsol_word_error_ratio", rate, model=model)
