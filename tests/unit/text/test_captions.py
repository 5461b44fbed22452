import html
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipsol.errors import BadInput
from lipsol.text.captions import MAX_CUE_LENGTH, MAX_CUE_MS, PAUSE_MS, to_srt, to_vtt

CLOCK = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3})")
SAID = [("bin", 0.52, 0.8), ("blue", 0.8, 1.1), ("at", 1.1, 1.2)]
WORDS = st.lists(st.tuples(st.text(), st.floats(-10, 1e5), st.floats(-10, 1e5)), max_size=12)


def ms(clock):
    hours, minutes, seconds, rest = map(int, CLOCK.fullmatch(clock).groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def blocks(written):
    """The parts between blank lines, with each part's lines."""
    return [block.split("\n") for block in written.rstrip("\n").split("\n\n") if block]


def parse(lines):
    """(start ms, end ms, text) of a cue whose first line is its times."""
    start, end = lines[0].split(" --> ")
    return ms(start), ms(end), "\n".join(lines[1:])


def parse_srt(written):
    return [parse(lines[1:]) for lines in blocks(written)]


def parse_vtt(written):
    head, *cues = blocks(written)
    assert head == ["WEBVTT"]
    return [parse(cue) for cue in cues]


def bare(payload):
    """A WebVTT payload without its tags and times."""
    return html.unescape(re.sub(r"<[^>]*>", "", payload))


def test_a_sentence_is_one_srt_cue():
    assert to_srt(SAID) == "1\n00:00:00,520 --> 00:00:01,200\nbin blue at\n"


def test_a_sentence_is_one_vtt_cue_with_a_time_for_each_word():
    assert to_vtt(SAID) == ("WEBVTT\n\n00:00:00.520 --> 00:00:01.200\nbin <00:00:00.800>blue <00:00:01.100>at\n")


def test_a_pause_parts_cues():
    said = [*SAID, ("now", 1.2 + PAUSE_MS / 1000, 2.5)]
    assert parse_srt(to_srt(said)) == [(520, 1200, "bin blue at"), (2200, 2500, "now")]
    assert to_srt(said).startswith("1\n")
    assert "\n\n2\n" in to_srt(said)


@pytest.mark.parametrize("seconds", [0.1, 0.9], ids=["by length", "by time"])
def test_a_long_speech_is_parted(seconds):
    said = [("sentence", n * seconds, (n + 1) * seconds) for n in range(40)]
    cues = parse_srt(to_srt(said))
    assert len(cues) > 1
    assert all(len(text) <= MAX_CUE_LENGTH and end - start <= MAX_CUE_MS for start, end, text in cues)
    assert " ".join(text for _, _, text in cues).split() == ["sentence"] * 40


def test_what_is_not_sure_is_marked_with_its_alternatives():
    others = ["bin blue in", "pin blue at"]
    assert parse_srt(to_srt(SAID, sure=False, alternatives=others)) == [
        (520, 1200, "[not sure] bin blue at / bin blue in / pin blue at")
    ]
    [(_, _, text)] = parse_vtt(to_vtt(SAID, sure=False, alternatives=others))
    assert bare(text) == "[not sure] bin blue at / bin blue in / pin blue at"


def test_alternatives_belong_to_the_whole_speech():
    said = [("yes", 0.0, 0.5), ("no", 9.0, 9.5)]
    assert parse_srt(to_srt(said, sure=False, alternatives=["x"])) == [(0, 9500, "[not sure] yes no / x")]


def test_every_unsure_cue_says_so():
    said = [("yes", 0.0, 0.5), ("no", 9.0, 9.5)]
    assert [text for _, _, text in parse_srt(to_srt(said, sure=False))] == ["[not sure] yes", "[not sure] no"]


@pytest.mark.parametrize("write", [to_srt, to_vtt])
def test_who_is_sure_offers_nothing_else(write):
    assert write(SAID, sure=True, alternatives=["other"]) == write(SAID)


def test_markup_is_escaped_in_vtt():
    [(_, _, text)] = parse_vtt(to_vtt([("R&D", 0.0, 1.0), ("<b>-->", 1.0, 2.0)]))
    assert text == "R&amp;D <00:00:01.000>&lt;b&gt;--&gt;"


def test_srt_holds_neither_tags_nor_arrows():
    [(_, _, text)] = parse_srt(to_srt([("R&D", 0.0, 1.0), ("<b>-->", 1.0, 2.0)]))
    assert text == "R&D ‹b›--›"


def test_urdu_stays_in_logical_order_and_says_its_language():
    said = [("آپ", 0.0, 0.5), ("کب", 0.5, 1.0)]
    assert parse_srt(to_srt(said)) == [(0, 1000, "آپ کب")]
    assert parse_vtt(to_vtt(said, language="ur")) == [(0, 1000, "<lang ur>آپ <00:00:00.500>کب</lang>")]


def test_hours_are_written():
    assert parse_srt(to_srt([("late", 3661.0, 3662.0005)])) == [(3_661_000, 3_662_000, "late")]


def test_line_breaks_never_end_a_cue():
    assert parse_srt(to_srt([("two\n\n2\nlines", 0.0, 1.0)])) == [(0, 1000, "two 2 lines")]


def test_nobody_said_anything():
    assert to_srt([]) == ""
    assert to_vtt([], sure=False, alternatives=["x"]) == "WEBVTT\n"
    assert to_srt([(" ", 0.0, 1.0)]) == ""


@pytest.mark.parametrize("write", [to_srt, to_vtt])
@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_time_is_a_finite_number(write, wrong):
    with pytest.raises(BadInput, match=f"'at' is said from 0.5 to {wrong} seconds"):
        write([("at", 0.5, wrong)])


@given(WORDS, st.booleans(), st.lists(st.text(), max_size=2))
def test_cues_never_overlap_and_never_go_back(words, sure, others):
    for cues in (
        parse_srt(to_srt(words, sure=sure, alternatives=others)),
        parse_vtt(to_vtt(words, sure=sure, alternatives=others)),
    ):
        times = [time for start, end, _ in cues for time in (start, end)]
        assert times == sorted(times)
        assert all(start < end for start, end, _ in cues)


@given(WORDS)
def test_the_words_come_back_from_vtt_with_rising_times(words):
    cues = parse_vtt(to_vtt(words))
    assert " ".join(bare(text) for _, _, text in cues).split() == " ".join(text for text, _, _ in words).split()
    for start, end, text in cues:
        inner = [ms(clock) for clock in re.findall(r"<([\d:.]+)>", text)]
        assert all(one < next_one for one, next_one in zip([start, *inner], [*inner, end], strict=True))
