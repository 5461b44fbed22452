"""What an operator accepts: which groups are meant, and where their new references lie."""

from dataclasses import replace

import pytest

from lipsol.events import ActionTaken
from services.monitor.accepting import group_of, kept, means, part
from services.monitor.group import Group

GROUP = Group("stable", "grid-sentences", "a" * 64, "en")
ACCEPT = ActionTaken("a1", "accept", "suggest", False, "new cameras", "", "a" * 64, "stable", "en", "sara@clinic", 1.0)


@pytest.mark.parametrize(
    ("changed", "meant"),
    [
        ({}, True),
        ({"model_digest": ""}, True),
        ({"language": ""}, True),
        ({"model_digest": "b" * 64}, False),
        ({"language": "ur"}, False),
        ({"track": "canary"}, False),
        ({"done": True}, False),
        ({"by": "monitor"}, False),
        ({"kind": "retrain"}, False),
    ],
    ids=str,
)
def test_an_acceptance_means_the_groups_that_it_names(changed, meant):
    assert means(replace(ACCEPT, **changed), GROUP) is meant


def test_a_shadow_copys_window_is_never_a_normal():
    assert not means(ACCEPT, replace(GROUP, shadow=True))


@pytest.mark.parametrize("group", [GROUP, replace(GROUP, shadow=True), replace(GROUP, track="canary", language="ur")])
def test_the_part_of_the_state_tells_whose_reference_it_is(group):
    event = kept(group, b"reference", "monitor-1", 2.0)
    assert group_of(event.part) == group
    assert (event.key, event.value, event.owner, event.at) == (part(group), b"reference", "monitor-1", 2.0)


@pytest.mark.parametrize("other", ["owner", "detector/stable/aa/m/en", "reference", "reference/nowhere/aa/m/en"])
def test_other_parts_are_nobodys(other):
    assert group_of(other) is None
