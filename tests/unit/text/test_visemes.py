from itertools import combinations

import pytest

from lipsol.errors import BadInput
from lipsol.text.scoring import align
from lipsol.text.visemes import NOTHING, VISEMES, viseme_confusions, visemes_of

# the Carnegie Mellon Pronouncing Dictionary's 39 phones without /hh/
PHONES = "aa ae ah ao aw ay b ch d dh eh er ey f g ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh".split()
PHONES_OF = {"b": ["b", "iy"], "p": ["p", "iy"], "e": ["iy"], "at": ["ae", "t"], "m": ["eh", "m"], "he": ["hh", "iy"]}


def test_every_phone_with_a_look_is_in_one_class():
    assert sorted(phone for phones in VISEMES.values() for phone in phones) == sorted(PHONES)
    assert all(one.isdisjoint(other) for one, other in combinations(VISEMES.values(), 2))


def test_pat_and_bad_look_the_same():
    assert visemes_of(["p", "ae", "t"]) == visemes_of(["b", "ae", "d"])
    assert visemes_of(["p", "ae", "t"]) != visemes_of(["f", "ae", "t"])


def test_what_is_made_in_the_throat_is_not_seen():
    assert visemes_of(["hh", "iy"]) == ["relaxed"]


def test_confusions_are_counted_over_an_alignment():
    """b read as p looks right, and so does e; m was left out."""
    found = viseme_confusions(align(["b", "e", "m"], ["p", "e"]), PHONES_OF)
    assert found == {
        ("lips together", "lips together"): 1,
        ("relaxed", "relaxed"): 2,
        ("relaxed", NOTHING): 1,
        ("lips together", NOTHING): 1,
    }


def test_added_words_come_from_nothing():
    assert viseme_confusions(align(["e"], ["at", "e"]), PHONES_OF)[NOTHING, "tongue up or down"] == 1


def test_an_unknown_phone_is_refused():
    with pytest.raises(BadInput, match=r"'ey1' is no phone.*aa ae ah"):
        visemes_of(["ey1"])


def test_a_word_without_phones_is_refused():
    with pytest.raises(BadInput, match="'lipsol' has no phones"):
        viseme_confusions(align(["lipsol"], []), PHONES_OF)
