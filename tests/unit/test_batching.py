"""Company, order and padding never change what a network says: batched equals single, to 1e-5."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipsol.bundle import Bundle
from lipsol.clips.clip import MouthClip
from lipsol.engine import Engine, bucket_of
from lipsol.reader import Reader

LIKE = 1e-5  # of a log-probability, or of its size where that is above 1
CUTS = st.lists(st.tuples(st.integers(0, 70), st.integers(2, 75)), min_size=1, max_size=6)


class OnFewShapes(Engine):
    """The CPU, given the shapes that a GPU is given."""

    def padded(self, clips, frames):
        return 1 << (clips - 1).bit_length(), bucket_of(frames, self.buckets)


@pytest.fixture(scope="module", params=["grid-sentences", "grid-words"])
def bundle(request, top):
    return Bundle.load(top / "models" / f"{request.param}.lipsol")


@pytest.fixture(scope="module")
def film(bundle):
    """Real mouths, one after the other: the bundle's golden clips."""
    mouths = [clip.mouth for clip in bundle.golden]
    long = {
        name: np.concatenate([getattr(mouth, name) for mouth in mouths * 4])
        for name in ("mouth", "lips", "jaw", "outline", "seen")
    }
    return MouthClip(**long)


@pytest.fixture(scope="module", params=[Engine, OnFewShapes], ids=["as on a CPU", "as on a GPU"])
def reader(request, bundle):
    return Reader(bundle, request.param())


@settings(max_examples=8, deadline=None)
@given(cuts=CUTS)
def test_batched_equals_single_for_any_mix_of_lengths_in_any_order(reader, film, cuts):
    mouths = [film.cut(start, start + length) for start, length in cuts]
    for mouth, heard in zip(mouths, reader.hear(mouths), strict=True):
        (alone,) = reader.hear([mouth])
        for got, expected in (
            (heard.emissions.char_logp, alone.emissions.char_logp),
            (heard.emissions.word_logp, alone.emissions.word_logp),
            (np.float32([heard.strangeness]), np.float32([alone.strangeness])),
        ):
            told = np.isfinite(expected)
            assert got.shape == expected.shape and np.array_equal(np.isfinite(got), told)
            off = np.abs(got[told] - expected[told]) / np.maximum(1, np.abs(expected[told]))
            assert off.max(initial=0.0) <= LIKE
