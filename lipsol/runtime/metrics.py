"""Every metric there is.

A name ends in its unit: `_seconds`, `_bytes`, `_ratio` (0 to 1), `_total` (a count that only grows), or, where it
measures or counts things, in what they are (`_messages`, `_clips`, `_models`, `_pixels`, `_degrees`, `_levels`).
Labels are `stage`, `reason`, `track`, `model` and `mode`, never an id: each value of a label is a series that is kept
for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

LABELS = ("stage", "reason", "track", "model", "mode")

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds of one step
SLOW = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0)  # seconds of a look at everything
TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)  # of a ratio, finer where readers are sure
PIXELS = (14.0, 20.0, 28.0, 40.0, 56.0, 80.0, 112.0, 160.0, 320.0)  # below 14 a clip is refused
DEGREES = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)  # above 50 a clip is refused
LEVELS = (20.0, 40.0, 60.0, 80.0, 100.0, 130.0, 160.0, 200.0, 255.0)  # of gray
COUNTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # clips
SIZES = tuple(float(1 << power) for power in range(14, 29, 2))  # bytes, 16 KiB to 256 MiB


@dataclass(frozen=True)
class Metric:
    """One metric: what it counts or measures, by which labels; `buckets` are a histogram's upper bounds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    what: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = FAST


_WORKER = (
    Metric("lipsol_messages_handled_total", "counter", "Messages done: handled, published, committed.", ("stage",)),
    Metric(
        "lipsol_messages_failed_total",
        "counter",
        "Tries that failed, by reason (bad-input, model-error, transient, fault).",
        ("stage", "reason"),
    ),
    Metric(
        "lipsol_dead_letters_total",
        "counter",
        "Messages given up, by reason (bad-input, model-error, exhausted, too-late).",
        ("stage", "reason"),
    ),
    Metric("lipsol_handle_seconds", "histogram", "Time of one call of a stage's handler.", ("stage",)),
    Metric("lipsol_queue_lag_messages", "gauge", "Messages that wait for a stage or are in its hands.", ("stage",)),
)

_EDGE = (
    Metric("lipsol_clips_received_total", "counter", "Clips that reached the edge."),
    Metric("lipsol_clips_refused_total", "counter", "Clips refused, by kind of reason.", ("reason",)),
    Metric("lipsol_waiting_clips", "gauge", "Clips in the edge's bounded pool, waiting or in work."),
    Metric("lipsol_clip_bytes", "histogram", "Size of the uploaded files.", buckets=SIZES),
    Metric("lipsol_answer_seconds", "histogram", "From the whole clip at the edge to its result.", ("track",)),
    Metric("lipsol_stage_seconds", "histogram", "Time of one stage for one clip.", ("stage",)),
    Metric("lipsol_sweep_seconds", "histogram", "Time of one look for what the store needs no more.", buckets=SLOW),
    Metric("lipsol_sweeps_failed_total", "counter", "Such looks that failed."),
    Metric(
        "lipsol_objects_swept_total",
        "counter",
        "Objects removed by them, by reason: expired, or orphan (of a clip whose edge died at it).",
        ("reason",),
    ),
)

_READING = (
    Metric("lipsol_line_clips", "gauge", "Clips that wait for a place in a batch.", ("model",)),
    Metric("lipsol_line_seconds", "histogram", "From a clip's coming to the core to the start of its batch."),
    Metric("lipsol_batch_clips", "histogram", "Clips that go through a network together.", buckets=COUNTS),
    Metric("lipsol_batch_padding_ratio", "histogram", "Share of a batch that is padding.", buckets=TENTHS),
    Metric("lipsol_network_seconds", "histogram", "Time of one batch in its network."),
    Metric("lipsol_search_seconds", "histogram", "Time of finding one clip's words in what the network said."),
    Metric("lipsol_models_swapped_total", "counter", "Newer bundles that took over while serving.", ("model",)),
    Metric(
        "lipsol_refused_models",
        "gauge",
        "Names and languages whose newest bundle can't be used, so that an older one goes on serving.",
    ),
)

_TRAFFIC = (
    Metric(
        "lipsol_traffic_weight_ratio",
        "gauge",
        "Share of the sessions that the canary gets, or copies of, by the policy as a stage knows it; 0 once expired.",
        ("stage", "mode"),
    ),
    Metric(
        "lipsol_traffic_expiry_timestamp_seconds",
        "gauge",
        "When the policy that a stage knows ends, Unix time; 0: it has no end.",
        ("stage",),
    ),
    Metric("lipsol_policies_refused_total", "counter", "Policies that could not be meant.", ("stage",)),
    Metric("lipsol_copies_skipped_total", "counter", "Shadow copies that a track passed over unread.", ("track",)),
)

_MONITOR = (
    Metric("lipsol_predictions_total", "counter", "Readings made.", ("track", "model")),
    Metric("lipsol_abstained_total", "counter", "Readings in which the reader was not sure.", ("track", "model")),
    Metric("lipsol_confidence_ratio", "histogram", "Confidence of the readings.", ("track", "model"), buckets=TENTHS),
    Metric("lipsol_abstained_ratio", "gauge", "Share of abstentions in the window.", ("track", "model")),
    Metric("lipsol_corrections_total", "counter", "Readings that a person corrected.", ("model",)),
    Metric(
        "lipsol_verdicts_total", "counter", "Readings judged by a person; reason: right or wrong.", ("model", "reason")
    ),
    Metric(
        "lipsol_shadow_readings_total",
        "counter",
        "Readings of shadow copies; in no other figure of the readings, and no user's.",
        ("model",),
    ),
    Metric("lipsol_refusals_total", "counter", "Clips that the edge refused, by kind of reason.", ("reason",)),
    Metric(
        "lipsol_dead_letters_seen_total",
        "counter",
        "Dead letters on their topic, whichever process wrote them, by kind (as lipsol_dead_letters_total).",
        ("reason",),
    ),
    Metric("lipsol_face_found_ratio", "histogram", "Share of a clip's frames with a face.", buckets=TENTHS),
    Metric("lipsol_mouth_width_pixels", "histogram", "From corner to corner of the mouth.", buckets=PIXELS),
    Metric("lipsol_yaw_degrees", "histogram", "Turn of the head to the side.", buckets=DEGREES),
    Metric("lipsol_brightness_levels", "histogram", "Mean gray of the picture, of 255.", buckets=LEVELS),
    Metric("lipsol_word_error_ratio", "gauge", "WER of the window's corrected readings.", ("model",)),
)

CATALOGUE: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (*_WORKER, *_EDGE, *_READING, *_TRAFFIC, *_MONITOR)}
)
