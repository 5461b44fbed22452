"""Files that are no video, or lie about the video in them: made byte by byte, nothing is downloaded."""

import gzip
import io
import random
import struct
import wave
import zipfile
from collections.abc import Callable

SECRET = "file:///etc/passwd"
HOST = "http://127.0.0.1:9/stolen"
CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts")  # boxes that hold boxes


def documents() -> dict[str, bytes]:
    """Playlists, scripts and documents, most of which name a file or a host, as text and by name."""
    m3u8 = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{SECRET}\n#EXT-X-ENDLIST\n"
    texts = {
        "playlist.m3u8": m3u8,
        "playlist-of-a-host.m3u8": m3u8.replace(SECRET, HOST),
        "playlist.m3u": f"{SECRET}\n{HOST}\n",
        "playlist.pls": f"[playlist]\nFile1={SECRET}\nNumberOfEntries=1\n",
        "concat.ffconcat": f"ffconcat version 1.0\nfile '{SECRET}'\n",
        "concat.txt": f"file '{SECRET}'\nfile '{HOST}'\n",
        "session.sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 96\r\n",
        "manifest.mpd": f'<?xml version="1.0"?><MPD><Period><BaseURL>{HOST}</BaseURL></Period></MPD>',
        "playlist.xspf": f'<?xml version="1.0"?><playlist><location>{SECRET}</location></playlist>',
        "playlist.asx": f'<asx><entry><ref href="{HOST}"/></entry></asx>',
        "picture.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{SECRET}"/></svg>',
        "entity.xml": f'<!DOCTYPE a [<!ENTITY b SYSTEM "{SECRET}">]><a>&b;</a>',
        "bomb.xml": '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;&c;&c;&c;</a>',
        "page.html": f'<html><video src="{HOST}"></video></html>',
        "script.sh": "#!/bin/sh\ncat /etc/passwd\n",
        "script.avs": f'FFmpegSource2("{SECRET}")\n',
        "subtitles.srt": "1\n00:00:00,000 --> 00:00:01,000\nbin blue at f two now\n",
        "urdu.txt": "نو بجے تک آ جاؤ\n",
        "command.txt": "; rm -rf / #\n",
        "form.json": '{"file": "../../etc/passwd"}',
        "image-of-a-script.mvg": f'push graphic-context\nimage over 0,0 0,0 "{SECRET}"\n',
    }
    return {name: text.encode() for name, text in texts.items()}


def binaries() -> dict[str, bytes]:
    """Pictures, sounds, archives, programs and plain noise, by name."""
    noise = random.Random(3).randbytes(4096)
    return {
        "empty": b"",
        "one-byte": b"\x00",
        "zeros": bytes(4096),
        "noise": b"\x07" + noise,
        "picture.gif": b"GIF89a" + noise,
        "picture.png": b"\x89PNG\r\n\x1a\n" + noise,
        "picture.jpg": b"\xff\xd8\xff\xe0" + noise,
        "picture.bmp": b"BM" + noise,
        "picture.webp": b"RIFF" + struct.pack("<I", 4096) + b"WEBPVP8 " + noise,
        "sound.wav": _wave(),
        "sound.mp3": b"ID3\x04" + noise,
        "sound.ogg": b"OggS" + noise,
        "sound.flac": b"fLaC" + noise,
        "film.flv": b"FLV\x01" + noise,
        "film.wmv": b"0&\xb2u\x8ef\xcf\x11" + noise,
        "film.ts": (b"G" + noise[:187]) * 16,
        "document.pdf": b"%PDF-1.7\n" + noise,
        "document.ps": b"%!PS\n" + noise,
        "program.elf": b"\x7fELF\x02\x01\x01" + noise,
        "program.exe": b"MZ\x90\x00" + noise,
        "bomb.zip": _zip_bomb(),
        "bomb.gz": gzip.compress(bytes(8 * 2**20), mtime=0),
    }


def right_magic_wrong_rest() -> dict[str, bytes]:
    """Noise behind the first bytes of each accepted container, by name."""
    noise = random.Random(5).randbytes(8192)
    starts = {
        "noise.mp4": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42",
        "noise.mov": b"\x00\x00\x10\x00moov",
        "noise.webm": b"\x1a\x45\xdf\xa3",
        "noise.avi": b"RIFF\x00\x20\x00\x00AVI LIST",
        "noise.mpg": b"\x00\x00\x01\xba",
        "noise.m1v": b"\x00\x00\x01\xb3",
    }
    return {name: start + noise for name, start in starts.items()} | {
        f"only-the-start-of-a-{name[6:]}": start for name, start in starts.items()
    }


def avi_with_a_playlist() -> bytes:
    """An AVI whose subtitles (GAB2) are a playlist: FFmpeg once opened what it names."""
    text = documents()["playlist.m3u8"]
    held = b"GAB2\x00" + struct.pack("<HIHHI", 2, 0, 0, 4, len(text)) + text
    header = struct.pack("<14I", 40000, 0, 0, 0x10, 75, 0, 1, 0, 360, 288, 0, 0, 0, 0)
    stream = b"txts" + struct.pack("<13I", 0, 0, 0, 0, 1, 25, 0, 75, 0, 0, 0, 0, 0)
    lists = _chunk(b"LIST", b"strl" + _chunk(b"strh", stream) + _chunk(b"strf", bytes(4)))
    head = _chunk(b"LIST", b"hdrl" + _chunk(b"avih", header) + lists)
    return _chunk(b"RIFF", b"AVI " + head + _chunk(b"LIST", b"movi" + _chunk(b"00tx", held)))


def boxes_changed(mp4: bytes, changes: dict[bytes, Callable[[bytes], bytes]]) -> bytes:
    """An MP4 whose boxes of the given kinds hold what `changes` makes of them; sizes are put right."""
    out, at = b"", 0
    while at + 8 <= len(mp4):
        size, kind = struct.unpack_from(">I4s", mp4, at)
        held = mp4[at + 8 : at + size]
        if kind in changes:
            held = changes[kind](held)
        elif kind in CONTAINERS:
            held = boxes_changed(held, changes)
        out += box(kind, held)
        at += size
    return out


def index_first(mp4: bytes) -> bytes:
    """The MP4 with its index (`moov`) before the pictures (`mdat`), as files made for streaming have it."""
    start = mp4.index(b"moov") - 4
    index = mp4[start : start + struct.unpack_from(">I", mp4, start)[0]]
    rest = mp4[:start] + mp4[start + len(index) :]

    def shifted(held: bytes) -> bytes:
        count = struct.unpack_from(">I", held, 4)[0]
        places = struct.unpack_from(f">{count}I", held, 8)
        return held[:8] + struct.pack(f">{count}I", *(place + len(index) for place in places))

    pictures = rest.index(b"mdat") - 4
    return rest[:pictures] + boxes_changed(index, {b"stco": shifted}) + rest[pictures:]


def box(kind: bytes, held: bytes) -> bytes:
    """One box of an MP4 (ISO/IEC 14496-12)."""
    return struct.pack(">I4s", 8 + len(held), kind) + held


def elsewhere(_: bytes) -> bytes:
    """A `dref` box that says the pictures lie in another file, as an alias (QuickTime) with an absolute path."""
    path = b"/etc/passwd"
    alias = bytes(6) + struct.pack(">HH", 0, 2) + bytes(140) + struct.pack(">hh", 18, len(path)) + path + b"\x00"
    alias += struct.pack(">hh", -1, 0)
    return struct.pack(">II", 0, 1) + box(b"alis", bytes(4) + alias)


def address(_: bytes) -> bytes:
    """A `dref` box that says the pictures lie at an address."""
    return struct.pack(">II", 0, 1) + box(b"url ", bytes(4) + HOST.encode() + b"\x00")


def _chunk(kind: bytes, held: bytes) -> bytes:
    return kind + struct.pack("<I", len(held)) + held + bytes(len(held) % 2)


def _wave() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    return out.getvalue()


def _zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(16):
            archive.writestr(zipfile.ZipInfo(f"{number}.mp4"), bytes(4 * 2**20), zipfile.ZIP_DEFLATED)
    return out.getvalue()
