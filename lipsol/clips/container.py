"""Which container a file is in, told by its first bytes alone: the demuxer is ours to choose, never the file's.

FFmpeg's own probing would try some 300 demuxers, playlists and concat scripts among them, and those open files and
hosts. So a file goes to one of five demuxers or nowhere.
"""

import struct

from lipsol.errors import BadInput

ACCEPTED = "send an MP4, MOV, WebM, MKV, AVI or MPG video file"
MAX_LOST = 0.1  # share of its bytes that a broken-off file may lack, where its index is there
SHOWN_BYTES = 8  # of an unknown file's start
TEXT_BYTES = 256  # looked at to tell a text from a binary file

_MATROSKA = b"\x1a\x45\xdf\xa3"  # the EBML header's id, RFC 8794
_PROGRAM_STREAM = b"\x00\x00\x01\xba"  # the pack header's start code, ISO/IEC 13818-1
_MPEG_VIDEO = b"\x00\x00\x01\xb3"  # the sequence header's start code, ISO/IEC 13818-2
_MOV_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # what a QuickTime file may start with

_BOX, _LONG = struct.Struct(">I4s"), struct.Struct(">Q")  # a box's size and kind, and its size if that does not fit

_TRANSPORT_PACKET = 188  # bytes, ISO/IEC 13818-1
_REFUSED = (
    (b"GIF8", "a GIF picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"BM", "a BMP picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a script"),
    (b"OggS", "an Ogg file"),
    (b"fLaC", "a FLAC sound file"),
    (b"ID3", "an MP3 sound file"),
    (b"FLV", "a Flash video"),
    (b"0&\xb2u", "a Windows Media file"),
    (b"#EXTM3U", "a playlist"),
    (b"ffconcat", "a playlist"),
    (b"v=0", "a session description (SDP)"),
    (b"<", "an XML or HTML document"),
    (b"\xef\xbb\xbf<", "an XML or HTML document"),
)


def demuxer_of(data: bytes) -> str:
    """FFmpeg's name of the demuxer for a video file: mov, matroska, avi, mpeg or mpegvideo.

    Raises BadInput for anything else, naming what it looks like and what is accepted, and for an MP4 that breaks off.
    """
    if data[4:8] in _MOV_ATOMS:
        _require_whole(data)
        return "mov"
    if data.startswith(_MATROSKA):
        return "matroska"
    if data.startswith(b"RIFF") and data[8:12] == b"AVI ":
        return "avi"
    if data.startswith(_PROGRAM_STREAM):
        return "mpeg"
    if data.startswith(_MPEG_VIDEO):
        return "mpegvideo"
    raise BadInput(f"this is {_look(data)}, not a video that can be read here", ACCEPTED)


def _require_whole(data: bytes) -> None:
    """Refuse an MP4 whose outermost boxes say that it lost its index, or more than `MAX_LOST` of itself."""
    at, index = 0, False
    while at + _BOX.size <= len(data):
        size, kind = _BOX.unpack_from(data, at)
        if size == 1 and at + _BOX.size + _LONG.size <= len(data):
            (size,) = _LONG.unpack_from(data, at + _BOX.size)
        if (
            size < _BOX.size
        ):  # 0: to the end of the file; other sizes below a box's own head are for the decoder to refuse
            return
        at += size
        index |= kind == b"moov" and at <= len(data)
    if at - len(data) > MAX_LOST * at or (at > len(data) and not index):
        raise BadInput(f"the file breaks off: {len(data)} of at least {at} bytes are here", "send the whole file again")


def _look(data: bytes) -> str:
    for start, name in _REFUSED:
        if data.startswith(start):
            return name
    if data.startswith(b"RIFF"):
        return {b"WAVE": "a WAV sound file", b"WEBP": "a WebP picture"}.get(data[8:12], "a RIFF file without video")
    if data[:1] == b"G" and data[_TRANSPORT_PACKET : _TRANSPORT_PACKET + 1] == b"G":
        return "an MPEG transport stream"
    if _is_text(data[:TEXT_BYTES]):
        return "a text"
    return f"a file of unknown type (it starts with {data[:SHOWN_BYTES].hex(' ')})"


def _is_text(start: bytes) -> bool:
    # A character may be cut in two where the look ends, so up to three last bytes are forgiven.
    if any(byte < ord(" ") and byte not in b"\t\r\n\f" for byte in start):
        return False
    return any(_decodes(start[: len(start) - cut]) for cut in range(4))


def _decodes(start: bytes) -> bool:
    try:
        start.decode()
    except UnicodeDecodeError:
        return False
    return bool(start)
