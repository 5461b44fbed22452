"""Headless Chromium for the page's tests, and the fake edge that answers from cans."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.e2e.page_server import Fake, serving

QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]  # fmt: skip
PATIENCE_MS = 60_000


def until(page: Page, condition: str, patience_s: float = PATIENCE_MS / 1000) -> None:
    """Wait until a JavaScript expression holds. Playwright's own way needs eval, which the page's policy forbids."""
    deadline = time.monotonic() + patience_s
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"never came true: {condition}"
        page.wait_for_timeout(50)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Drives browsers, and waits for what is expected of them as long as for all else: its own 5 s are few on a busy
    machine.
    """
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def launch(playwright: Playwright) -> Iterator[Callable[..., Browser]]:
    """Starts this machine's Chromium, with more switches if told, and ends it when all tests are through."""
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    if not found:
        pytest.skip("no Chromium here: make browser")
    with ExitStack() as opened:

        def start(*switches: str) -> Browser:
            browser = playwright.chromium.launch(executable_path=found[0], args=[*QUIET, *switches])
            opened.callback(browser.close)
            return browser

        yield start


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Browser:
    """Chromium with its own fake camera: a green picture that beeps."""
    return launch()


@pytest.fixture
def edge() -> Iterator[Fake]:
    """The fake edge, fresh for each test."""
    with serving(Fake()) as fake:
        yield fake


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address in a fresh context; at the end no page may have thrown, or been held back by its policy."""
    faults: list[str] = []
    with ExitStack() as opened:

        def visit(url: str, by: Browser = browser, **how: object) -> Page:
            context = by.new_context(**how)
            opened.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda fault: faults.append(str(fault)))
            page.on(
                "console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None
            )
            page.goto(url)
            return page

        yield visit
    assert faults == []


@pytest.fixture
def page(open_page: Callable[..., Page], edge: Fake) -> Page:
    """The page at the fake edge, on a desk, without motion of its own."""
    return open_page(edge.url, reduced_motion="reduce", viewport={"width": 1200, "height": 900})


@pytest.fixture
def send(page: Page, top: Path) -> Callable[[str], Page]:
    """Chooses a real clip under a made-up name, which picks the fake edge's answer."""
    clip = (top / "samples" / "s1-bgbb3a.mp4").read_bytes()

    def choose(name: str) -> Page:
        page.set_input_files("#file", {"name": f"{name}.mp4", "mimeType": "video/mp4", "buffer": clip})
        return page

    return choose
