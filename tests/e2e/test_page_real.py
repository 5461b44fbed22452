"""The page at the real platform with the shipped models: real clips go in, the right words come out."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.conftest import TOP, read_samples
from tests.e2e.films import film_of, record

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = TOP / "models" / "grid-sentences.lipsol"
URDU = TOP / "models" / "urdu-synthetic-sentences.lipsol"
SEEN = [sample for sample in read_samples() if sample.speaker == "s1"]
UNSEEN = [sample for sample in read_samples() if sample.speaker == "s4"]
PICTURE = TOP / "build" / "page.png"  # becomes docs/page.png
MOST_MS = 60_000
DOORS = ("TELEMETRY__METRICS_PORT", "PREPROCESS__GRPC_PORT", "OPERATING__PORT", "MONITOR__PORT")


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """The address of everything in one process, on a free port."""
    if not MODEL.exists():
        pytest.skip(f"no {MODEL.relative_to(TOP)}: make train")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("platform") / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "serve", "--port", str(port)],
            cwd=TOP,
            env=os.environ | {f"LIPSOL_{door}": "0" for door in DOORS},
            stdout=out,
            stderr=out,
        )
        try:
            await_ready(f"http://127.0.0.1:{port}/readyz", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=180)


def await_ready(address, process, log, at_most_s=180.0):
    """Wait until the platform takes clips."""
    until_s = time.monotonic() + at_most_s
    while time.monotonic() < until_s and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=60):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the platform was not ready: {log.read_text()[-2000:]}")


@pytest.fixture
def real_page(open_page, platform):
    """The page as the platform serves it."""
    return open_page(platform, reduced_motion="reduce", viewport={"width": 1200, "height": 1000})


def readings(page):
    """What the page gives: one sure reading, or the three that it offers when it is not sure."""
    page.locator("#result:not([hidden])").wait_for(timeout=MOST_MS)
    words = page.locator("#words span").all_inner_texts()
    return [" ".join(words)] if words else page.locator("#guesses span").all_inner_texts()


def test_the_samples_of_a_speaker_it_knows_are_read_right(real_page):
    wrong = []
    for sample in SEEN:
        real_page.set_input_files("#file", sample.path)
        given = readings(real_page)
        if sample.text not in given:
            wrong.append((sample.text, given))
        real_page.get_by_role("button", name="Read another clip").click()
    assert len(wrong) <= 1, wrong


def test_a_stranger_is_read_honestly(real_page):
    sure_and_wrong = []
    for sample in UNSEEN:
        real_page.set_input_files("#file", sample.path)
        given = readings(real_page)
        if len(given) == 1 and given != [sample.text]:
            sure_and_wrong.append((sample.text, given))
        real_page.get_by_role("button", name="Read another clip").click()
    assert len(sure_and_wrong) <= 1, sure_and_wrong


def test_own_phrases_bind_the_reading(real_page):
    sample = SEEN[0]
    real_page.get_by_text("Options").click()
    real_page.get_by_label("What may be said").select_option("phrases")
    real_page.get_by_label("Your phrases, one a line").fill(f"hello\n{sample.text}\nset white with z nine now")
    real_page.set_input_files("#file", sample.path)
    assert sample.text in readings(real_page)
    others = set(real_page.locator("#alternatives span, #guesses span").all_inner_texts())
    assert others <= {"hello", sample.text, "set white with z nine now"}


def test_a_person_before_the_camera_is_read(launch, open_page, platform, tmp_path):
    film = film_of(SEEN[0].path, tmp_path / "camera.y4m")
    page = open_page(platform, launch(f"--use-file-for-fake-video-capture={film}"), reduced_motion="reduce")
    record(page)
    given = readings(page)
    assert all(len(reading.split()) == 6 for reading in given), given
    expect(page.locator("#alert")).to_be_empty()


@pytest.mark.skipif(not URDU.exists(), reason="no urdu-synthetic-sentences in models/: make urdu")
def test_a_real_clip_read_by_a_model_of_drawn_mouths_is_perhaps_and_runs_from_right_to_left(real_page):
    real_page.get_by_text("Options").click()
    real_page.get_by_label("Language").select_option("ur")
    expect(real_page.locator("#choice-drawn")).to_contain_text("never met a real speaker")
    real_page.set_input_files("#file", SEEN[0].path)
    given = readings(real_page)
    assert len(given) == 3 and all(len(reading.split()) == 6 for reading in given), given
    expect(real_page.get_by_role("heading", name="Not sure")).to_be_visible()
    expect(real_page.locator("#drawn [lang=ur][dir=rtl]")).to_be_visible()
    expect(real_page.locator("#guesses")).to_have_attribute("dir", "rtl")


def test_the_picture_of_the_page_shows_a_real_reading(open_page, platform):
    page = open_page(platform, reduced_motion="reduce", viewport={"width": 1200, "height": 1000})
    for sample in SEEN:
        page.set_input_files("#file", sample.path)
        if readings(page) == [sample.text]:
            break
        page.get_by_role("button", name="Read another clip").click()
    middle = page.locator("#words button").nth(3)
    expect(middle).to_be_visible()
    page.wait_for_selector("#outline[data-drawn=true]", state="attached")
    page.evaluate("document.getElementById('clip').playbackRate = 0.1")  # a busy machine is slow to press Pause
    middle.click()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#words [aria-current]")).to_have_count(1)
    page.get_by_role("heading", name="What was said").focus()
    page.mouse.move(0, 0)
    PICTURE.parent.mkdir(exist_ok=True)
    page.screenshot(path=PICTURE, full_page=True)
    assert PICTURE.stat().st_size > 50_000
