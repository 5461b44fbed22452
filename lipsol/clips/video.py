"""Video bytes -> `Clip`, or many, one after the other: the only door to the video decoder, a confined child process.

The laws: the file never chooses its demuxer; the child has no files, no network, and bounded memory, time and output;
a clip's frames come back through memory that has no name, a recording's through a pipe, so that the child waits for
whoever takes them; what the child says is checked before it is believed.
"""

import fcntl
import mmap
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from lipsol.clips.clip import FPS, Clip
from lipsol.clips.container import ACCEPTED, demuxer_of
from lipsol.clips.framing import HEAD_BYTES, Head, TooLong
from lipsol.clips.nursery import Answer, Nursery
from lipsol.errors import BadInput, Transient

MIB = 2**20
RECORDING_S = 1800.0  # of a recording at most: half an hour
RECORDING_FPS = 120  # frames a second of its file at most
SEGMENT_S = 2.0  # of a recording, handed on together
PIPE_BYTES = MIB  # between child and parent: how far the child runs ahead; Linux lends no more to everybody
FORGOTTEN_S = 86_400.0  # after which a child ends that nobody reads from and nobody ended
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

    max_bytes: int = 256 * MIB
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

    Raises BadInput for a file that can't or must not be read (TooLong for one that lasts too long), Transient if the
    decoder could not be started.
    """
    _check_size(data, limits)
    sink = os.memfd_create("frames")
    try:
        answer = _nursery().ask(_order(demuxer_of(data), limits), data, sink, limits.wall_s)
        return _clip(_told(answer, limits), sink)
    finally:
        os.close(sink)


def frames(data: bytes, limits: Limits = Limits(), max_seconds: float = RECORDING_S) -> Iterator[Clip]:
    """A recording of at most `max_seconds`, in segments of `SEGMENT_S`, one behind the other; the last is shorter.

    Memory does not grow with its length: the child waits until a segment is taken, and is a pipe's room ahead at most.
    It may keep us waiting for `limits.wall_s`, and as long again as what it has handed on lasts. Close the iterator to
    end it early. Raises as `decode` does, also midway; then what came before can be used.
    """
    _check_size(data, limits)
    order = _order(demuxer_of(data), limits, max_seconds)
    ours, sink = os.pipe()
    try:
        with suppress(OSError):  # smaller where the system is short of them
            os.set_blocking(ours, False)
            fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            line = _nursery().begin(order, data, sink)
        finally:
            os.close(sink)
        with line:
            del data
            pipe = _Pipe(ours, limits.wall_s)
            try:
                yield from _segments(pipe, limits, max_seconds)
            except _Late:
                _nursery().answer(line, 0.0)
                raise BadInput(f"the decoder did not hand on a frame within {limits.wall_s:g} s", CURE) from None
            except BaseException:
                _nursery().answer(line, 0.0)
                raise
            _told(_nursery().answer(line, limits.wall_s), limits)
    finally:
        os.close(ours)


def _check_size(data: bytes, limits: Limits) -> None:
    if not data:
        raise BadInput("the file is empty (0 bytes)", ACCEPTED)
    if len(data) > limits.max_bytes:
        raise BadInput(
            f"the file has {len(data)} bytes, at most {limits.max_bytes} ({limits.max_bytes // MIB} MiB) can be read",
            "cut it into shorter clips, or save it smaller",
        )


class _Late(Exception):
    """The child took too long."""


class _Pipe:
    """What comes from the child, waited for as long as `frames` says."""

    def __init__(self, descriptor: int, wall_s: float) -> None:
        self._descriptor = descriptor
        self._left_s = wall_s
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def allow(self, seconds: float) -> None:
        """Wait so much longer in all."""
        self._left_s += seconds

    def fill(self, room: memoryview) -> bool:
        """Fill `room`; False at the end, which may come in the midst of it."""
        while room:
            try:
                came = os.readv(self._descriptor, [room])
            except BlockingIOError:
                self._wait()
                continue
            if not came:
                return False
            room = room[came:]
        return True

    def _wait(self) -> None:
        began = time.monotonic()
        if not self._poll.poll(max(0.0, self._left_s) * 1e3):
            raise _Late
        self._left_s -= time.monotonic() - began


def _segments(pipe: _Pipe, limits: Limits, max_seconds: float) -> Iterator[Clip]:
    """The pictures in the pipe, each repeated for as long as it is shown."""
    most, room = round(SEGMENT_S * FPS), round((max_seconds + SEGMENT_S) * FPS)
    told = bytearray(HEAD_BYTES)
    held, filled, dropped = np.empty((0, 0, 0, 3), np.uint8), 0, 0
    head: Head | None = None
    while pipe.fill(memoryview(told)):
        now = Head.from_bytes(bytes(told))
        _check_head(now, head, limits, room)
        room -= now.slots
        left, head = now.slots, now
        if not held.size:
            held = np.empty((most, now.height, now.width, 3), np.uint8)
        picture = held[filled]
        if not pipe.fill(picture.data.cast("B")):
            break
        while left:
            some = min(left, most - filled)
            held[filled : filled + some] = picture
            left, filled = left - some, filled + some
            if filled == most:
                pipe.allow(SEGMENT_S)
                yield Clip(held, FPS, now.source_fps, max(0, now.dropped - dropped), now.codec)
                picture, dropped, filled = held[most - 1], now.dropped, 0
                held = np.empty_like(held)
    if filled and head is not None:
        yield Clip(held[:filled], FPS, head.source_fps, max(0, head.dropped - dropped), head.codec)


def _check_head(now: Head, before: Head | None, limits: Limits, room: int) -> None:
    """What the child says of a picture, before it is believed."""
    shape = (now.width, now.height)
    sane = min(shape) > 0 and max(shape) <= limits.max_side and 0 < now.slots <= room and now.codec
    if not sane or (before is not None and shape != (before.width, before.height)):
        raise BadInput("the decoder's frames are not what it reported", CURE)


@cache
def _nursery() -> Nursery:
    return Nursery()


def _order(demuxer: str, limits: Limits, paced_s: float = 0.0) -> dict[str, Any]:
    """paced_s: seconds that a recording may last; 0.0: it is a clip, and comes as one."""
    return {
        "cpu_s": limits.cpu_s + round(paced_s),
        "wall_s": FORGOTTEN_S if paced_s else limits.wall_s + 1,
        "memory_bytes": limits.memory_bytes,
        "output_bytes": limits.output_bytes,
        "work": {
            "demuxer": demuxer,
            "max_seconds": paced_s or limits.max_seconds,
            "max_frames": round(paced_s * RECORDING_FPS) or limits.max_frames,
            "max_pixels": limits.max_pixels,
            "max_side": limits.max_side,
            "output_bytes": limits.output_bytes,
            "paced": bool(paced_s),
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
        kind = TooLong if answer.report.get("kind") == TooLong.__name__ else BadInput
        raise kind(str(answer.report["detail"]), str(answer.report.get("cure", CURE)))
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
