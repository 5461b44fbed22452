"""Who a file says it is, by its first bytes."""

import pytest

from lipsol.clips.container import demuxer_of
from lipsol.errors import BadInput
from tests import files_forged as forged

STRANGERS = forged.documents() | {name: data for name, data in forged.binaries().items() if data}


@pytest.mark.parametrize("name", STRANGERS)
def test_what_is_no_video_goes_to_no_demuxer(name):
    with pytest.raises(BadInput, match="not a video") as refusal:
        demuxer_of(STRANGERS[name])
    assert "MP4" in refusal.value.cure


@pytest.mark.parametrize(
    ("start", "demuxer"),
    [
        (b"\x00\x00\x00\x08ftyp", "mov"),
        (b"\x00\x00\x00\x08wide", "mov"),
        (b"\x1a\x45\xdf\xa3", "matroska"),
        (b"RIFF\x00\x00\x00\x00AVI ", "avi"),
        (b"\x00\x00\x01\xba", "mpeg"),
        (b"\x00\x00\x01\xb3", "mpegvideo"),
    ],
    ids=["mp4", "mov", "webm", "avi", "mpg", "m1v"],
)
def test_each_accepted_container_goes_to_its_own_demuxer(start, demuxer):
    assert demuxer_of(start) == demuxer


def test_a_refusal_names_what_it_saw():
    with pytest.raises(BadInput, match="a GIF picture"):
        demuxer_of(b"GIF89a")


def test_an_mp4_that_lost_a_little_of_its_end_may_go_on():
    index, frames = forged.box(b"moov", b"i" * 40), forged.box(b"mdat", b"f" * 400)
    assert demuxer_of(forged.box(b"ftyp", b"isom") + index + frames[:-20]) == "mov"


@pytest.mark.parametrize("kept", [70, 300], ids=["nearly all gone", "a third gone"])
def test_an_mp4_that_lost_much_of_its_end_is_refused(kept):
    index, frames = forged.box(b"moov", b"i" * 40), forged.box(b"mdat", b"f" * 400)
    with pytest.raises(BadInput, match=f"breaks off: {kept} of at least 468 bytes"):
        demuxer_of((forged.box(b"ftyp", b"isom") + index + frames)[:kept])


def test_an_mp4_that_lost_its_index_is_refused():
    frames, index = forged.box(b"mdat", b"f" * 4000), forged.box(b"moov", b"i" * 40)
    with pytest.raises(BadInput, match="breaks off"):
        demuxer_of(forged.box(b"ftyp", b"isom") + frames + index[:-1])


def test_boxes_of_64_bit_sizes_are_walked():
    frames = b"\x00\x00\x00\x01mdat" + (416).to_bytes(8, "big") + b"f" * 400
    with pytest.raises(BadInput, match="200 of at least 428"):
        demuxer_of((forged.box(b"ftyp", b"isom") + frames)[:200])
