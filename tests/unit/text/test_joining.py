"""Words of overlapping readings: each once, none lost, in order."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from lipsol.text.joining import Part, joined


@dataclass(frozen=True)
class Word:
    text: str
    start_s: float
    end_s: float


def said(lengths):
    """Words one behind the other, with pauses between them."""
    words, at = [], 0.0
    for number, (length, pause) in enumerate(lengths):
        words.append(Word(f"w{number}", at, at + length))
        at += length + pause
    return words


LENGTHS = st.lists(st.tuples(st.floats(0.1, 0.6), st.floats(0.0, 1.0)), min_size=1, max_size=30)


@given(LENGTHS, st.floats(1.0, 6.0), st.floats(0.0, 0.6), st.floats(-0.24, 0.24))
def test_what_two_parts_heard_is_told_once_and_what_one_heard_is_told(lengths, every, overlap, share):
    off = share * min(length for length, _ in lengths)  # twice that apart, they share over half of the shortest word
    words = said(lengths)
    starts = [number * every for number in range(1 + int(words[-1].end_s / every))]
    parts = []
    for start in starts:
        clip = (start - overlap, start + every + overlap)
        heard = [word for word in words if clip[0] <= word.start_s and word.end_s <= clip[1]]
        parts.append(Part(start, tuple(Word(word.text, word.start_s + off, word.end_s + off) for word in heard)))
        off = -off
    told = [word.text for part in joined(parts) for word in part]
    assert len(told) == len(set(told))
    assert set(told) == {word.text for part in parts for word in part.words}
    assert told == sorted(told, key=lambda text: int(text[1:]))


def test_the_boundary_decides_whose_word_is_told():
    before = Part(0.0, (Word("then", 2.0, 2.4), Word("now", 2.9, 3.3)))
    after = Part(3.0, (Word("no", 2.92, 3.28), Word("here", 3.4, 3.8)))
    assert [[word.text for word in part] for part in joined([before, after])] == [["then"], ["no", "here"]]
    early = Part(3.2, after.words)
    assert [[word.text for word in part] for part in joined([before, early])] == [["then", "now"], ["here"]]


def test_parts_that_share_no_moment_keep_all():
    parts = [Part(0.0, (Word("a", 0.0, 1.0),)), Part(1.0, (Word("b", 1.0, 2.0),))]
    assert joined(parts) == [part.words for part in parts]
    assert joined([]) == []
