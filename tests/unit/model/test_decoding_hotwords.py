"""Hotwords in every way of decoding: the sentence they prefer, by brute force; and that no probability counts them."""

import numpy as np
import pytest

from lipsol.card import Confidence, Scale
from lipsol.model.calibrated import Place, shared, told
from lipsol.model.decoding import Blend, choose, decode_beam, decode_grammar
from lipsol.model.decoding.beam import beam_search
from lipsol.model.decoding.hot_beam import HotPrefixes
from lipsol.model.emissions import Emissions
from lipsol.text.grammar import Grammar
from lipsol.text.hotwords import Hotwords
from lipsol.text.wording import Wording
from tests.unit.model.counted import ctc_texts, log_softmax, noise, spelled, spoken

SMALL = Grammar.of_slots("small", "en", [["bin", "set", "lay"], ["at", "by"], ["one", "two", "six"]])
TREE = Grammar.of_phrases("tree", "en", ["a", "a b", "ab", "bb", "a ba", "a b a", "b a b"])
WORDS = ("a", "ab", "b", "ba", "bb")
PLAIN = Scale(1.0, 0.0)


def tiny(frames, seed):
    return Emissions(noise(frames, 4, seed), noise(frames, 6, seed + 1), "ab ", WORDS)


def readings(decoded):
    return {decoded.text: decoded.probability} | {other.text: other.probability for other in decoded.alternatives}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "times",
    [{"a": 3}, {"b a": 50}, {"a b a": 900, "ab": 4}, {"a": 5, "a b": 7, "b": 2}],
    ids=["word", "phrase", "sentence", "overlapping"],
)
def test_the_sentence_that_hotwords_prefer_is_found_exactly(seed, times):
    clip, hot, blend = tiny(9, seed), Hotwords.of(times, "en"), Blend(min_frames=2)
    plain = readings(decode_grammar(clip, TREE, 100, blend))
    expected = max(plain, key=lambda text: np.log(plain[text]) + hot.boost(text.split()))
    decoded = decode_grammar(clip, TREE, 100, blend, hot)
    assert decoded.text == expected
    assert readings(decoded) == pytest.approx(plain)


def test_the_preferred_sentence_is_found_behind_any_number_of_others():
    clip = spoken("set by two", SMALL.words, frames=40, noisy=2.0, clear=1.0)
    plain = decode_grammar(clip, SMALL, 100)
    last = plain.alternatives[-1].text
    hot = Hotwords.of({last: 1000, last.split()[0]: 1000, last.split()[1]: 1000, last.split()[2]: 1000}, "en")
    decoded = decode_grammar(clip, SMALL, 2, hotwords=hot)
    assert decoded.text == last and decoded.probability == pytest.approx(plain.alternatives[-1].probability)
    assert [word.text for word in decoded.words] == last.split()
    assert decoded.alternatives[0].text == plain.text


@pytest.mark.parametrize("seed", range(3))
def test_a_beam_prefers_as_the_sum_of_all_alignments_does(seed):
    clip, hot = tiny(5, seed), Hotwords.of({"ba": 30, "a b": 5}, "en")
    texts = {}
    for classes, p in ctc_texts(clip.char_logp).items():
        text = " ".join(spelled(classes, "ab ").split())
        texts[text] = texts.get(text, 0) + p
    expected = max(texts, key=lambda text: np.log(texts[text]) + hot.boost(text.split()))
    assert decode_beam(clip, width=2000, hotwords=hot).text == expected


def test_a_beam_keeps_a_hotword_that_it_would_have_dropped_while_it_was_spelled():
    letters = [1, 0, 2, 0, 1, 0, 2, 0]  # a b a b, hardly heard among louder ones
    logp = np.full((len(letters), 5), -3.0, np.float32)
    for t, letter in enumerate(letters):
        logp[t, letter] = -1.2
        logp[t, 3 if letter else 0] = -0.7
    logp = log_softmax(logp)
    hot = Hotwords.of({"abab": 1000}, "en")
    plain = {text for text, _ in beam_search(logp.astype(np.float64), "abc ", 3)}
    found = {text for text, _ in beam_search(logp.astype(np.float64), "abc ", 3, HotPrefixes(hot))}
    assert "abab" not in plain and "abab" in found


def test_what_a_beam_did_not_prefer_costs_and_gains_nothing():
    clip = tiny(6, 7)
    plain, hot = decode_beam(clip, width=2000), decode_beam(clip, width=2000, hotwords=Hotwords.of({"bbb": 2}, "en"))
    assert readings(hot) == pytest.approx(readings(plain))


def test_a_prefix_is_promised_a_part_and_given_all_when_the_word_ends():
    hot = HotPrefixes(Hotwords.of({"ab": 100, "ab ba": 10}, "en"))
    standing, worths = hot.empty(), []
    for letter in "ab ba":
        standing = hot.longer(standing, letter)
        worths.append(hot.worth(standing))
    full, both = np.log(100), np.log(10)
    assert worths == pytest.approx([full / 2, full, full + both * 3 / 5, full + both * 4 / 5, full + both])
    assert hot.whole(standing) == pytest.approx(Hotwords.of({"ab": 100, "ab ba": 10}, "en").boost(["ab", "ba"]))
    assert hot.worth(hot.longer(hot.longer(hot.empty(), "a"), "a")) == 0


def test_a_words_model_prefers_a_hotword():
    clip = Emissions(
        np.zeros((1, 4), np.float32), log_softmax(np.array([[-9.0, 2.0, 1.5, 0.0, 0.0, 0.0]])), "ab ", WORDS
    )
    plain, hot = (choose(clip, 9, Wording(None, each)) for each in (Hotwords(), Hotwords.of({"ab": 3}, "en")))
    assert (plain.text, hot.text) == ("a", "ab")
    assert readings(plain) == readings(hot)


def test_what_hotwords_alone_brought_to_the_top_is_never_sure():
    clip = spoken("set by two", SMALL.words, frames=40, noisy=2.0, clear=1.0)
    held = Confidence(PLAIN, PLAIN, PLAIN, PLAIN, threshold=0.0, stranger_threshold=0.0)
    place = Place("en", SMALL, SMALL.words)
    hot = Hotwords.of({"lay": 1000, "at": 1000, "six": 1000, "lay at six": 1000}, "en")
    plain = told(decode_grammar(clip, SMALL), held, place, stranger=False)
    brought = told(decode_grammar(clip, SMALL, hotwords=hot), held, place, stranger=False)
    assert not plain.abstained and plain.text != "lay at six"
    assert brought.text == "lay at six"
    assert brought.abstained and brought.confidence <= 1 - plain.confidence
    assert brought.alternatives[0].text == plain.text
    assert brought.alternatives[0].confidence == pytest.approx(plain.confidence)


@pytest.mark.parametrize("seed", range(4))
def test_no_hotword_makes_any_reading_surer(seed):
    clip, held = tiny(9, seed), Confidence(Scale(0.7, 0.2), PLAIN, PLAIN, PLAIN, 0.5, 0.5)
    place, blend = Place("en", TREE, WORDS), Blend(min_frames=2)
    told_of = [
        told(decode_grammar(clip, TREE, 100, blend, hot), held, place, stranger=False)
        for hot in (Hotwords(), Hotwords.of({"b a b": 1000}, "en"))
    ]
    plain, hot = ({read.text: read.confidence} | {o.text: o.confidence for o in read.alternatives} for read in told_of)
    assert all(hot[text] == pytest.approx(plain[text], abs=2e-4) for text in hot.keys() & plain.keys())
    assert hot != {} and (told_of[1].text == "b a b") <= told_of[1].abstained


@pytest.mark.parametrize(
    "raw", [[0.5, 0.3, 0.1], [0.3, 0.5, 0.1], [1.0, 0.0], [0.3, 0.25, 0.2, 0.15, 0.1], [1e-9, 1.0]]
)
@pytest.mark.parametrize("scale", [PLAIN, Scale(0.4, 1.5), Scale(3.0, -2.0)])
def test_readings_are_at_most_certain_together_and_as_sure_as_they_are_likely(raw, scale):
    sure = shared(scale, raw)
    assert sum(sure) <= 1 + 1e-9
    assert [sure[n] for n in np.argsort(raw)] == sorted(sure)
