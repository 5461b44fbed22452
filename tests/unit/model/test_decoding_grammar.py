import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipsol.errors import BadInput
from lipsol.model.decoding import Blend, decode_grammar
from lipsol.model.emissions import Emissions
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import Grammar
from tests.unit.model.counted import LATIN, log_softmax, noise, spoken, word_sentences

GRID = Grammar.named("grid")
URDU = Grammar.named("urdu")
SMALL = Grammar.of_slots("small", "en", [["bin", "set", "lay"], ["at", "by"], ["one", "two", "six"]])
TINY = Grammar.of_phrases("tiny", "en", ["a", "a b", "ab", "bb", "a ba"])
TINY_WORDS = ("a", "ab", "b", "ba", "bb")


def tiny(frames, seed, spread=1.5):
    return Emissions(noise(frames, 4, seed, spread), noise(frames, 6, seed + 1, spread), "ab ", TINY_WORDS)


@pytest.mark.parametrize("text", ["bin blue at f two now", "set red with p zero please", "lay green by i six again"])
@pytest.mark.parametrize("heads", ["both", "characters"])
def test_a_noisy_grid_sentence_is_read_right(text, heads):
    clip = spoken(text, GRID.words, noisy=1.0, clear=4.5, seed=len(text))
    if heads == "characters":
        clip = replace(clip, word_logp=clip.word_logp[:, :1], words=())
    decoded = decode_grammar(clip, GRID)
    assert decoded.text == text
    assert len(decoded.alternatives) == 5
    assert all(GRID.accepts(other.text) for other in decoded.alternatives)


@pytest.mark.parametrize("heads", ["both", "characters"])
def test_words_are_timed_where_they_were_said(heads):
    text = "place white in q nine soon"
    clip = spoken(text, GRID.words if heads == "both" else ())
    decoded = decode_grammar(clip, GRID)
    at = np.linspace(8, 65, len(text) + 1)
    assert [word.text for word in decoded.words] == text.split()
    for word, first in zip(decoded.words, [0, 6, 12, 15, 17, 22], strict=True):
        assert word.start == pytest.approx(at[first], abs=2)
        assert word.end == pytest.approx(at[first + len(word.text)], abs=3)


def test_an_urdu_sentence_is_read_as_an_english_one_is():
    sentence = next(itertools.islice(URDU.sentences(), 1000, None))
    clip = spoken(sentence, URDU.words, frames=90, characters=ALPHABETS["ur"].characters)
    for emissions in (clip, replace(clip, word_logp=clip.word_logp[:, :1], words=())):
        decoded = decode_grammar(emissions, URDU)
        assert decoded.text == sentence
        assert decoded.words[0].text == sentence.split()[0]


@pytest.mark.parametrize("blend", [Blend(), Blend(words=0.2), Blend(words=0.0), Blend(words=1.0)])
def test_all_sentences_of_a_grammar_together_are_certain(blend):
    clip = spoken("set by two", SMALL.words, frames=40, noisy=2.0, clear=1.0)
    decoded = decode_grammar(clip, SMALL, alternatives=100, blend=blend)
    texts = [decoded.text, *(other.text for other in decoded.alternatives)]
    assert sorted(texts) == sorted(SMALL.sentences())
    assert decoded.probability + sum(other.probability for other in decoded.alternatives) == pytest.approx(1)


def test_the_probability_of_a_word_is_its_share_of_its_slot():
    clip = spoken("set by two", SMALL.words, frames=40, noisy=2.0, clear=1.0)
    decoded = decode_grammar(clip, SMALL, alternatives=100)
    readings = [(decoded.text, decoded.probability), *((o.text, o.probability) for o in decoded.alternatives)]
    for slot, word in enumerate(decoded.words):
        slot_share = sum(p for text, p in readings if text.split()[slot] == word.text)
        assert word.probability == pytest.approx(slot_share)


def test_each_head_can_decide_alone():
    clip = spoken("set by two", SMALL.words, frames=40)
    other = spoken("lay at six", SMALL.words, frames=40)
    torn = replace(clip, word_logp=other.word_logp)
    assert decode_grammar(torn, SMALL, blend=Blend(words=0.0)).text == "set by two"
    assert decode_grammar(torn, SMALL, blend=Blend(words=1.0)).text == "lay at six"


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0])
def test_the_word_heads_frames_are_discounted_by_the_scale(scale):
    grammar = Grammar.of_words("two", "en", ["ab", "b"])
    clip = tiny(frames=5, seed=3)
    weights = word_sentences(grammar, clip.word_logp, TINY_WORDS, min_frames=2, scale=scale)
    decoded = decode_grammar(clip, grammar, blend=Blend(words=1.0, scale=scale, min_frames=2))
    assert decoded.probability == pytest.approx(max(weights.values()) / sum(weights.values()), rel=1e-5)


def test_a_model_without_the_grammars_words_reads_by_its_characters_alone():
    clip = spoken("set by two", SMALL.words, frames=40, noisy=2.0)
    fewer = replace(clip, words=SMALL.words[:-1], word_logp=log_softmax(clip.word_logp[:, :-1]))
    alone, blind = decode_grammar(fewer, SMALL), decode_grammar(clip, SMALL, blend=Blend(words=0.0))
    assert (alone.text, alone.alternatives) == (blind.text, blind.alternatives)


def test_a_clip_too_short_for_whole_words_is_read_by_its_characters():
    clip = spoken("a b", ("a", "b"), frames=25)
    cut = replace(clip, char_logp=clip.char_logp[8:13], word_logp=clip.word_logp[8:13])
    decoded = decode_grammar(cut, Grammar.of_slots("two", "en", [["a", "b"], ["a", "b"]]))
    assert len(decoded.words) == 2
    assert decoded.words[-1].end <= 5


def test_a_clip_too_short_for_its_letters_is_read_by_its_words():
    grammar = Grammar.of_slots("long", "en", [["again", "please"], ["seven", "eight"]])
    word_logp = log_softmax(np.eye(5)[[1, 1, 1, 4, 4, 4]] * 5)
    words = ("again", "please", "eight", "seven")
    decoded = decode_grammar(Emissions(noise(6, 28, seed=0), word_logp, LATIN, words), grammar)
    assert decoded.text == "again seven"
    assert [(word.start, word.end) for word in decoded.words] == [(0, 3), (3, 6)]


def test_a_clip_too_short_for_every_sentence_is_refused_with_the_bound():
    with pytest.raises(BadInput, match=r"6 frames.*needs 20"):
        decode_grammar(Emissions(noise(6, 28, 0), np.zeros((6, 1), np.float32), LATIN, ()), GRID)
    with pytest.raises(BadInput, match=r"8 frames.*needs 9"):
        decode_grammar(Emissions(noise(8, 28, 0), noise(8, 9, 0), LATIN, SMALL.words), SMALL)


def test_a_grammar_that_the_model_can_not_write_is_refused_with_the_character():
    with pytest.raises(BadInput, match="can't write"):
        decode_grammar(spoken("bin", ()), URDU)
    with pytest.raises(BadInput, match="' ' of ' '"):
        decode_grammar(spoken("bin", (), characters=LATIN.strip()), SMALL)


def test_single_words_need_no_space_in_the_alphabet():
    decoded = decode_grammar(spoken("bin", (), characters=LATIN.strip()), Grammar.of_words("w", "en", ["bin", "now"]))
    assert decoded.text == "bin"


def test_thousands_of_phrases_are_read_exactly():
    phrases = ["".join(letters) + " now" for letters in itertools.product("abcdefghijklmn", "aeiou", "lmnrst", "aeiou")]
    decoded = decode_grammar(spoken("fire now", (), frames=40), Grammar.of_phrases("many", "en", phrases))
    assert decoded.text == "fire now"
    assert len(decoded.alternatives) == 5


def test_a_grammar_too_large_for_the_clip_is_refused():
    rng = np.random.default_rng(0)
    phrases = ["".join(rng.choice(list(LATIN[:26]), 12)) for _ in range(1000)]
    grammar = Grammar.of_words("huge", "en", phrases)
    with pytest.raises(BadInput, match="fewer or shorter phrases"):
        decode_grammar(Emissions(noise(5000, 28, 0), np.zeros((5000, 1), np.float32), LATIN, ()), grammar)


def test_a_very_long_clip_stays_finite():
    with np.errstate(all="raise", under="ignore"):
        decoded = decode_grammar(spoken("set by two", SMALL.words, frames=2000), SMALL)
    assert decoded.text == "set by two"
    assert 0 < decoded.probability <= 1


def test_a_network_that_forbids_every_sentence_still_gets_a_reading():
    silent = np.full((40, 28), -np.inf, np.float32)
    silent[:, 0] = 0
    decoded = decode_grammar(Emissions(silent, np.zeros((40, 1), np.float32), LATIN, ()), SMALL)
    assert SMALL.accepts(decoded.text)
    assert np.isfinite(decoded.probability)


@settings(deadline=None, max_examples=60)
@given(
    frames=st.integers(1, 14),
    seed=st.integers(0, 10_000),
    spread=st.floats(0.1, 30),
    min_frames=st.integers(1, 3),
    weight=st.floats(0, 1),
)
def test_readings_by_grammar_keep_their_promises(frames, seed, spread, min_frames, weight):
    decoded = decode_grammar(tiny(frames, seed, spread), TINY, 10, Blend(words=weight, min_frames=min_frames))
    texts = [decoded.text, *(other.text for other in decoded.alternatives)]
    worth = [decoded.probability, *(other.probability for other in decoded.alternatives)]
    assert len(set(texts)) == len(texts)
    assert set(texts) <= set(TINY.sentences())
    assert worth == sorted(worth, reverse=True)
    assert all(0 <= p <= 1 for p in [*worth, *(word.probability for word in decoded.words)])
    assert sum(worth) == pytest.approx(1)
    assert " ".join(word.text for word in decoded.words) == decoded.text
    ends = [0] + [at for word in decoded.words for at in (word.start, word.end)] + [frames]
    assert ends == sorted(ends)
    assert all(word.start < word.end for word in decoded.words)
