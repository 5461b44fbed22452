"""What runs in the sandboxed child: bytes of a video file in, upright RGB frames at 25 fps out.

The only module that imports av (FFmpeg). Nothing here opens a file: bytes come from a descriptor, the demuxer is
named by the parent, no protocol is allowed, and frames go to a second descriptor, all of a clip's pictures one behind
the other, or those of a recording each with its head (`framing.py`), as fast as they are taken. Display matrices (a
phone held upright) are obeyed; the sample aspect ratio is not: a picture stored squeezed stays so.
"""

import importlib
import os
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import Interpolation, VideoReformatter

from lipsol.clips.framing import CODECS, Head, TooLong
from lipsol.clips.timing import FPS, Timeline, slots_before
from lipsol.errors import BadInput

RATES = (10.0, 120.0)  # mean frames a second that can be brought to 25
RATE_SLACK = 0.01  # of a bound: cameras that say 10 fps give 9.97
MIN_SIDE = 32  # pixels; a mouth in less is a few pixels wide
MIN_FRAMES = 2  # GRID's shortest words last 2 frames
MAX_DAMAGED = 0.1  # share of the frames that may be lost or damaged
SETTLED_FRAMES = 10 * FPS  # slots of a recording after which its rate and damage can be judged
MIB = 2**20

RE_ENCODE = "save it again as MP4 (H.264), or record it anew"
CUT = "cut it into shorter clips"


@dataclass(frozen=True)
class Order:
    """What the parent asks for; see `lipsol.clips.video.Limits` for the bounds.

    paced  each picture with its head, into a pipe: the parent takes them one by one, and output_bytes is no bound
    """

    demuxer: str
    max_seconds: float
    max_frames: int
    max_pixels: int
    max_side: int
    output_bytes: int
    paced: bool = False


@dataclass
class _Film:
    """Frames as they are written, and what is known of them so far."""

    order: Order
    sink: int
    timeline: Timeline
    codec: str
    shape: tuple[int, int, str] | None = None
    size: tuple[int, int] = (0, 0)
    held: Any = None
    written: int = 0
    lost: int = 0
    corrupt: int = 0
    header_s: float = 0.0
    dropped: int = 0  # of a recording, before the frame `judged`
    judged: int = 0
    scaler: VideoReformatter = field(default_factory=VideoReformatter)

    def add(self, frame: Any) -> None:
        """Take the next frame in the order shown; the one before it can now be written."""
        self._require_same(frame)
        now = self.timeline.add(_stamp(frame, self.order.demuxer))
        self._require_short(now)
        self.corrupt += bool(frame.is_corrupt)
        self._write_held(now)
        self.held = frame

    def finish(self) -> None:
        """Write the last frame, for as long as frames usually were shown."""
        self._write_held(self.timeline.end)
        self.held = None

    def _write_held(self, until: float) -> None:
        times = slots_before(until) - self.written
        if self.held is None or times <= 0:
            return
        picture = _upright(self._rgb(self.held), self.held.side_data.get(Type.DISPLAYMATRIX))
        self.size = (picture.shape[1], picture.shape[0])
        if self.order.paced:
            self._pass_on(picture, times)
        else:
            self._require_room(picture.nbytes, times)
            for _ in range(times):
                _write(self.sink, picture)
        self.written += times

    def _pass_on(self, picture: np.ndarray, times: int) -> None:
        if self.written // FPS != (self.written + times) // FPS:  # once a second
            self.dropped += self.timeline.dropped_since(self.judged)
            self.judged = self.timeline.count
            if self.written > SETTLED_FRAMES:
                require_rate(self.timeline.mean_fps)
                _require_whole(self)
        head = Head(*self.size, times, self.dropped, self.timeline.mean_fps, self.header_s, self.codec)
        _write(self.sink, np.frombuffer(head.to_bytes(), np.uint8))
        _write(self.sink, picture)

    def _rgb(self, frame: Any) -> np.ndarray:
        width, height = _fitted(frame.width, frame.height, self.order.max_side)
        # The same scaler for all frames, on this thread: a scaler a frame costs five times as much.
        made = self.scaler.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA, threads=1)
        plane = made.planes[0]
        return (
            np.frombuffer(memoryview(plane), np.uint8)
            .reshape(height, plane.line_size)[:, : 3 * width]
            .reshape(height, width, 3)
        )

    def _require_same(self, frame: Any) -> None:
        shape = (frame.width, frame.height, frame.format.name)
        if self.shape is None:
            require_size(frame.width, frame.height, self.order.max_pixels)
            self.shape = shape
        if shape != self.shape:
            was, now = ("{}x{} {}".format(*each) for each in (self.shape, shape))
            raise BadInput(f"the picture changes from {was} to {now} at frame {self.timeline.count}", RE_ENCODE)

    def _require_short(self, now: float) -> None:
        if now > self.order.max_seconds:
            raise too_long(max(now, self.header_s), self.order)
        if self.timeline.count > self.order.max_frames:
            raise BadInput(f"the clip has more than {self.order.max_frames} frames", CUT)

    def _require_room(self, picture_bytes: int, times: int) -> None:
        needed = picture_bytes * (self.written + times)
        if needed > self.order.output_bytes:
            room = self.order.output_bytes // MIB
            raise BadInput(f"the clip's pictures take {needed // MIB} MiB or more, at most {room} MiB can be held", CUT)


def preload() -> None:
    """Import all of av now: it imports parts of itself late, and a confined child can open nothing."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def too_long(lasts_s: float, order: Order) -> TooLong:
    """The refusal of a video that lasts so long."""
    return TooLong(f"the clip lasts {lasts_s:.2f} s, at most {order.max_seconds:.2f} s can be read", CUT)


class Source:
    """The bytes behind a descriptor, as a file that is read and sought in, none of them held here."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.lseek(descriptor, 0, os.SEEK_END)
        self._at = 0

    def read(self, size: int) -> bytes:
        """The next bytes, `size` of them at most."""
        data = os.pread(self._descriptor, size, self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place; where that is."""
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence])
        return self._at

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at


def decode_into(order: Order, source: int, sink: int) -> dict[str, Any]:
    """Write the frames of the video in the descriptor `source` to the descriptor `sink`, rgb24, and tell about them.

    Returns width and height (pixels of what was written), frames, source_fps, dropped, codec.
    Raises BadInput for what can't or must not be decoded; TooLong, if the header says so before any picture is.
    """
    try:
        with _opened(order, source) as container:
            stream = _picture_track(container, order)
            timeline = Timeline(float(stream.average_rate) if stream.average_rate else None)
            film = _Film(order, sink, timeline, stream.codec_context.name)
            film.header_s = float((stream.duration or 0) * (stream.time_base or 0))
            if film.header_s > order.max_seconds + 1 / RATES[0]:
                raise too_long(film.header_s, order)
            for frame in _frames(container, stream, film):
                film.add(frame)
            film.finish()
    except MemoryError:  # FFmpeg's own is an FFmpegError as well
        raise
    except av.FFmpegError as fault:
        raise BadInput(f"the file is damaged, or not what its first bytes say ({fault.strerror})", RE_ENCODE) from fault
    _require_sound(film)
    return {
        "width": film.size[0],
        "height": film.size[1],
        "frames": film.written,
        "source_fps": film.timeline.mean_fps,
        "dropped": film.timeline.dropped,
        "codec": film.codec,
    }


def require_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse pictures too small to show a mouth, or of more than `max_pixels`."""
    size, pixels = f"{width}x{height}", width * height
    if min(width, height) < MIN_SIDE:
        raise BadInput(f"the picture is {size} pixels, at least {MIN_SIDE}x{MIN_SIDE} are needed", "record it larger")
    if pixels > max_pixels:
        raise BadInput(f"the picture has {size} = {pixels} pixels, at most {max_pixels} can be read", "scale it down")


def _opened(order: Order, source: int) -> Any:
    closed = {"protocol_whitelist": "", "format_whitelist": order.demuxer, "enable_drefs": "0"}
    return av.open(Source(source), format=order.demuxer, options=closed, io_open=_open_nothing)


def _open_nothing(url: str, flags: int, options: dict[str, str]) -> NoReturn:  # noqa: ARG001
    raise PermissionError("a video file may not open another one")


def _picture_track(container: Any, order: Order) -> Any:
    streams = [stream for stream in container.streams.video if stream.codec_context is not None]
    if not streams and container.streams.video:
        raise BadInput(f"the video codec is not known, and {', '.join(CODECS)} can be read", RE_ENCODE)
    if not streams:
        kinds = sorted({stream.type for stream in container.streams})
        raise BadInput(
            f"the file holds no pictures ({', '.join(kinds) or 'no tracks'})", "send a video with a picture track"
        )
    stream = streams[0]
    context = stream.codec_context
    if context.name not in CODECS:
        raise BadInput(f"the video codec is {context.name}, and {', '.join(CODECS)} can be read", RE_ENCODE)
    if context.width or context.height:
        require_size(context.width, context.height, order.max_pixels)
    context.thread_count = 1
    context.options = {"max_pixels": str(order.max_pixels)}
    return stream


def _frames(container: Any, stream: Any, film: _Film) -> Iterator[Any]:
    packets = container.demux(stream)
    faults = 0
    while faults <= film.order.max_frames:
        try:
            packet = next(packets)
            if packet.size or packet.dts is None:  # an AVI's skipped frames are empty, and would end the decoder
                yield from packet.decode()
        except StopIteration:
            return
        except MemoryError:
            raise
        except av.FFmpegError:
            faults += 1
            film.lost += 1
            packets = container.demux(stream)


def _stamp(frame: Any, demuxer: str) -> float | None:
    """When a frame is to be shown, seconds, as far as its container knows.

    A raw MPEG stream knows nothing. An AVI counts frames as they are stored; what FFmpeg makes of that as pts goes
    astray with pictures that are stored out of order, its dts does not.
    """
    stamp = {"mpegvideo": None, "avi": frame.dts}.get(demuxer, frame.pts)
    return None if stamp is None or frame.time_base is None else float(stamp * frame.time_base)


def _fitted(width: int, height: int, max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _upright(picture: np.ndarray, display_matrix: Any | None) -> np.ndarray:
    """Turn and mirror by a display matrix of quarter turns (ISO/IEC 14496-12: x' = a x + c y, y' = b x + d y)."""
    if display_matrix is not None:
        (a, b), (c, d) = np.frombuffer(display_matrix, np.int32).reshape(3, 3)[:2, :2].tolist()
        if abs(b) + abs(c) > abs(a) + abs(d):
            picture = picture.transpose(1, 0, 2)
            a, d = c, b
        picture = picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(picture)


def _write(sink: int, picture: np.ndarray) -> None:
    left = picture.data.cast("B")
    while left:
        left = left[os.write(sink, left) :]


def _require_sound(film: _Film) -> None:
    timeline = film.timeline
    if timeline.count == 0:
        raise BadInput("none of the file's pictures can be decoded", RE_ENCODE)
    _require_whole(film)
    if film.written < MIN_FRAMES:
        least = f"at least {MIN_FRAMES / FPS:.2f} s ({MIN_FRAMES} frames at {FPS} a second) are needed"
        raise BadInput(f"the clip lasts {timeline.end:.2f} s, {least}", "record for longer")
    require_rate(timeline.mean_fps)


def _require_whole(film: _Film) -> None:
    frames, damaged = film.timeline.count + film.lost, film.corrupt + film.lost
    if damaged > MAX_DAMAGED * frames:
        raise BadInput(
            f"{damaged} of {frames} frames are damaged or missing, at most {MAX_DAMAGED:.0%} may be", RE_ENCODE
        )


def require_rate(fps: float) -> None:
    """Refuse a mean frame rate that can't be brought to 25."""
    low, high = RATES
    if not low * (1 - RATE_SLACK) <= fps <= high * (1 + RATE_SLACK):
        raise BadInput(
            f"the clip has {fps:.1f} frames a second, {low:.0f} to {high:.0f} can be read",
            "record it at 25 to 60 frames a second",
        )
