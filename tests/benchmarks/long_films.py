"""Films of any length made of real clips: one person speaks, sentence after sentence, at 25 frames a second.

The pictures are encoded once, for as long as there are different ones; a longer film repeats the encoded packets.
"""

import io
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np

from lipsol.clips.clip import FPS
from lipsol.clips.video import decode

LATE = 20  # frames that are put behind all others: so that even a second of film begins in speech


def spoken(films: Sequence[bytes], seconds: Sequence[int]) -> list[bytes]:
    """A film for each length, MP4 (H.264), of the frames of `films` over and over."""
    encoded = _encoded(films)
    return [_repeated(encoded, round(each * FPS)) for each in seconds]


def _encoded(films: Sequence[bytes]) -> bytes:
    """One film of all: a key frame a second and none stored out of order, so that packets can be repeated."""
    out, pictures = io.BytesIO(), np.roll(np.concatenate([decode(film).frames for film in films]), -LATE, axis=0)
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=round(FPS))
        stream.options = {"preset": "veryfast", "crf": "20", "bf": "0", "g": "25", "threads": "1"}
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def _repeated(film: bytes, frames: int) -> bytes:
    """The packets of a film until there are so many frames."""
    out = io.BytesIO()
    with av.open(io.BytesIO(film)) as source, av.open(out, "w", format="mp4") as file:
        track = source.streams.video[0]
        stream = file.add_stream_from_template(track)
        packets = [(bytes(packet), packet.is_keyframe) for packet in source.demux(track) if packet.size]
        for number in range(frames):
            data, key = packets[number % len(packets)]
            packet = av.Packet(data)
            packet.stream, packet.is_keyframe, packet.time_base = stream, key, 1 / Fraction(round(FPS))
            packet.pts = packet.dts = number
            packet.duration = 1
            file.mux(packet)
    return out.getvalue()
