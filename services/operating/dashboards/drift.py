"""Drift: is what comes in, and what is read from it, still as it was; if not, what kind of wrong is it?"""

from services.operating.dashboards.panels import WHO, Dashboard, Panel, Query, Row, grown, rate, spread

WEEK = "7d"
BY = "kind, track, model"

_KIND = Row(
    "What kind of wrong is it?",
    (
        Panel(
            "Found",
            "short",
            (Query(f"max by ({BY}) (lipsol_drift_state{{{WHO}}})", "{{kind}}: {{model}} ({{track}})"),),
            kind="states",
            why="Red while a kind of drift is found. camera: light or camera. speaker: other people than it learnt "
            "from. mix: other words. model: it reads worse. software: our own preparation is broken. What to do "
            "differs: the runbooks say.",
            bad=1,
            runbooks=("drift-camera", "drift-speaker", "drift-mix", "drift-model", "drift-software"),
            width=24,
        ),
        Panel(
            "Began in the last week",
            "short",
            (
                Query(
                    f"{grown('lipsol_drift_detected_total', 'kind', where=WHO, over=WEEK)} or vector(0)",
                    "{{kind}}",
                ),
            ),
            kind="number",
            worry=1,
            width=6,
        ),
        Panel(
            "Done about it in the last week",
            "short",
            (
                Query(
                    f"{grown('lipsol_actions_total', 'kind', 'mode', over=WEEK)} or vector(0)",
                    "{{kind}} ({{mode}})",
                ),
            ),
            kind="number",
            width=6,
        ),
        Panel(
            "Clips in the window",
            "short",
            (Query(f"lipsol_window_clips{{{WHO}}}", "{{model}} ({{track}}, {{language}})"),),
            width=12,
        ),
    ),
)

_MOVED = Row(
    "What moved?",
    (
        Panel(
            "Farthest from the reference, now",
            "short",
            (Query(f"sort_desc(lipsol:drift_excess:ratio{{{WHO}}})"),),
            kind="table",
            why="Every measure's comparison with the reference, as a multiple of its bound: above 1 it moved.",
            worry=0.8,
            bad=1,
            width=12,
        ),
        Panel(
            "The ten farthest",
            "short",
            (
                Query(
                    f"topk(10, lipsol:drift_excess:ratio{{{WHO}}})",
                    "{{measure}} by {{method}}: {{model}} ({{track}})",
                ),
            ),
            why="The same over time: a step is a change of something, a slope is a season or a lens that gets dirty.",
            worry=0.8,
            bad=1,
            width=12,
        ),
    ),
)


def _seen(title: str, unit: str, histogram: str) -> Panel:
    """How a measure of the pictures lies."""
    return Panel(title, unit, spread(histogram), width=6)


_PICTURES = Row(
    "What do the pictures look like?",
    (
        _seen("Brightness, of 255", "short", "lipsol_brightness_levels"),
        _seen("Contrast", "short", "lipsol_contrast_levels"),
        _seen("Sharpness", "short", "lipsol_sharpness_variance"),
        _seen("Frames with a face", "percentunit", "lipsol_face_found_ratio"),
        _seen("Width of the mouth", "pixel", "lipsol_mouth_width_pixels"),
        _seen("Turn of the head", "degree", "lipsol_yaw_degrees"),
        _seen("Motion of the lips", "percentunit", "lipsol_motion_ratio"),
        _seen("Faces in view", "short", "lipsol_view_faces"),
        _seen("Frame rate", "hertz", "lipsol_frame_rate_hertz"),
        _seen("Length of clips", "s", "lipsol_clip_seconds"),
        _seen("Frames that lack", "short", "lipsol_dropped_frames"),
        Panel("Codecs", "cps", (Query(rate("lipsol_clip_codecs_total", "codec"), "{{codec}}"),), width=6),
        Panel(
            "What people are told when a clip can't be read",
            "cps",
            (Query(rate("lipsol_refusals_total", "reason"), "{{reason}}"),),
            runbooks=("refusals-surge",),
            width=24,
        ),
    ),
)

_WATCH = Row(
    "Is the watch itself awake?",
    (
        Panel(
            "Monitors that count",
            "short",
            (Query("sum (lipsol_counting_monitors)"),),
            kind="number",
            worry=1,
            bad=0.5,
            runbooks=("monitors-not-one",),
            width=6,
        ),
        Panel(
            "Groups that nothing is compared with",
            "short",
            (Query("sum by (reason) (lipsol_uncompared_groups)", "{{reason}}"),),
            kind="number",
            worry=1,
            runbooks=("reference-away",),
            width=6,
        ),
        Panel(
            "Since it kept its state",
            "s",
            (Query("time() - max (lipsol_monitor_state_timestamp_seconds > 0)"),),
            kind="number",
            worry=60,
            bad=900,
            runbooks=("monitor-forgets",),
            width=6,
        ),
        Panel("Its state", "bytes", (Query("max (lipsol_monitor_state_bytes)", "state"),), width=6),
        Panel(
            "Late events",
            "cps",
            (Query(rate("lipsol_late_events_total", "kind"), "{{kind}}"),),
            width=8,
        ),
        Panel(
            "Reports made",
            "short",
            (
                Query(
                    grown("lipsol_reports_made_total", "kind", over="1d"),
                    "{{kind}}",
                    empty="no report has been due yet",
                ),
            ),
            width=8,
        ),
        Panel(
            "Reports not made",
            "short",
            (
                Query(
                    grown("lipsol_reports_failed_total", "reason", over="1d"),
                    "{{reason}}",
                    empty="every report was made",
                ),
            ),
            bad=1,
            width=8,
        ),
    ),
)

DRIFT = Dashboard(
    uid="lipsol-drift",
    title="LipSol: drift",
    answers="Is what comes in, and what is read from it, still as it was; if not, what kind of wrong is it?",
    rows=(_KIND, _MOVED, _PICTURES, _WATCH),
    by=("track", "model"),
)
