"""Hotwords: what a reading gains by them, counted; and what is refused."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipsol.errors import BadInput
from lipsol.text.hotwords import MAX_HOTWORDS, NO_HOTWORDS, Hotwords

SAID = st.lists(st.sampled_from("a b c".split()), max_size=8)
HOT = st.dictionaries(
    st.lists(st.sampled_from("a b c".split()), min_size=1, max_size=3).map(" ".join),
    st.floats(1, 1000),
    max_size=5,
)


@given(SAID, HOT)
@settings(deadline=None)
def test_a_reading_gains_for_every_place_in_which_it_holds_a_hotword(said, hot):
    places = [" ".join(said[start:end]) for start, end in itertools.combinations(range(len(said) + 1), 2)]
    counted = sum(math.log(hot[place]) for place in places if place in hot)
    assert Hotwords.of(hot, "en").boost(said) == pytest.approx(counted)


def test_no_hotwords_change_nothing():
    assert NO_HOTWORDS.boost(["bin", "blue"]) == 0 and not NO_HOTWORDS


def test_hotwords_are_spelled_as_their_language_is_and_found_again():
    hot = Hotwords.of({"Good  Morning!": 5, "bin": 2}, "en")
    assert hot.document() == {"bin": 2.0, "good morning": 5.0}
    assert Hotwords.of(hot.document(), "en") == hot


@pytest.mark.parametrize(
    ("times", "named"),
    [
        ({"bin": 0.5}, "'bin' is to be 0.5 times likelier"),
        ({"bin": 1001}, "from 1 to 1000"),
        ({"bin": math.nan}, "nan times"),
        ({"bin": True}, "True times"),
        ({"bin": "ten"}, "ten times"),
        ({"bin 2": 3}, "'2'"),
        ({" ?! ": 3}, "holds no word"),
        ({"Bin": 3, "bin": 4}, "'bin' is there twice"),
        ({"x" * 101: 3}, "101 characters"),
        ({"a" * n: 2 for n in range(1, MAX_HOTWORDS + 2)}, "101 hotwords"),
    ],
    ids=["weak", "strong", "no number", "truth", "text", "unspellable", "empty", "twice", "long", "many"],
)
def test_what_can_not_be_is_refused_by_name(times, named):
    with pytest.raises(BadInput, match=named.replace("?", r"\?")):
        Hotwords.of(times, "en")


def test_a_language_without_an_alphabet_has_no_hotwords():
    with pytest.raises(BadInput, match="no language 'xx'"):
        Hotwords.of({"bin": 2}, "xx")
