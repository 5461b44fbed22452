"""Three seconds with the webcam: Chromium's own fake camera records, and the edge answers from cans."""

import io

import av
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import until

pytestmark = pytest.mark.browser

REFUSES = """navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "%s"))"""
WATCHES = """
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    globalThis.opened = [];
    navigator.mediaDevices.getUserMedia = async (asked) => {
        globalThis.asked = asked;
        const stream = await open(asked);
        opened.push(...stream.getTracks());
        return stream;
    };
    globalThis.took = [];
    const Recorder = MediaRecorder;
    globalThis.MediaRecorder = class extends Recorder {
        start(...how) { took.push(performance.now()); super.start(...how); }
        stop() { took.push(performance.now()); super.stop(); }
    };
    globalThis.counted = [];
    addEventListener("DOMContentLoaded", () => {
        const countdown = document.getElementById("countdown");
        new MutationObserver(() => counted.push(countdown.textContent)).observe(countdown, {childList: true});
    });
"""


@pytest.fixture
def camera_page(open_page, edge):
    """Opens the page with a script run before its own."""

    def visit(script):
        page = open_page("about:blank", reduced_motion="reduce")
        page.add_init_script(script)
        page.goto(edge.url)
        return page

    return visit


def test_three_seconds_are_counted_down_recorded_without_sound_and_sent(camera_page, edge):
    page = camera_page(WATCHES)
    page.get_by_role("button", name="Record three seconds").click()
    page.get_by_role("button", name="Start").click()
    page.get_by_role("heading", name="What was said").wait_for()
    assert [text for text in page.evaluate("counted") if text] == ["3", "2", "1", "Speak"]
    assert page.evaluate("asked.audio") is False
    (clip,) = edge.clips
    assert (clip["name"], clip["type"]) == ("recording.webm", "video/webm")
    with av.open(io.BytesIO(clip["bytes"])) as recording:
        assert [stream.type for stream in recording.streams] == ["video"]
        times = [float(frame.time) for frame in recording.decode(video=0)]
    begun_ms, ended_ms = page.evaluate("took")
    assert ended_ms - begun_ms >= 3000  # a busy machine records longer, never shorter
    assert times[-1] - times[0] > 1.5  # the fake camera counts its pictures, not the time: hurried, it falls behind


def test_the_camera_is_let_go_when_it_is_not_needed(camera_page):
    page = camera_page(WATCHES)
    page.get_by_role("button", name="Record three seconds").click()
    expect(page.get_by_role("button", name="Start")).to_be_focused()
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="What is being said?")).to_be_focused()
    assert page.evaluate("opened.map(track => track.readyState)") == ["ended"]
    page.get_by_role("button", name="Record three seconds").click()
    expect(page.get_by_role("button", name="Start")).to_be_enabled()


def test_the_preview_is_a_mirror(camera_page):
    page = camera_page("")
    page.get_by_role("button", name="Record three seconds").click()
    until(page, "document.getElementById('preview').videoWidth > 0")
    assert (
        page.evaluate("getComputedStyle(document.getElementById('preview')).transform") == "matrix(-1, 0, 0, 1, 0, 0)"
    )


def test_ones_own_recording_plays_though_it_does_not_know_its_length(camera_page):
    page = camera_page("")
    page.get_by_role("button", name="Record three seconds").click()
    page.get_by_role("button", name="Start").click()
    page.get_by_role("heading", name="What was said").wait_for()
    until(page, "Number(document.getElementById('position').max) < 10")
    until(page, "document.getElementById('clip').currentTime === 0")
    page.get_by_role("button", name="Play").click()
    until(page, "document.getElementById('clip').currentTime > 0.5")


@pytest.mark.parametrize(
    ("fault", "cure"),
    [
        ("NotAllowedError", "Allow the camera beside the address bar"),
        ("NotFoundError", "Plug one in, or choose a video file."),
        ("NotReadableError", "Close that program, then try again."),
    ],
)
def test_a_camera_that_does_not_open_is_told_with_its_cure(camera_page, fault, cure):
    page = camera_page(REFUSES % fault)
    page.get_by_role("button", name="Record three seconds").click()
    expect(page.get_by_role("alert")).to_contain_text(cure)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_role("button", name="Record three seconds")).to_be_visible()


def test_where_no_camera_may_be_used_the_page_says_so_before_anyone_tries(camera_page):
    page = camera_page("Object.defineProperty(window, 'isSecureContext', {value: false})")
    expect(page.get_by_role("button", name="Record three seconds")).to_be_disabled()
    expect(page.get_by_text("To record here, open this page by https")).to_be_visible()
