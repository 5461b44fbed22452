"""What comes in: what are the cameras, the light and the faces like, and what is turned away?

Measured on every clip by `lipsol.clips.quality`, told by the monitor from the readings; shadow copies count in none.
"""

from functools import partial

from lipsol.runtime.metrics.metric import (
    DEGREES,
    FEW,
    LENGTHS,
    LEVELS,
    PIXELS,
    RATES,
    SMALL,
    SPREADS,
    TENTHS,
    VARIANCES,
    counter,
    histogram,
)

_counter, _histogram = partial(counter, "input"), partial(histogram, "input")

_PICTURE = (
    _histogram(
        "lipsol_brightness_levels",
        "gray levels",
        "Mean gray of the picture, of 255.",
        "did rooms, seasons or a camera's exposure get darker?",
        buckets=LEVELS,
    ),
    _histogram(
        "lipsol_contrast_levels",
        "gray levels",
        "Standard deviation of gray in the mouth's picture, 0 to 128.",
        "fog, a dirty lens, light from behind?",
        buckets=SPREADS,
    ),
    _histogram(
        "lipsol_sharpness_variance",
        "squared gray levels",
        "Variance of the mouth picture's Laplacian; low is blurred.",
        "out of focus, moved, or squeezed by an app on its way?",
        buckets=VARIANCES,
    ),
    _histogram(
        "lipsol_face_found_ratio",
        "ratio",
        "Share of a clip's frames with a face.",
        "do people leave the picture, or does the face finder fail at somebody?",
        buckets=TENTHS,
    ),
    _histogram(
        "lipsol_mouth_width_pixels",
        "pixels",
        "From corner to corner of the mouth.",
        "do people sit farther away, or do films come in smaller?",
        buckets=PIXELS,
    ),
    _histogram(
        "lipsol_yaw_degrees",
        "degrees",
        "Turn of the head to the side.",
        "is the camera beside the screen now?",
        buckets=DEGREES,
    ),
    _histogram(
        "lipsol_motion_ratio",
        "ratio",
        "Standard deviation of the lips' opening over mouth width.",
        "do lips move as they should, or is something frozen?",
        buckets=SMALL,
    ),
    _histogram(
        "lipsol_view_faces",
        "faces",
        "Faces in view.",
        "is the right person read where there are several?",
        buckets=FEW,
    ),
)

_FILE = (
    _histogram(
        "lipsol_frame_rate_hertz",
        "frames a second",
        "Frame rate of the file.",
        "a slow camera loses what lips do between two frames",
        buckets=RATES,
    ),
    _histogram(
        "lipsol_clip_seconds",
        "seconds",
        "Length of the clips.",
        "are whole sentences sent, or cut ones?",
        buckets=LENGTHS,
    ),
    _histogram(
        "lipsol_dropped_frames",
        "frames",
        "Frames that a file lacks.",
        "an overloaded phone or a bad line",
        buckets=FEW,
    ),
    _counter(
        "lipsol_clip_codecs_total",
        "clips",
        "Clips by how the picture was coded.",
        "did a browser or an app change what it sends?",
        "codec",
    ),
)

_REFUSED = (
    _counter(
        "lipsol_clips_refused_total",
        "clips",
        "Clips that this edge refused, by kind of reason (bad-input, busy, too-late, transient, fault).",
        "are clips worse, or is the platform?",
        "reason",
    ),
    _counter(
        "lipsol_refusals_total",
        "clips",
        "Clips that any edge refused, by what was said to the person, without its numbers.",
        "what should people be told before they film?",
        "reason",
    ),
)

INPUT = (*_PICTURE, *_FILE, *_REFUSED)
