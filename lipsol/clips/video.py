"""Video bytes -> `Clip`: the only door to the video decoder, which runs in a confined child process.

The laws: the file never chooses its demuxer; the child has no files, no network, and bounded memory, time and output;
frames come back through memory that has no name; what the child says is checked before it is believed.
"""

import mmap
import os
import signal
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from lipsol.clips.clip import FPS, Clip
from lipsol.clips.container import ACCEPTED, demuxer_of
from lipsol.clips.nursery import Answer, Nursery
from lipsol.errors import BadInput, Transient

MIB = 2**20
CURE = "save it again as MP4 (H.264) of a few seconds, or record it anew"


@dataclass(frozen=True)
class Limits:
    """How much one clip may be and cost.

    max_bytes     size of the file
    max_seconds   length of the clip
    max_frames    frames in the file: max_seconds at 120 a second
    max_pixels    width times height of a frame in the file: a little over 4K
    max_side      pixels; larger pictures are scaled down to it, keeping their proportions
    cpu_s         whole seconds of processor time for the child; then the kernel ends it
    wall_s        seconds until the child is killed
    memory_bytes  address space of the child
    output_bytes  frames that the child may hand back: 30 s of 640x480 at 25 fps
    """

    max_bytes: int = 64 * MIB
    max_seconds: float = 30.0
    max_frames: int = 3600
    max_pixels: int = 4096 * 2304
    max_side: int = 640
    cpu_s: int = 30
    wall_s: float = 60.0
    memory_bytes: int = 2048 * MIB
    output_bytes: int = 672 * MIB


def decode(data: bytes, limits: Limits = Limits()) -> Clip:
    """The clip in a video file's bytes, upright, at 25 fps by time. Its frames are read-only.

    Raises BadInput for a file that can't or must not be read, Transient if the decoder could not be started.
    """
    if not data:
        raise BadInput("the file is empty (0 bytes)", ACCEPTED)
    if len(data) > limits.max_bytes:
        raise BadInput(
            f"the file has {len(data)} bytes, at most {limits.max_bytes} ({limits.max_bytes // MIB} MiB) can be read",
            "cut it into shorter clips, or save it smaller",
        )
    sink = os.memfd_create("frames")
    try:
        answer = _nursery().ask(_order(demuxer_of(data), limits), data, sink, limits.wall_s)
        return _clip(_told(answer, limits), sink)
    finally:
        os.close(sink)


@cache
def _nursery() -> Nursery:
    return Nursery()


def _order(demuxer: str, limits: Limits) -> dict[str, Any]:
    return {
        "cpu_s": limits.cpu_s,
        "wall_s": limits.wall_s + 1,
        "memory_bytes": limits.memory_bytes,
        "output_bytes": limits.output_bytes,
        "work": {
            "demuxer": demuxer,
            "max_seconds": limits.max_seconds,
            "max_frames": limits.max_frames,
            "max_pixels": limits.max_pixels,
            "max_side": limits.max_side,
            "output_bytes": limits.output_bytes,
        },
    }


def _told(answer: Answer, limits: Limits) -> dict[str, Any]:
    if answer.late:
        raise BadInput(f"the decoder did not finish within {limits.wall_s:g} s", CURE)
    if answer.exit_code == -signal.SIGXCPU:
        raise BadInput(f"decoding takes more than {limits.cpu_s} s of processor time", CURE)
    if answer.report is None and answer.exit_code is None:
        raise Transient("the video decoder went away while it worked", "try again")
    if answer.report is None or answer.exit_code != 0:
        raise BadInput(f"the decoder gave up on this file ({_ending(answer.exit_code)})", CURE)
    if "memory" in answer.report:
        raise BadInput(f"decoding needs more than {limits.memory_bytes // MIB} MiB of memory", CURE)
    if "detail" in answer.report:
        raise BadInput(str(answer.report["detail"]), str(answer.report.get("cure", CURE)))
    return answer.report


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"ended by {signal.Signals(-exit_code).name}"
    return f"exit {exit_code}"


def _clip(report: dict[str, Any], sink: int) -> Clip:
    shape = (int(report["frames"]), int(report["height"]), int(report["width"]), 3)
    if min(shape) < 1 or np.prod(shape) != os.fstat(sink).st_size:
        raise BadInput("the decoder's frames are not what it reported", CURE)
    held = mmap.mmap(sink, 0, prot=mmap.PROT_READ)
    frames = np.frombuffer(held, np.uint8).reshape(shape)
    return Clip(frames, FPS, float(report["source_fps"]), int(report["dropped"]), str(report["codec"]))
