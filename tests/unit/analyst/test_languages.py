"""Other languages than the released bundle's: they are let in with it, so what breaks them breaks the release."""

import pytest

from lipsol.traffic import route
from tests.unit.analyst.events import OLD, death, reading
from tests.unit.analyst.world import World

URDU = {"digest": OLD, "language": "ur"}


class Bilingual(World):
    """A world in which a third of all clips is Urdu, until the `last`; both sides read it by one bundle."""

    def __init__(self, harm, last=10**6, **asked):
        self.harm, self.last = harm, last
        super().__init__(**asked)

    def clip(self, name, policy):
        super().clip(name, policy)
        if self.names % 2 or self.names > self.last:
            return
        name = f"ur-{name}"
        way = route(name, policy, self.now())
        ms = 100.0 * 2.718 ** self.chance.gauss(0.0, 0.1)
        if way.track == "stable":
            self.publish(reading(name, at=self.now(), ms=ms, **URDU))
        if way.track == "canary" or way.copy:
            self.publish(self.by_canary(name, shadow=way.copy, ms=ms))

    def by_canary(self, name, *, shadow, ms):
        if self.harm == "died":
            return death(name, at=self.now(), shadow=shadow, language="ur")
        text = {"empty": "", "opposed": "set white by k six please"}.get(self.harm, "bin blue at f two now")
        slow = 4.0 if self.harm == "latency" else 1.0
        return reading(name, "canary", at=self.now(), shadow=shadow, text=text, ms=slow * ms, **URDU)


@pytest.mark.parametrize("released", [{}, {"canary_digest": ""}], ids=["an English bundle", "the image alone"])
@pytest.mark.parametrize("harm", ["died", "empty", "opposed", "latency"])
def test_what_breaks_another_language_is_found_and_that_language_named(harm, released):
    verdict = Bilingual(harm, **released).run()
    assert verdict.what == "abort"
    assert f"{harm} (ur) " in verdict.reason


@pytest.mark.parametrize("released", [{}, {"canary_digest": ""}], ids=["an English bundle", "the image alone"])
def test_a_canary_that_reads_all_languages_well_passes(released):
    assert Bilingual("", **released).run().what == "pass"


def test_a_language_of_which_too_little_comes_to_be_judged_holds_nothing():
    assert Bilingual("empty", last=4).run().what == "pass"
