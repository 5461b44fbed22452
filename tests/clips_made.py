"""Video files made by the tests themselves, with PyAV in this process: good ones of every kind, and bad ones.

Nothing is downloaded, and the same call makes the same bytes.
"""

import io
import random
import struct
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np

from tests import files_forged as forged

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "s1-bgbb3a.mp4"
WIDTH, HEIGHT, BITS = 192, 128, 8
QUARTERS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}  # a b c d, clockwise

Pictures = Sequence[np.ndarray]


def coded(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A picture that carries a number, 0 to 255, as eight black or white columns; rgb, shape (height, width, 3)."""
    bits = [number >> bit & 1 for bit in range(BITS)]
    row = np.repeat(np.array(bits, np.uint8) * 215 + 20, width // BITS)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (height, row.size, 3)))


def number_in(picture: np.ndarray) -> int:
    """The number that `coded` put into a picture, at any scale."""
    columns = picture.mean(axis=(0, 2)).reshape(BITS, -1).mean(axis=1)
    return sum(int(bright > 127) << bit for bit, bright in enumerate(columns))


def corners(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A dark picture whose upper left quarter is white and upper right quarter gray."""
    picture = np.full((height, width, 3), 16, np.uint8)
    picture[: height // 2, : width // 2] = 240
    picture[: height // 2, width // 2 :] = 128
    return picture


def film(
    pictures: Pictures,
    *,
    container: str = "mp4",
    codec: str = "libx264",
    fps: Fraction | int = 25,
    times: Sequence[int] | None = None,
    tick: Fraction = Fraction(1, 1000),
    pix_fmt: str = "yuv420p",
) -> bytes:
    """A video file of `pictures` (rgb, all of one shape), shown at `fps`, or at `times` (ticks) if given."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=fps, options={"threads": "1", "g": "25"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = tick if times else 1 / Fraction(fps)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
            frame.pts = times[number] if times else number
            frame.time_base = stream.codec_context.time_base
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def spliced(clips: Sequence[Path], *, times: int = 1, fps: Fraction | int = 25) -> bytes:
    """Real clips one behind the other, all that `times` times, as one MP4 of 360x288."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=fps, options={"threads": "1", "preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 360, 288, "yuv420p"
        number = 0
        for _ in range(times):
            for clip in clips:
                with av.open(str(clip)) as source:
                    for frame in source.decode(video=0):
                        shown = frame.reformat(360, 288, "yuv420p")
                        shown.pts, shown.time_base, shown.pict_type = number, 1 / Fraction(fps), 0
                        file.mux(stream.encode(shown))
                        number += 1
        file.mux(stream.encode(None))
    return out.getvalue()


def counted(frames: int, **how: object) -> bytes:
    """A film whose frames carry the numbers 0, 1, 2..."""
    return film([coded(number % 256) for number in range(frames)], **how)


def turned(mp4: bytes, degrees: int, *, mirrored: bool = False) -> bytes:
    """The MP4 with a display matrix that asks for a clockwise turn, after mirroring left and right if asked for."""
    a, b, c, d = QUARTERS[degrees]
    a, b = (-a, -b) if mirrored else (a, b)
    ones = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    return forged.boxes_changed(mp4, {b"tkhd": lambda held: held[:40] + ones + held[76:]})


def sound_only(container: str = "mp4") -> bytes:
    """A second of silence, and no picture."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        codec, kind, style = ("libopus", np.int16, "s16") if container == "webm" else ("aac", np.float32, "fltp")
        stream = file.add_stream(codec, rate=48000, layout="mono", format=style)
        for number in range(50):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), kind), format=style, layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, number * 960, Fraction(1, 48000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def bad_clips() -> dict[str, bytes]:
    """Files that must all be refused, by name: see that each refusal says why and what to do."""
    return {
        **forged.documents(),
        **forged.binaries(),
        **forged.right_magic_wrong_rest(),
        **_cut_and_corrupted(),
        **_of_wrong_size_or_length(),
        **_without_a_talking_face(),
        **_changing_midway(),
        "avi-with-a-playlist.avi": forged.avi_with_a_playlist(),
        "pictures-in-another-file.mov": forged.boxes_changed(counted(25), {b"dref": forged.elsewhere}),
        "pictures-at-an-address.mov": forged.boxes_changed(counted(25), {b"dref": forged.address}),
        "sound-only.mp4": sound_only(),
        "sound-only.webm": sound_only("webm"),
        "unknown-codec.mkv": counted(10, container="matroska", codec="ffv1"),
        "flash-codec.avi": counted(10, container="avi", codec="flv"),
    }


def _cut_and_corrupted() -> dict[str, bytes]:
    sample = SAMPLE.read_bytes()
    plain = film(_sampled())
    fast = forged.index_first(plain)
    webm, mpg = (
        film(_sampled(), container="webm", codec="libvpx"),
        film(_sampled(), container="mpeg", codec="mpeg1video"),
    )
    cuts = {f"cut-at-{percent}.mp4": plain[: len(plain) * percent // 100] for percent in (1, 10, 50, 90, 99)}
    return cuts | {
        "cut-behind-the-index.mp4": fast[: fast.index(b"mdat") + 4],
        "cut-in-the-middle-of-the-frames.mp4": fast[: (fast.index(b"mdat") + len(fast)) // 2],
        "cut-in-the-header.webm": webm[:120],
        "cut-in-the-header.mpg": mpg[:40],
        "corrupted-frames.mp4": _scratched(
            sample,
            every=40,
            behind=sample.index(b"mdat") + 4 if sample.index(b"mdat") < sample.index(b"moov") else 4000,
        ),
        "corrupted-index.mp4": _scratched(plain, every=9, behind=plain.index(b"moov") + 4),
        "corrupted-everywhere.webm": _scratched(webm, every=20, behind=40),
        "corrupted-everywhere.mpg": _scratched(mpg, every=12, behind=4),
        "frames-of-zeros.mp4": fast[: fast.index(b"mdat") + 4] + bytes(len(fast) - fast.index(b"mdat") - 4),
    }


def _of_wrong_size_or_length() -> dict[str, bytes]:
    small = counted(5)
    stts = struct.pack(">IIII", 0, 1, 75, 0)
    return {
        "2x2.mp4": film([corners(2, 2)] * 10),
        "16x16.mp4": film([corners(16, 16)] * 10),
        "thin.mp4": film([corners(640, 16)] * 10),
        "huge-header.mp4": _claimed(small, 30000, 30000),
        "huge-pictures.mp4": film([np.zeros((2400, 4096, 3), np.uint8)] * 2, codec="mpeg4"),
        "one-frame.mp4": counted(1),
        "two-frames-in-a-moment.mp4": counted(2, fps=100),
        "no-frames.webm": film([coded(0)], container="webm", codec="libvpx")[:300],
        "31-seconds.mp4": counted(31 * 25),
        "an-hour-between-frames.mp4": counted(3, times=[0, 3_600_000, 7_200_000]),
        "too-slow.mp4": counted(10, fps=5),
        "too-fast.mp4": counted(100, fps=240),
        "zero-duration.mp4": forged.boxes_changed(small, {b"stts": lambda _: stts[:8] + struct.pack(">II", 5, 0)}),
        "millions-of-frames.mp4": forged.boxes_changed(
            small,
            {
                b"stts": lambda _: stts[:8] + struct.pack(">II", 2**31, 1),
                b"stsz": lambda _: struct.pack(">III", 0, 1, 2**28),
            },
        ),
        "64-mib-and-more.mp4": small + forged.box(b"free", bytes(64 * 2**20)),
    }


def _without_a_talking_face() -> dict[str, bytes]:
    noise = np.random.default_rng(7)
    board = np.kron(np.indices((9, 12)).sum(0) % 2, np.ones((32, 30))).astype(np.uint8)[..., None] * np.full(
        3, 255, np.uint8
    )
    slope = np.broadcast_to(np.linspace(0, 255, 288, dtype=np.uint8)[:, None, None], (288, 360, 3)).copy()
    shaded = [np.roll(slope, step, axis=0) for step in range(50)]
    return {
        "noise-picture.mp4": film([noise.integers(0, 256, (288, 360, 3), np.uint8) for _ in range(25)]),
        "black.mp4": film([np.zeros((288, 360, 3), np.uint8)] * 50),
        "black.webm": film([np.zeros((288, 360, 3), np.uint8)] * 50, container="webm", codec="libvpx-vp9"),
        "white.mp4": film([np.full((288, 360, 3), 255, np.uint8)] * 50),
        "gradient.mp4": film(shaded),
        "checkerboard.avi": film([board] * 50, container="avi", codec="mpeg4"),
        "columns.mpg": counted(50, container="mpeg", codec="mpeg1video"),
        "photo-of-a-face.mp4": film([_sampled()[0]] * 75),
    }


def _changing_midway() -> dict[str, bytes]:
    kinds = {"mpg": ("mpeg", "mpeg1video"), "m2v.mpg": ("vob", "mpeg2video"), "m1v": ("mpeg1video", "mpeg1video")}
    return {
        f"size-changes-midway.{name}": counted(20, container=container, codec=codec)
        + film([corners(320, 240)] * 20, container=container, codec=codec)
        for name, (container, codec) in kinds.items()
    }


@cache
def _sampled() -> Pictures:
    with av.open(str(SAMPLE)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def _scratched(data: bytes, every: int, behind: int) -> bytes:
    """The file with one byte in `every` replaced at random, after its first `behind` bytes."""
    chance, scratched = random.Random(11), bytearray(data)
    for at in range(behind, len(data), every):
        scratched[min(at + chance.randrange(every), len(data) - 1)] = chance.randrange(256)
    return bytes(scratched)


def _claimed(mp4: bytes, width: int, height: int) -> bytes:
    """The MP4 whose sample entry claims other dimensions, and whose codec's own header is gone."""

    def entry(held: bytes) -> bytes:
        at = held.index(b"avc1") + 4 + 24
        return (held[:at] + struct.pack(">HH", width, height) + held[at + 4 :]).replace(b"avcC", b"free")

    return forged.boxes_changed(mp4, {b"stsd": entry})
