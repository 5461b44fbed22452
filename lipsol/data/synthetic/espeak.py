"""How long each sound of a sentence takes: the only door to espeak-ng.

espeak-ng speaks into nowhere and tells when each sound begins (its phoneme events); what it would sound like is thrown
away. The library keeps one state a process, so it is opened once and asked by one thread at a time. That state outlives
an utterance and even the library's own end: what was said before moves the times by some milliseconds. So the times
are the same again in a new process that says the same things in the same order, and only there.
"""

import ctypes
import threading
from collections.abc import Callable
from ctypes import POINTER, c_char, c_char_p, c_int, c_size_t, c_uint, c_void_p
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lipsol.errors import BadInput, ModelError

# Constants of espeak-ng's speak_lib.h, version 1.52
SYNCHRONOUS, UTF_8, CHARACTERS, RATE = 2, 1, 1, 1
PHONEME_EVENTS, IPA, DONT_EXIT = 1, 2, 0x8000
END_OF_LIST, WORD, END, PHONEME = 0, 1, 5, 7
SLOWEST, FASTEST = 80, 450  # words a minute that espeak-ng obeys


@dataclass(frozen=True)
class Sound:
    """One sound: IPA without stress, when it begins and ends (seconds), and which word (0 and up) it belongs to."""

    ipa: str
    start: float
    end: float
    word: int


@dataclass(frozen=True)
class Utterance:
    """One sentence in time.

    sounds  in order, without gaps between those of a word
    words   start and end of each word, seconds; a word's stop closes before its first sound is heard
    """

    sounds: tuple[Sound, ...]
    words: tuple[tuple[float, float], ...]


class _Id(ctypes.Union):
    _fields_ = [("number", c_int), ("name", c_char_p), ("string", c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", c_int),
        ("message", c_uint),
        ("text_position", c_int),
        ("length", c_int),
        ("audio_ms", c_int),
        ("sample", c_int),
        ("user_data", c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(c_int, c_void_p, c_int, POINTER(_Event))
_one_at_a_time = threading.Lock()


def speak(text: str, language: str, words_a_minute: int) -> Utterance:
    """When each sound of a normalised text is said by espeak-ng's voice of that language, at that speed.

    Raises BadInput for a speed that it does not obey or a text whose words it counts otherwise (a number in digits),
    ModelError if it is not there or has no such voice.
    """
    if not SLOWEST <= words_a_minute <= FASTEST:
        raise BadInput(f"{words_a_minute} words a minute", f"give {SLOWEST} to {FASTEST}")
    with _one_at_a_time:
        events = _engine().events(text, language, words_a_minute)
    return _utterance(text, events)


def _utterance(text: str, events: list[tuple[int, float, str]]) -> Utterance:
    """A sound ends where the next one begins, or where the next word is told to, whichever comes first after it."""
    count = sum(kind == WORD for kind, _, _ in events)
    if count != len(text.split()):
        raise BadInput(
            f"espeak-ng says {text!r} in {count} words, it is written in {len(text.split())}",
            "write numbers as words, and no punctuation",
        )
    sounds, word = [], -1
    for n, (kind, at, ipa) in enumerate(events):
        if kind == WORD:
            word += 1
        if kind == PHONEME and ipa:
            after = [then for later, then, _ in events[n + 1 :] if later in (PHONEME, WORD, END) and then > at]
            sounds.append(Sound(ipa, at, min(after, default=at), word))
    if {sound.word for sound in sounds} != set(range(count)):
        raise BadInput(f"espeak-ng leaves a word of {text!r} out", "write it as it is spoken")
    ends = [max(sound.end for sound in sounds if sound.word == n) for n in range(count)]
    return Utterance(tuple(sounds), tuple(zip([sounds[0].start, *ends[:-1]], ends, strict=True)))


class _Engine:
    """The library, opened, and one utterance's events."""

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as fault:
            raise ModelError(
                "espeak-ng is not installed, and made-up speakers need its times", "install lipsol[synthesis]"
            ) from fault
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_Synth.argtypes = [
            c_char_p, c_size_t, c_uint, c_int, c_uint, c_uint, c_void_p, c_void_p,
        ]  # fmt: skip
        how = PHONEME_EVENTS | IPA | DONT_EXIT
        if self._library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), how) < 0:
            raise ModelError("espeak-ng can't find its data", "install espeakng-loader again")
        self._heard: list[tuple[int, float, str]] = []
        self._callback: Callable[..., int] = _Callback(self._hear)  # kept: the library holds no reference
        self._library.espeak_SetSynthCallback(self._callback)

    def events(self, text: str, language: str, words_a_minute: int) -> list[tuple[int, float, str]]:
        """(type, second, IPA without stress) of each event."""
        if self._library.espeak_SetVoiceByName(language.encode()):
            raise ModelError(f"espeak-ng has no voice {language!r}", "give a language that it speaks, as ur")
        self._library.espeak_SetParameter(RATE, words_a_minute, 0)
        self._heard = []
        data = text.encode()
        if self._library.espeak_Synth(data, len(data) + 1, 0, CHARACTERS, 0, UTF_8, None, None):
            raise ModelError(f"espeak-ng could not say {text!r}", "try once more, then install espeakng-loader again")
        return self._heard

    def _hear(self, _samples: object, _count: int, events: Any) -> int:
        """Called by the library with the events of a piece of sound; 0 asks it to go on."""
        n = 0
        while events[n].type != END_OF_LIST:
            event = events[n]
            ipa = event.id.string.decode(errors="ignore").strip("ˈˌ") if event.type == PHONEME else ""
            self._heard.append((event.type, event.audio_ms / 1000, ipa))
            n += 1
        return 0


@lru_cache(maxsize=1)
def _engine() -> _Engine:
    return _Engine()
