"""Whoever comes can use the page: by keyboard, by ear, on a phone, in the dark, without motion."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.conftest import until

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 640}
STATES = ["start", "camera", "sure", "unsure", "urdu", "faceless"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def bring(page, state, clip):
    """Bring the page into a state."""
    if state == "camera":
        page.get_by_role("button", name="Record three seconds").click()
        expect(page.get_by_role("button", name="Start")).to_be_focused()
    elif state != "start":
        page.set_input_files("#file", {"name": f"{state}.mp4", "mimeType": "video/mp4", "buffer": clip})
        page.wait_for_selector("#alert > *, #result:not([hidden])")
    if state in {"sure", "urdu"}:
        page.get_by_text("About this reading").click()
    if state == "start":
        page.get_by_text("Options").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_that_keeps_people_out(open_page, edge, sample, state, scheme):
    page = open_page(edge.url, color_scheme=scheme, reduced_motion="reduce")
    bring(page, state, sample.bytes())
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_wider_than_a_small_phone(open_page, edge, sample, state):
    page = open_page(edge.url, viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce")
    bring(page, state, sample.bytes())
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, .button, select, .check")]
            .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 44)
            .map(each => each.textContent)"""
    )
    assert small == []


def test_everything_can_be_done_by_keyboard(page, edge, sample):
    focused = "document.activeElement.id || document.activeElement.textContent"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "file"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files({"name": "sure.mp4", "mimeType": "video/mp4", "buffer": sample.bytes()})
    expect(page.get_by_role("heading", name="What was said")).to_be_focused()
    met = []
    for _ in range(21):  # as many as can be pressed in this reading
        page.keyboard.press("Tab")
        met.append(page.evaluate(focused))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    expected = ["play", "position", "show-lips", "slow", "right", "wrong", "said", "again", "delete", "srt", "vtt"]
    assert [each for each in met if each in expected] == expected
    assert met[0] == "bin99 %"
    page.locator("#alternatives button").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#thanks")).to_contain_text("Thank you")
    assert edge.feedback == [("sure", {"text": "bin green by p three again"})]


def test_who_listens_hears_the_reading_and_how_sure_it_is(send):
    page = send("sure")
    page.get_by_role("heading", name="What was said").wait_for()
    heard = page.locator("#status")
    expect(heard).to_have_text("Read: bin green by b three again. 94 % sure.")
    expect(heard).to_have_attribute("role", "status")


@pytest.mark.parametrize(("motion", "plays"), [("reduce", False), ("no-preference", True)])
def test_the_clip_starts_by_itself_only_where_motion_is_welcome(open_page, edge, sample, motion, plays):
    page = open_page(edge.url, reduced_motion=motion)
    bring(page, "sure", sample.bytes())
    until(page, "document.getElementById('clip').readyState >= 2")
    page.wait_for_timeout(300)
    assert (page.evaluate("document.getElementById('clip').currentTime") > 0) is plays
