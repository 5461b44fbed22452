"""Where the monitor's findings become metrics (names and units: `lipsol/runtime/metrics.py`).

Counters and histograms grow with what is new to this process; gauges tell of the window, whoever saw it first.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

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
        self._muted = False

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Count nothing while the block runs: it is told of what was counted before."""
        self._muted = True
        try:
            yield
        finally:
            self._muted = False

    def read(self, made: PredictionMade) -> None:
        """A clip was read: how sure, how long each stage took, what the picture was like."""
        who = {"track": made.track, "model": made.model.name}
        recent = self._abstained.setdefault((made.track, made.model.name), deque(maxlen=RECENT))
        recent.append(made.abstained)
        self._telemetry.set("lipsol_abstained_ratio", sum(recent) / len(recent), **who)
        self._count("lipsol_predictions_total", **who)
        self._observe("lipsol_confidence_ratio", made.confidence, **who)
        if made.abstained:
            self._count("lipsol_abstained_total", **who)
        for stage, milliseconds in made.timings_ms.items():
            self._observe("lipsol_stage_seconds", milliseconds / 1e3, stage=stage)
        for measure, histogram in QUALITY.items():
            if measure in made.quality:
                self._observe(histogram, abs(made.quality[measure]))

    def shadowed(self, model: str) -> None:
        """A shadow copy was read."""
        self._count("lipsol_shadow_readings_total", model=model)

    def judged(self, model: str, *, right: bool, corrected: bool) -> None:
        """A person told whether a reading was right; corrected: by giving the words."""
        self._count("lipsol_verdicts_total", model=model, reason="right" if right else "wrong")
        if corrected and not right:
            self._count("lipsol_corrections_total", model=model)

    def refused(self, kind: str) -> None:
        """The edge refused a clip."""
        self._count("lipsol_refusals_total", reason=kind)

    def died(self, kind: str) -> None:
        """A message died."""
        self._count("lipsol_dead_letters_seen_total", reason=kind)

    def real_error_rate(self, model: str, rate: float) -> None:
        """The word error rate over all readings of the window whose right words are known."""
        self._telemetry.set("lipsol_word_error_ratio", rate, model=model)

    def _count(self, name: str, **labels: str) -> None:
        if not self._muted:
            self._telemetry.add(name, **labels)

    def _observe(self, name: str, value: float, **labels: str) -> None:
        if not self._muted:
            self._telemetry.observe(name, value, **labels)
