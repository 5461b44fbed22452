"""Whoever comes can use the page: by keyboard, by ear, on a phone, in the dark, without motion."""

import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.conftest import PATIENCE_MS, until

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 640}
STATES = ["start", "camera", "sure", "unsure", "board", "urdu", "faceless"]
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


def choosers_of(page):
    """The file choosers that the page opens from now on; on return the browser shows none of them to anybody."""
    choosers = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))  # noqa: PLW0108 - a built-in is refused
    page.evaluate("1")  # a round trip: what was asked of the page before this is in force
    return choosers


def press_until(page, key, came):
    """Press a key until what it brings has come: on a busy machine a press may outlive the right to open a window."""
    deadline = time.monotonic() + 4 * PATIENCE_MS / 1000
    while not came:
        assert time.monotonic() < deadline, f"{key} brought nothing"
        page.keyboard.press(key)
        for _ in range(100):
            page.wait_for_timeout(50)
            if came:
                break


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
    choosers = choosers_of(page)
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "file"
    press_until(page, "Space", choosers)
    choosers[0].set_files({"name": "sure.mp4", "mimeType": "video/mp4", "buffer": sample.bytes()})
    expect(page.get_by_role("heading", name="What was said")).to_be_focused()
    met = []
    for _ in range(23):  # as many as can be pressed in this reading
        page.keyboard.press("Tab")
        met.append(page.evaluate(focused))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    expected = ["play", "position", "show-lips", "slow", "right", "wrong", "gave-up", "said", "again"]
    expected += ["delete", "srt", "vtt"]
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
    if plays:
        until(page, "document.getElementById('clip').currentTime > 0")
    else:
        page.wait_for_timeout(300)
        assert page.evaluate("document.getElementById('clip').currentTime") == 0
