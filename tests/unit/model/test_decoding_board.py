"""Boards against every alignment of a small clip counted out by hand, and the laws of what is told of them."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from lipsol.errors import BadInput, ModelError
from lipsol.model.boards import FAMILIAR, STRANGER, Fit, fits_of
from lipsol.model.calibrated import Place, told_board
from lipsol.model.decoding import Blend, Evidence, choose, decode_board, decode_grammar
from lipsol.model.emissions import Emissions
from lipsol.text.grammar import Grammar
from lipsol.text.hotwords import Hotwords
from lipsol.text.wording import Wording
from tests.unit.model.counted import ctc_sentences, cuts, log_softmax, noise, spoken, word_sentences

BOARD = Grammar.of_phrases("board", "en", ["a", "a b", "ab", "bb", "a ba"])
WORDS = ("a", "ab", "b", "ba", "bb")
SCALE, LEAST = 0.7, 2
BLEND = Blend(words=0.4, scale=SCALE, min_frames=LEAST)
FAR = ["bin blue at f two now", "set red with p zero please", "lay green by i six again", "place white in b one soon"]


def tiny(frames, seed, spread=1.5):
    return Emissions(noise(frames, 4, seed, spread), noise(frames, 6, seed + 1, spread), "ab ", WORDS)


@pytest.mark.parametrize("seed", range(4))
def test_the_characters_evidence_is_every_phrases_probability_counted_out(seed):
    clip = tiny(6, seed)
    counted = sum(ctc_sentences(BOARD, clip.char_logp, "ab ").values())
    assert math.exp(decode_board(clip, BOARD, BLEND).evidence.characters) == pytest.approx(counted, rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_words_evidence_is_the_boards_part_of_every_sequence_of_words_counted_out(seed):
    clip = tiny(4, seed)
    board = sum(word_sentences(BOARD, clip.word_logp, WORDS, LEAST, SCALE).values())
    p = np.exp(clip.word_logp.astype(np.float64) * SCALE)
    lengths = range(len(p) // LEAST + 1)
    every = (said for length in lengths for said in itertools.product(range(1, len(WORDS) + 1), repeat=length))
    anything = sum(sum(cuts(p, list(said), LEAST)) for said in every)
    share = math.exp(decode_board(clip, BOARD, BLEND).evidence.words)
    assert share == pytest.approx(board / anything, rel=1e-5)


def test_a_board_has_the_shares_of_its_grammar_every_phrase_of_it():
    clip = tiny(7, 1)
    board, grammar = decode_board(clip, BOARD, BLEND), decode_grammar(clip, BOARD, 100, BLEND)
    assert replace(board, evidence=None) == grammar
    assert len(board.alternatives) == BOARD.count() - 1


def test_what_was_said_misses_little_and_what_was_not_misses_much():
    clip = spoken(FAR[0], Grammar.named("grid").words)
    on = decode_board(clip, Grammar.of_phrases("on", "en", FAR)).evidence
    off = decode_board(clip, Grammar.of_phrases("off", "en", FAR[1:])).evidence
    assert 0 >= on.characters > off.characters + 10
    assert 0 >= on.words > off.words + 10


def test_phrases_of_words_that_the_word_head_does_not_know_are_read_by_their_characters():
    phrases = ["good morning", "good night", "i need water", "call my sister"]
    clip = spoken("i need water", ())
    decoded = decode_board(clip, Grammar.of_phrases("own", "en", phrases))
    assert decoded.text == "i need water" and decoded.evidence.words is None
    assert FAMILIAR.of(decoded.evidence) is FAMILIAR.characters


def test_a_clip_too_short_for_the_words_of_a_board_that_is_known_misses_all_of_it():
    board = Grammar.of_phrases("long", "en", ["a ba"])
    evidence = decode_board(tiny(5, 0), board, replace(BLEND, min_frames=3)).evidence
    assert evidence.words < -1e20 and FAMILIAR.both.inside(evidence) < 1e-6


@pytest.mark.parametrize("fit", [FAMILIAR.both, FAMILIAR.characters, STRANGER.both, STRANGER.characters])
def test_all_phrases_and_none_of_them_are_certain_together(fit):
    clip = tiny(7, 2)
    decoded = decode_board(clip, BOARD, BLEND)
    raw = [decoded.probability, *(other.probability for other in decoded.alternatives)]
    inside, among = fit.inside(decoded.evidence), fit.among(raw)
    assert 0 < inside < 1 and among.sum() == pytest.approx(1)
    assert (np.diff(among) <= 1e-12).all()
    read = told_board(decoded, inside, among.tolist(), 0.9, Place("en", BOARD, WORDS))
    assert read.confidence + sum(other.confidence for other in read.alternatives) + read.none == pytest.approx(1)
    assert read.none == pytest.approx(1 - inside, abs=1e-5)


def test_the_more_a_board_misses_the_surer_it_is_none():
    shares = [0.0, -0.1, -1.0, -10.0, -100.0, -1e30]
    for fit in (FAMILIAR, STRANGER):
        inside = [fit.both.inside(Evidence(share, share)) for share in shares]
        assert inside == sorted(inside, reverse=True) and inside[0] > 0.5 > inside[-1]


def test_a_word_on_a_board_is_as_sure_as_all_phrases_that_have_it_there():
    clip = tiny(7, 3)
    decoded = decode_board(clip, BOARD, BLEND)
    raw = [decoded.probability, *(other.probability for other in decoded.alternatives)]
    texts = [decoded.text, *(other.text for other in decoded.alternatives)]
    read = told_board(decoded, 0.8, raw, 0.9, Place("en", BOARD, WORDS))
    for place, word in enumerate(read.words):
        have = sum(p for text, p in zip(texts, raw, strict=True) if text.split()[place : place + 1] == [word.text])
        assert word.confidence == pytest.approx(0.8 * have, abs=1e-4)


def test_below_the_bound_a_board_abstains_and_offers_its_best():
    clip = spoken(FAR[0], Grammar.named("grid").words)
    decoded = decode_board(clip, Grammar.of_phrases("on", "en", FAR))
    place = Place("en", None, ())
    shares = [0.97, 0.01, 0.01, 0.01]
    assert not told_board(decoded, 0.99, shares, 0.9, place).abstained
    unsure = told_board(decoded, 0.5, shares, 0.9, place)
    assert unsure.abstained and unsure.text == FAR[0] and unsure.none == pytest.approx(0.5, abs=1e-5)


def test_hotwords_choose_what_a_board_offers_first_and_nothing_else():
    clip = tiny(7, 4)
    plain = decode_board(clip, BOARD, BLEND)
    last = plain.alternatives[-1].text
    hot = decode_board(clip, BOARD, BLEND, Hotwords.of({last: 1000}, "en"))
    assert hot.evidence == plain.evidence
    everything = {plain.text: plain.probability} | {other.text: other.probability for other in plain.alternatives}
    assert {hot.text: hot.probability} | {other.text: other.probability for other in hot.alternatives} == pytest.approx(
        everything
    )


def test_a_words_model_tells_the_share_of_a_boards_words():
    logp = log_softmax(np.array([[-20.0, 2.0, 1.0, 0.5, 0.0, -1.0]]))
    clip = Emissions(np.zeros((1, 4), np.float32), logp, "ab ", WORDS)
    decoded = choose(clip, 12, Wording.of_phrases("two", "en", ["a", "ba"]))
    assert decoded.text == "a" and [other.text for other in decoded.alternatives] == ["ba"]
    p = np.exp(logp[0, 1:]) / np.exp(logp[0, 1:]).sum()
    assert math.exp(decoded.evidence.words) == pytest.approx(p[0] + p[3], rel=1e-5)
    with pytest.raises(BadInput, match="'a b' is none of its 5"):
        choose(clip, 12, Wording.of_phrases("phrases", "en", ["a", "a b"]))


def test_a_model_of_drawn_mouths_answers_no_board_for_sure():
    assert fits_of({"synthetic": True}, stranger=False) is STRANGER and STRANGER.threshold == 1


def test_a_card_brings_fits_of_its_own_or_is_refused():
    fit = {"offset": 1.0, "characters": 2.0, "words": 3.0, "sharpness": 0.5}
    held = {"both": fit, "characters": fit, "threshold": 0.8}
    assert fits_of({"board": {"familiar": held, "stranger": held}}, stranger=True).both == Fit(1.0, 2.0, 3.0, 0.5)
    assert fits_of({}, stranger=False) is FAMILIAR and fits_of({}, stranger=True) is STRANGER
    with pytest.raises(ModelError, match="section `board`"):
        fits_of({"board": {"familiar": {}}}, stranger=False)
