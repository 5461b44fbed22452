"""The page at the real edge: real doors, real video, a real face followed; only the reader is made up."""

import threading

import pytest
from playwright.sync_api import expect

from services.doors.server import Server
from services.embedded import Embedded
from tests.e2e.films import film_of, record
from tests.services_made import SAID, MadeReader, MadeRegistry, settings_of

pytestmark = pytest.mark.browser

MOST_MS = 60_000
NO_VIDEO = {"name": "notes.mp4", "mimeType": "video/mp4", "buffer": b"no video at all" * 99}
LIPS = """fetch(document.getElementById("srt").href.replace("captions.srt", "lips")).then(answer => answer.json())"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where the edge answers."""
    folder = tmp_path_factory.mktemp("edge")
    reader = MadeReader()
    platform = Embedded(settings_of(folder), open_reader=lambda _path, _info: reader, registry=MadeRegistry())
    with platform:
        server = Server(
            platform.edge.door(platform.faults), "127.0.0.1", 0, platform.settings.preprocess, platform.drain
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.leave()
            thread.join()


@pytest.fixture
def edge_page(open_page, address):
    """The page as the edge serves it, under the edge's own policy."""
    return open_page(address, reduced_motion="reduce", viewport={"width": 1200, "height": 1000})


@pytest.fixture
def read_page(edge_page, sample):
    """The page with a sample that was read."""
    edge_page.set_input_files("#file", sample.path)
    edge_page.get_by_role("heading", name="What was said").wait_for(timeout=MOST_MS)
    return edge_page


def test_a_real_clip_goes_through_and_words_come_back(read_page):
    assert read_page.locator("#words span").all_inner_texts() == SAID.split()
    expect(read_page.locator("#alternatives button")).to_have_count(3)
    read_page.get_by_text("About this reading").click()
    expect(read_page.locator("#facts")).to_contain_text("grid-sentences 1")


def test_the_outline_lies_on_the_lips(read_page):
    read_page.wait_for_selector("#outline[data-drawn=true]", state="attached")
    lips = read_page.evaluate(LIPS)
    assert lips["fps"] == 25
    assert len(lips["points"]) == len(lips["seen"]) == pytest.approx(75, abs=1)
    xs, ys = zip(*lips["points"][37], strict=True)  # the sample's mouth is left of the middle, well below it
    assert 0.33 < min(xs) < max(xs) < 0.52
    assert 0.7 < min(ys) < max(ys) < 0.86


def test_the_captions_of_the_links_are_there(read_page):
    for form, start in (("srt", "1\n"), ("vtt", "WEBVTT\n")):
        with read_page.expect_download() as download:
            read_page.get_by_role("link", name=f"Captions .{form}").click()
        assert download.value.suggested_filename == f"s1-bgbb3a.{form}"
        assert download.value.path().read_text().startswith(start)


def test_a_correction_and_a_deletion_reach_the_platform(read_page, address):
    clip = address + read_page.locator("#srt").get_attribute("href").removesuffix("/captions.srt")
    read_page.get_by_role("button", name="No, wrong").click()
    expect(read_page.locator("#thanks")).to_contain_text("Noted as wrong")
    read_page.get_by_label("The right words").fill("bin green by b three again")
    read_page.get_by_role("button", name="Send correction").click()
    expect(read_page.locator("#thanks")).to_have_text("Thank you. Your correction is noted.")
    assert read_page.request.get(clip).ok
    read_page.get_by_role("button", name="Delete this clip").click()
    expect(read_page.get_by_role("heading", name="What is being said?")).to_be_visible()
    assert read_page.request.get(clip).status == 404


def test_a_correction_that_cannot_be_spelled_is_answered_with_a_cure(read_page):
    read_page.get_by_label("The right words").fill("你好")
    read_page.get_by_role("button", name="Send correction").click()
    expect(read_page.get_by_role("alert").locator(".cure")).not_to_be_empty()


def test_a_file_that_is_no_video_is_refused_with_a_cure(edge_page):
    edge_page.set_input_files("#file", NO_VIDEO)
    expect(edge_page.get_by_role("alert").locator(".cure")).not_to_be_empty()
    expect(edge_page.get_by_role("heading", name="What is being said?")).to_be_visible()


def test_own_phrases_bind_the_reading(edge_page, sample):
    edge_page.get_by_text("Options").click()
    edge_page.get_by_label("What may be said").select_option("phrases")
    edge_page.get_by_label("Your phrases, one a line").fill("yes please")
    edge_page.set_input_files("#file", sample.path)
    edge_page.get_by_role("heading", name="What was said").wait_for(timeout=MOST_MS)
    assert edge_page.locator("#words span").all_inner_texts() == ["yes", "please"]


def test_a_real_face_before_the_camera_is_recorded_and_followed(launch, open_page, address, sample, tmp_path):
    film = film_of(sample.path, tmp_path / "camera.y4m")
    page = open_page(address, launch(f"--use-file-for-fake-video-capture={film}"), reduced_motion="reduce")
    record(page)
    page.get_by_role("heading", name="What was said").wait_for(timeout=MOST_MS)
    page.wait_for_selector("#outline[data-drawn=true]", state="attached")
    lips = page.evaluate(LIPS)
    assert sum(lips["seen"]) > 50
    gaps = [frame[30][1] - frame[25][1] for frame in lips["points"]]
    assert max(gaps) - min(gaps) > 0.005  # the mouth opened and closed
