from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipsol.model.decoding import decode_beam, decode_greedy
from lipsol.model.emissions import Emissions
from tests.unit.model.counted import certain, ctc_texts, noise, spelled, spoken

DECODERS = pytest.mark.parametrize("decode", [decode_greedy, decode_beam])


def free(char_logp, characters="ab "):
    return Emissions(char_logp, np.zeros((len(char_logp), 1), np.float32), characters, ())


@pytest.mark.parametrize(
    ("labels", "text", "times"),
    [
        ([0, 1, 1, 0, 2, 0], "ab", [(1, 5)]),
        ([1, 0, 1, 2], "aab", [(0, 4)]),
        ([1, 1, 3, 3, 2, 2], "a b", [(0, 2), (4, 6)]),
        ([3, 1, 3, 0, 3, 2, 3], "a b", [(1, 2), (5, 6)]),
        ([0, 0, 0], "", []),
        ([3, 0, 3], "", []),
    ],
    ids=["repeats collapse", "a blank keeps a double", "words", "needless spaces go", "nothing", "spaces alone"],
)
def test_the_best_path_becomes_words_with_their_frames(labels, text, times):
    decoded = decode_greedy(free(certain(labels, 4)))
    assert decoded.text == text
    assert [(word.start, word.end) for word in decoded.words] == times
    assert " ".join(word.text for word in decoded.words) == text


def test_greedy_tells_the_exact_probability_of_its_text():
    logp = noise(frames=6, classes=4, seed=4)
    decoded = decode_greedy(free(logp))
    counted = {spelled(ids, "ab "): p for ids, p in ctc_texts(logp).items()}
    assert decoded.probability == pytest.approx(counted[decoded.text], rel=1e-6)
    assert len(decoded.alternatives) >= 3
    for other in decoded.alternatives:
        assert other.probability == pytest.approx(counted[other.text], rel=1e-6)


def test_the_probability_of_a_word_is_that_of_its_letters_peaks():
    logp = np.log(np.array([[0.1, 0.8, 0.1], [0.2, 0.6, 0.2], [0.1, 0.4, 0.5]], np.float32))
    assert decode_greedy(free(logp, "ab")).words[0].probability == pytest.approx(0.8 * 0.5)


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_wide_enough_for_all_prefixes_is_exact(seed):
    logp = noise(frames=5, classes=4, seed=seed)
    counted = defaultdict(float)
    for ids, p in ctc_texts(logp).items():
        counted[" ".join(spelled(ids, "ab ").split())] += p
    order = sorted(counted, key=counted.get, reverse=True)
    decoded = decode_beam(free(logp), width=2000, alternatives=10)
    assert decoded.text == order[0]
    assert decoded.probability == pytest.approx(counted[order[0]], rel=1e-5)
    assert [other.text for other in decoded.alternatives] == [text for text in order[1:12] if text][:10]
    assert [other.probability for other in decoded.alternatives] == pytest.approx(
        [counted[other.text] for other in decoded.alternatives], rel=1e-5
    )


def test_the_beam_sums_alignments_where_greedy_takes_one():
    # "a" has .6 * .4 * 2 + .4 * .4 = .64 in three alignments; the best single path says nothing, with .6 * .6 = .36
    logp = np.log(np.array([[0.6, 0.4], [0.6, 0.4]], np.float32))
    assert decode_greedy(free(logp, "a")).text == ""
    assert decode_beam(free(logp, "a")).text == "a"
    assert decode_beam(free(logp, "a")).probability == pytest.approx(0.64)


@DECODERS
def test_a_clear_sentence_is_read_freely(decode):
    clip = spoken("bin blue at f two now", (), noisy=0.6, clear=6.0)
    decoded = decode(clip)
    assert decoded.text == "bin blue at f two now"
    assert len(decoded.alternatives) >= 3
    starts = [word.start for word in decoded.words]
    assert starts == sorted(starts)
    assert starts[0] == 8
    assert decoded.words[-1].end <= 65


@DECODERS
def test_a_thousand_frames_of_noise_stay_finite(decode):
    with np.errstate(all="raise", under="ignore"):
        decoded = decode(free(noise(1000, 4, seed=0)))
    assert 0 <= decoded.probability <= 1


@DECODERS
@settings(deadline=None, max_examples=15)
@given(frames=st.integers(1, 14), seed=st.integers(0, 10_000), spread=st.floats(0.1, 8), hard=st.booleans())
def test_free_readings_keep_their_promises(decode, frames, seed, spread, hard):
    logp = noise(frames, 4, seed, spread)
    if hard:
        logp = certain(logp.argmax(1), 4)
    decoded = decode(free(logp))
    texts = [other.text for other in decoded.alternatives]
    worth = [other.probability for other in decoded.alternatives]
    assert decoded.text not in texts
    assert "" not in texts
    assert len(set(texts)) == len(texts)
    assert worth == sorted(worth, reverse=True)
    assert all(0 <= p <= 1 for p in [decoded.probability, *worth, *(word.probability for word in decoded.words)])
    assert sum([decoded.probability, *worth]) <= 1 + 1e-6
    assert " ".join(word.text for word in decoded.words) == decoded.text
    ends = [0] + [at for word in decoded.words for at in (word.start, word.end)] + [frames]
    assert ends == sorted(ends)
    assert all(word.start < word.end for word in decoded.words)
    assert decoded.probability > 0
