"""The reader with the bundles that are shipped, on the samples."""

import dataclasses

import numpy as np
import pytest

from lipsol.bundle import Bundle
from lipsol.card import Scale
from lipsol.clips.watch import Watcher
from lipsol.errors import BadInput, ModelError
from lipsol.reader import BUNDLE_GRAMMAR, Reader, scaled
from lipsol.text.grammar import Grammar
from lipsol.text.hotwords import NO_HOTWORDS, Hotwords
from lipsol.text.scoring import word_error_rate
from lipsol.text.wording import Wording


@pytest.fixture(scope="module")
def sentences(top):
    return Reader(Bundle.load(top / "models" / "grid-sentences.lipsol"))


@pytest.fixture(scope="module")
def words(top):
    return Reader(Bundle.load(top / "models" / "grid-words.lipsol"))


@pytest.fixture(scope="module")
def mouths(samples):
    watcher = Watcher()
    return [watcher.watch(sample.bytes()).mouth for sample in samples]


@pytest.fixture(scope="module")
def readings(sentences, mouths):
    return sentences.read_many(mouths, [BUNDLE_GRAMMAR] * len(mouths))


def test_the_known_speakers_samples_are_read(samples, readings):
    known = [(sample.text, read.text) for sample, read in zip(samples, readings, strict=True) if sample.speaker == "s1"]
    assert word_error_rate([truth for truth, _ in known], [read for _, read in known]) <= 0.1


def test_no_wrong_reading_of_a_sample_is_given_as_sure(samples, readings):
    assert [
        read.text
        for sample, read in zip(samples, readings, strict=True)
        if not read.abstained and read.text != sample.text
    ] == []


def test_every_reading_has_times_alternatives_and_believable_numbers(readings, mouths):
    for read, mouth in zip(readings, mouths, strict=True):
        assert read.text == " ".join(word.text for word in read.words) and read.grammar == "grid"
        assert len(read.alternatives) >= 3 and read.text not in {other.text for other in read.alternatives}
        confidences = [other.confidence for other in read.alternatives]
        assert confidences == sorted(confidences, reverse=True) and sum(confidences) + read.confidence <= 1.001
        times = [time for word in read.words for time in (word.start_s, word.end_s)]
        assert times == sorted(times) and times[0] >= 0 and times[-1] <= len(mouth) / 25
        assert all(word.confidence >= read.confidence for word in read.words)


def test_company_and_order_do_not_change_a_reading(sentences, mouths, readings):
    few = [mouths[0].cut(0, 60), mouths[1], mouths[2].cut(5, 70)]
    together = sentences.hear(few)
    for mouth, heard in zip(few, together, strict=True):
        alone = sentences.hear([mouth])[0].emissions
        np.testing.assert_allclose(heard.emissions.char_logp, alone.char_logp, atol=1e-4)
        np.testing.assert_allclose(heard.emissions.word_logp, alone.word_logp, atol=1e-4)
    assert sentences.read(mouths[3]).text == readings[3].text


def test_the_network_is_less_sure_of_frames_out_of_order(sentences, mouths):
    shuffled = [
        dataclasses.replace(mouth, mouth=mouth.mouth[order], lips=mouth.lips[order], jaw=mouth.jaw[order])
        for mouth in mouths
        for order in [np.random.default_rng(7).permutation(len(mouth))]
    ]
    real, broken = ([each.emissions.entropy for each in sentences.hear(some)] for some in (mouths, shuffled))
    assert sum(after > before for before, after in zip(real, broken, strict=True)) >= len(mouths) - 1
    assert all(0 <= entropy <= 1 for entropy in (*real, *broken))


def test_a_free_reading_needs_no_grammar_and_is_mostly_right(sentences, samples, mouths):
    known = [n for n, sample in enumerate(samples) if sample.speaker == "s1"]
    free = sentences.read_many([mouths[n] for n in known], [None] * len(known))
    assert {read.grammar for read in free} == {None}
    assert word_error_rate([samples[n].text for n in known], [read.text for read in free]) <= 0.15


def test_a_phrase_list_of_the_callers_own_binds_the_reading(sentences, samples, mouths):
    phrases = [samples[0].text, "place red with t nine please", "set white in f two soon", "lay blue at q one now"]
    read = sentences.read(mouths[0], Grammar.of_phrases("board", "en", phrases))
    assert read.text == samples[0].text and read.grammar == "board"
    assert {other.text for other in read.alternatives} == set(phrases[1:])


def board_of(*phrases, hotwords=NO_HOTWORDS):
    return Wording.of_phrases("board", "en", list(phrases), hotwords)


OTHERS = ["place red with t nine please", "set white in f two soon", "lay blue at q one now"]


def test_a_board_with_what_was_said_is_read_and_one_without_is_said_to_be_none(sentences, samples, mouths):
    known = [n for n, sample in enumerate(samples) if sample.speaker == "s1"]
    for n in known:
        on = sentences.read(mouths[n], board_of(samples[n].text, *OTHERS))
        off = sentences.read(mouths[n], board_of(*OTHERS))
        assert on.text == samples[n].text and on.none < 0.5
        assert off.abstained and off.none > 0.9
        for read in (on, off):
            assert read.confidence + sum(other.confidence for other in read.alternatives) + read.none == pytest.approx(
                1
            )


def test_a_strangers_board_is_never_sure(sentences, samples, mouths):
    for sample, mouth in zip(samples, mouths, strict=True):
        if sample.speaker != "s1":
            assert sentences.read(mouth, board_of(sample.text, *OTHERS)).abstained


def test_a_board_of_words_that_were_never_trained_is_read_by_its_letters(sentences, mouths):
    read = sentences.read(mouths[0], board_of("i need water", "call my sister", "good morning"))
    assert read.text in {"i need water", "call my sister", "good morning"}
    assert read.abstained and read.none > 0.9
    with pytest.raises(BadInput, match="'9'"):
        board_of("call 911")


def test_hotwords_change_what_is_offered_first_and_no_confidence(sentences, samples, mouths, readings):
    rival = readings[0].alternatives[0]
    hot = Hotwords.of({rival.text: 1000, **dict.fromkeys(rival.text.split(), 1000)}, "en")
    read = sentences.read(mouths[0], Wording(hotwords=hot))
    assert read.text == rival.text and read.abstained
    assert read.confidence == pytest.approx(rival.confidence, abs=1e-3)
    best = read.alternatives[0]
    assert best.text == readings[0].text and best.confidence == pytest.approx(readings[0].confidence, abs=1e-3)
    free = sentences.read(mouths[0], Wording(None, Hotwords.of({"again": 2}, "en")))
    assert free.text == sentences.read(mouths[0], None).text


def test_words_tell_what_looks_like_them_and_three_looks_are_kept(readings):
    for read in readings:
        alike = {word.text: word.alike for word in read.words}
        assert alike.get("b", ("p",)) == ("p",) and alike.get("at", ("in",)) == ("in",)
        assert len({1, *(other.look for other in read.alternatives)}) >= 3


def test_a_strangers_clip_is_known_for_one(sentences, samples, mouths):
    heard = sentences.hear(mouths)
    strange = {sample.speaker for sample, each in zip(samples, heard, strict=True) if each.strangeness > 0}
    assert strange == {sample.speaker for sample in samples} - {"s1"}


def test_the_word_model_names_a_cut_out_word_with_alternatives(words, samples, mouths):
    read = words.read(mouths[0].cut(0, 30))
    assert read.text in words.bundle.words and len(read.words) == 1 and len(read.alternatives) == 5
    bound = words.read(mouths[0].cut(0, 30), Grammar.of_words("digits", "en", ["one", "two"]))
    assert bound.text in ("one", "two") and len(bound.alternatives) == 1


def test_words_that_the_word_model_does_not_know_are_refused(words, mouths):
    with pytest.raises(BadInput, match="none of the model's 51 words"):
        words.read(mouths[0], Grammar.of_words("fruit", "en", ["apple", "pear"]))


def test_a_clip_of_one_frame_is_refused(sentences, mouths):
    with pytest.raises(BadInput, match="1 frame at 25 a second, at least 2"):
        sentences.read(mouths[0].cut(0, 1))


def test_a_network_that_cannot_be_loaded_is_a_model_error(sentences):
    with pytest.raises(ModelError, match="can't be loaded"):
        Reader(dataclasses.replace(sentences.bundle, network=b"nothing"))


@pytest.mark.parametrize(
    ("probability", "expected"), [(0.5, 0.5), (0.0, 1e-6), (1.0, 1 - 1e-6)], ids=["even", "never", "sure"]
)
def test_the_identity_scale_leaves_probabilities_alone(probability, expected):
    assert scaled(Scale(1.0, 0.0), probability) == pytest.approx(expected, rel=1e-6)


def test_no_scale_reaches_a_bound_of_one():
    assert scaled(Scale(5.0, 10.0), 1.0) < 1.0
