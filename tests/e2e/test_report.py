"""An evaluation's page in a browser: nothing thrown, nothing fetched, nothing cut off, on any screen."""

from dataclasses import replace

import numpy as np
import pytest

from lipsol.clips.clip import JAW_POINTS, LIP_POINTS, MouthClip
from lipsol.evaluation.story import story, worst
from lipsol.text.grammar import Grammar
from tests.clips_read import evaluation_of, read

pytestmark = pytest.mark.browser

SCREENS = [(1200, "light"), (380, "light"), (1200, "dark")]
CUT_OFF = """() => [...document.querySelectorAll("h1, h2, p, span, th, td, figcaption, summary, a")]
  .filter(each => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== "inline")
  .map(each => each.textContent.trim().slice(0, 60))"""
URDU = "آپ کب تھے"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Of a made-up model: English clips of long names, and Urdu ones among the worst."""
    rng = np.random.default_rng(1)
    facts = [{"brightness": float(each)} for each in rng.random(60)]
    clips = [
        read(f"speaker-with-a-long-name_{n}", "bin blue at f two now", "bin red at s two now" if n % 3 else "",
             speaker="s4" if n % 2 else "s1", group="unseen" if n % 2 else "seen", facts=facts[n])
        for n in range(60)
    ]  # fmt: skip
    clips += [read("u1_a", URDU, "ہم کون ہیں", others=[URDU], sure=0.95)]
    found = replace(evaluation_of(clips, grammar=Grammar.of_slots("tiny", "en", [["bin", "lay"]])), synthetic=True)
    points, jaw = np.zeros((9, LIP_POINTS, 2), np.float32), np.zeros((9, JAW_POINTS, 2), np.float32)
    mouth = MouthClip(np.full((9, 96, 96), 90, np.uint8), points, jaw, points, np.ones(9, bool))
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(story(found, {clip.name: mouth for clip in worst(found)}), encoding="utf-8")
    return file


@pytest.mark.parametrize(("width", "scheme"), SCREENS, ids=str)
def test_nothing_is_thrown_fetched_or_cut_off(open_page, report, width, scheme):
    page = open_page("about:blank", viewport={"width": width, "height": 900}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    for details in page.locator("summary").all():
        details.click()
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", report.as_uri()))] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")  # wide tables scroll by themselves
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate("[...document.images].every(each => each.complete && each.naturalWidth > 0)")


def test_urdu_runs_from_right_to_left_among_english(open_page, report):
    page = open_page(report.as_uri())
    cell = page.get_by_text(URDU, exact=True).first
    assert cell.evaluate("each => getComputedStyle(each).direction") == "rtl"
    assert page.get_by_text("Nobody real was ever read here").is_visible()


def test_contents_lead_to_their_sections(open_page, report):
    page = open_page(report.as_uri())
    for link in page.locator("nav a").all():
        target = link.get_attribute("href")
        assert page.locator(f'[id="{target[1:]}"]').count() == 1
