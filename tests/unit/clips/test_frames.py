"""Recordings out of the decoder: in segments, one behind the other, and never further ahead than they are taken."""

import os
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lipsol.clips.framing import CODECS, HEAD_BYTES, Head, TooLong
from lipsol.clips.video import PIPE_BYTES, SEGMENT_S, Limits, decode, frames
from lipsol.errors import BadInput
from tests.clips_made import HEIGHT, WIDTH, corners, counted, film, number_in


def numbers(data, **how):
    return [number_in(frame) for clip in frames(data, **how) for frame in clip.frames]


def children():
    """The decoder's living children."""
    own = Path("/proc/self/task").glob("*/children")
    nurseries = [pid for task in own for pid in task.read_text().split()]
    return [
        child
        for pid in nurseries
        for task in Path(f"/proc/{pid}/task").glob("*/children")
        for child in task.read_text().split()
    ]


def spent(child):
    """Processor time of a process, in ticks."""
    return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[11]


def test_a_head_is_read_as_it_was_written():
    for codec in CODECS:
        head = Head(360, 288, 3, 2, 29.97, 61.5, codec)
        assert len(head.to_bytes()) == HEAD_BYTES
        assert Head.from_bytes(head.to_bytes()) == head


def test_a_head_of_a_child_that_names_no_codec_tells_none():
    told = Head(360, 288, 3, 2, 29.97, 61.5, CODECS[0]).to_bytes()
    assert Head.from_bytes(told[:-4] + (99).to_bytes(4, "little")).codec == ""


@pytest.mark.parametrize("fps", [10, 25, Fraction(30000, 1001), 60], ids=str)
def test_a_recording_has_the_frames_that_the_clip_has(fps):
    data = counted(round(5 * fps), fps=fps)
    assert numbers(data) == [number_in(frame) for frame in decode(data).frames]


def test_a_segment_is_two_seconds_and_the_last_is_what_is_left():
    clips = list(frames(counted(130)))
    assert [clip.seconds for clip in clips] == [SEGMENT_S, SEGMENT_S, 1.2]
    assert {(clip.source_fps, clip.codec) for clip in clips} == {(25.0, decode(counted(50)).codec)}


def test_a_hole_is_filled_and_told_of_in_its_segment():
    times = [*range(60), *range(70, 160)]
    clips = list(frames(counted(150, container="matroska", times=times, tick=Fraction(1, 25))))
    held = np.concatenate([clip.frames for clip in clips])
    assert [number_in(frame) for frame in held[58:72]] == [58] + [59] * 11 + [60, 61]
    assert [clip.dropped for clip in clips] == [0, 10, 0, 0]


def test_the_child_waits_for_who_takes_its_frames_and_ends_with_them():
    taken = frames(counted(500))
    next(taken)
    (child,) = children()
    seen = [spent(child)]
    while len(seen) < 3 or seen[-1] != seen[-3]:  # until it rests; one that ran ahead to its end is gone
        time.sleep(0.2)
        seen.append(spent(child))
    taken.close()
    assert children() == []
    assert 500 * WIDTH * HEIGHT * 3 > 10 * PIPE_BYTES, "it could have written all"


def test_a_recording_leaves_no_descriptor_behind():
    data, broken = counted(60), counted(60)[:900]
    list(frames(data))
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(5):
        next(frames(data)).frames.sum()
        with pytest.raises(BadInput):
            list(frames(broken))
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_what_came_before_a_change_of_the_picture_can_be_used():
    kind = {"container": "mpeg", "codec": "mpeg1video"}
    two = [counted(60, **kind), film([corners(320, 240)] * 20, **kind)]
    recording = frames(b"".join(two))
    assert number_in(next(recording).frames[10]) == 10
    with pytest.raises(BadInput, match="changes from"):
        list(recording)


def test_a_recording_over_its_bound_is_too_long_and_so_is_a_clip():
    with pytest.raises(TooLong, match=r"lasts 6\.00 s, at most 4\.00 s"):
        list(frames(counted(150), max_seconds=4.0))
    with pytest.raises(TooLong, match=r"lasts 6\.00 s, at most 4\.00 s"):
        decode(counted(150), replace(Limits(), max_seconds=4.0))


def test_a_decoder_that_hands_nothing_on_is_ended():
    with pytest.raises(BadInput, match="did not hand on a frame within 0 s"):
        list(frames(counted(50), replace(Limits(), wall_s=0.0)))
    assert children() == []
