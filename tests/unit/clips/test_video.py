"""Decoding: every container and codec, rates by time, turned phones, bounds, and nothing left behind."""

import gc
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lipsol.clips.video import Limits, decode
from lipsol.errors import BadInput
from tests.clips_made import coded, corners, counted, film, number_in, sound_only, turned

KINDS = {
    "mp4 h264": ("mp4", "libx264", "h264"),
    "mp4 hevc": ("mp4", "libx265", "hevc"),
    "mov h264": ("mov", "libx264", "h264"),
    "webm vp8": ("webm", "libvpx", "vp8"),
    "webm vp9": ("webm", "libvpx-vp9", "vp9"),
    "mkv h264": ("matroska", "libx264", "h264"),
    "avi mpeg4": ("avi", "mpeg4", "mpeg4"),
    "avi h264": ("avi", "libx264", "h264"),
    "mpg mpeg1": ("mpeg", "mpeg1video", "mpeg1video"),
    "mpg mpeg2": ("vob", "mpeg2video", "mpeg2video"),
    "m1v": ("mpeg1video", "mpeg1video", "mpeg1video"),
}
RATES = [10, 12, 15, 24, Fraction(30000, 1001), 30, 48, 50, 60, 90, 120]


def numbers(data: bytes, limits: Limits = Limits()) -> list[int]:
    """The number of each frame that comes out."""
    return [number_in(frame) for frame in decode(data, limits).frames]


def held() -> tuple[list[str], list[str], int]:
    """What this process has open, what lies in shared memory, and how many threads run."""
    gc.collect()
    folders = [Path("/proc/self/fd"), Path("/dev/shm")]
    files, shared = (sorted(path.name for path in folder.iterdir()) for folder in folders)
    return files, shared, threading.active_count()


def by_time(frames: int, fps: Fraction | float) -> list[int]:
    """The frame that is shown at the middle of each 40 ms."""
    slots = math.ceil(Fraction(frames * 25) / Fraction(fps) - Fraction(1, 2))
    return [int((slot + Fraction(1, 2)) / 25 * Fraction(fps)) for slot in range(slots)]


@pytest.mark.parametrize(("container", "codec", "name"), KINDS.values(), ids=KINDS)
def test_every_accepted_kind_is_read_frame_by_frame(container, codec, name):
    clip = decode(counted(30, container=container, codec=codec))
    assert [number_in(frame) for frame in clip.frames] == list(range(30))
    assert (clip.codec, clip.fps, clip.dropped) == (name, 25.0, 0)
    assert clip.source_fps == pytest.approx(25, abs=0.1)


def test_a_webcams_avi_of_single_pictures_is_read():
    assert numbers(counted(20, container="avi", codec="mjpeg", pix_fmt="yuvj420p")) == list(range(20))


@pytest.mark.parametrize("fps", RATES, ids=str)
def test_any_rate_is_brought_to_25_by_time(fps):
    frames = round(3 * fps)
    data = counted(frames, fps=fps)
    assert numbers(data) == [number % 256 for number in by_time(frames, fps)]
    assert decode(data).source_fps == pytest.approx(float(fps), rel=1e-3)


def test_variable_frame_rate_follows_the_timestamps_not_the_order():
    times_ms = [0, 33, 66, 100, 300, 340, 500, 533, 566, 600]
    middles = [40 * slot + 20 for slot in range(15)]
    expected = [max(number for number, shown in enumerate(times_ms) if shown <= middle) for middle in middles]
    got = numbers(counted(10, container="matroska", times=times_ms))
    assert got[: len(expected)] == expected
    assert len(got) - len(expected) <= 1


def test_frames_that_an_avi_skipped_are_counted_and_filled():
    clip = decode(counted(6, container="avi", codec="mpeg4", times=[0, 1, 2, 5, 6, 7], tick=Fraction(1, 25)))
    assert [number_in(frame) for frame in clip.frames] == [0, 1, 2, 2, 2, 3, 4, 5]
    assert clip.dropped == 2


def test_a_clip_at_25_comes_out_as_ffmpeg_decodes_it(sample):
    with av.open(str(sample.path)) as file:
        plain = np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])
    np.testing.assert_array_equal(decode(sample.bytes()).frames, plain)


@pytest.mark.parametrize("mirrored", [False, True], ids=["plain", "mirrored"])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_phone_gives_an_upright_picture(degrees, mirrored):
    upright = decode(film([corners()] * 5)).frames[0]
    expected = np.rot90(upright[:, ::-1] if mirrored else upright, -degrees // 90)
    got = decode(turned(film([corners()] * 5), degrees, mirrored=mirrored)).frames
    np.testing.assert_array_equal(got[0], expected)


@pytest.mark.parametrize(
    ("width", "height", "to"),
    [(1280, 720, (360, 640)), (720, 1280, (640, 360)), (640, 640, (640, 640)), (1000, 600, (384, 640))],
    ids=["wide", "tall", "just fits", "odd"],
)
def test_large_pictures_are_scaled_down_in_proportion(width, height, to):
    frames = decode(film([coded(5, width, height)] * 3)).frames
    assert frames.shape == (3, *to, 3)
    assert number_in(frames[0]) == 5


def test_all_originals_are_read_though_some_begin_gray_or_smeared(grid):
    lengths = {path.stem: len(decode(path.read_bytes()).frames) for path in sorted((grid / "originals").glob("*.mpg"))}
    assert lengths == dict.fromkeys(lengths, 75) | {"srwi5a": 74}


def test_a_word_of_two_frames_is_read():
    assert numbers(counted(2)) == [0, 1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_bytes": 100}, "at most 100"),
        ({"max_seconds": 0.5}, "at most 0.50 s"),
        ({"max_frames": 20}, "more than 20 frames"),
        ({"max_pixels": 10_000}, "at most 10000"),
        ({"output_bytes": 1_000_000}, "MiB can be held"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_bound_is_named_where_it_is_passed(change, said):
    with pytest.raises(BadInput, match=said) as refusal:
        decode(counted(30), replace(Limits(), **change))
    assert refusal.value.cure


def test_a_decoder_that_runs_out_of_memory_refuses_the_clip():
    with pytest.raises(BadInput, match=r"of memory|gave up|can be decoded|damaged"):
        decode(film([corners(1280, 720)] * 30), replace(Limits(), memory_bytes=100 * 2**20))


def test_a_decoder_that_takes_too_long_is_ended():
    with pytest.raises(BadInput, match=r"did not finish within 0\.01 s"):
        decode(film([corners(1920, 1080)] * 30), replace(Limits(), wall_s=0.01))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda: b"", "0 bytes"),
        (lambda: counted(1), "at least 0.08 s"),
        (sound_only, "no pictures"),
        (lambda: counted(10, fps=9), "9.0 frames a second"),
        (lambda: counted(50, fps=150), "150.0 frames a second"),
        (lambda: film([corners(16, 16)] * 5), "16x16"),
        (lambda: counted(5, container="matroska", codec="ffv1"), "ffv1"),
    ],
    ids=["empty", "one frame", "sound", "slow", "fast", "tiny", "codec"],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(data, said):
    with pytest.raises(BadInput, match=said) as refusal:
        decode(data())
    assert refusal.value.cure


def test_many_clips_are_decoded_at_once():
    clips = [counted(10 + number) for number in range(12)]
    with ThreadPoolExecutor(6) as threads:
        assert [len(clip.frames) for clip in threads.map(decode, clips)] == list(range(10, 22))


def test_nothing_is_left_behind_but_the_frames():
    clip, broken = counted(10), counted(10)[:900]
    decode(clip)
    before = held()
    for _ in range(20):
        decode(clip)
        with pytest.raises(BadInput):
            decode(broken)
        with pytest.raises(BadInput):
            decode(clip, replace(Limits(), wall_s=0.0))
    assert held() == before


def test_frames_outlive_the_child_and_can_not_be_changed():
    frames = decode(counted(3)).frames
    assert [number_in(frame) for frame in frames] == [0, 1, 2]
    assert not frames.flags.writeable
