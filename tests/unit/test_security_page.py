"""docs/security.md tells the bounds as they are."""

import re
from dataclasses import asdict

import pytest

from lipsol.clips import decoder, seccomp
from lipsol.clips.video import Limits
from services.preprocess.settings import PreprocessSettings


@pytest.fixture(scope="module")
def page(top):
    """The page, a paragraph a line."""
    return (top / "docs" / "security.md").read_text().replace("\n", " ")


def told(page, heading):
    """The bounds of the first table behind a text: name -> value."""
    rows = re.findall(r"\| `(\w+)` \| ([\d.]+) \|", page[page.index(heading) :].split(" The edge's own")[0])
    return {name: float(value) for name, value in rows}


def test_the_decoders_bounds_are_all_told(page):
    assert told(page.split("The edge's own")[0], "## Bounds") == asdict(Limits())


def test_the_edges_bounds_are_as_told(page):
    edge = told(page, "(`LIPSOL_PREPROCESS__")
    assert edge
    assert edge == {name: getattr(PreprocessSettings(), name) for name in edge}


def test_the_least_and_the_fastest_are_as_told(page):
    low, high = decoder.RATES
    assert f"{decoder.MIN_SIDE}x{decoder.MIN_SIDE} pixels, shorter than {decoder.MIN_FRAMES} frames" in page
    assert f"slower than {low:.0f} or faster than {high:.0f} frames a second" in page
    assert f"more than {decoder.MAX_DAMAGED:.0%}".replace("%", " %") in page


def test_the_system_calls_are_counted_right(page):
    assert f"{len(seccomp._ALLOWED)} calls are answered" in page
