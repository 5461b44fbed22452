"""Films for Chromium's fake camera: a face that keeps still while the page counts down, and then speaks."""

import time
from pathlib import Path

import av
from playwright.sync_api import Page

from tests.e2e.conftest import until

HELD_S = 4.2  # from the camera's opening to the recording's start: a second of looking, then the countdown
COUNTED_S = 3.0


def film_of(clip: Path, film: Path) -> Path:
    """Write a clip as raw video (YUV4MPEG2), its first frame held `HELD_S` before, its last 2 s after it."""
    with av.open(str(clip)) as source:
        frames = [frame.reformat(format="yuv420p") for frame in source.decode(video=0)]
    with film.open("wb") as out:
        out.write(f"YUV4MPEG2 W{frames[0].width} H{frames[0].height} F25:1 Ip A1:1 C420\n".encode())
        for frame in [frames[0]] * round(HELD_S * 25) + frames + [frames[-1]] * 50:
            out.write(b"FRAME\n" + frame.to_ndarray().tobytes())
    return film


def record(page: Page) -> None:
    """Record what the film says: open the camera, look, and start so that the countdown ends where speech begins."""
    page.get_by_role("button", name="Record three seconds").click()
    until(page, "document.getElementById('preview').videoWidth > 0")
    opened = time.monotonic()
    page.get_by_role("button", name="Start").wait_for()
    time.sleep(max(0.0, HELD_S - COUNTED_S - (time.monotonic() - opened)))
    page.get_by_role("button", name="Start").click()
