"""Pages for people: whole in one file, escaped, and readable in any direction."""

import re

import numpy as np
import pytest

from lipsol.report.page import Note, Picture, Row, Section, Table, page
from lipsol.report.plots import Curve, Frame, bars, heat, line, picture, scatter, strip

DOT = Picture(b"<svg/>", "image/svg+xml", "a dot")


def test_what_is_shown_is_escaped_wherever_it_stands():
    evil = "<script>alert('&')</script>"
    made = page(evil, [Section(evil, (evil, Note("bad", evil), Table((evil,), ((evil, (evil, evil)),), evil),
                                      Row((Picture(b"", "image/png", evil, evil),))))], lead=evil)  # fmt: skip
    assert "<script" not in made and made.count("&lt;script&gt;") >= 10


def test_a_page_fetches_nothing():
    made = page("A page", [Section("One", (DOT, "words"))], lead="so")
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", made) and "@import" not in made


def test_every_text_finds_its_own_direction():
    made = page("A page", [Section("One", ("آپ کب ہیں", Table(("a",), (("کون",), (("ہاں", "نہیں"),)))))])
    for said in ("آپ کب ہیں", "کون", "ہاں", "نہیں"):
        assert re.search(rf'dir="auto">{said}', made)


def test_a_folded_table_opens_by_its_caption():
    made = page("A page", [Section("One", (Table(("a",), (("b",),), "All of it", folded=True),))])
    assert re.search(r"<details><summary[^>]*>All of it</summary>", made)


def test_contents_lead_to_sections_of_a_long_page_alone():
    sections = [Section(f"Part {n}", ("words",)) for n in range(3)]
    assert 'href="#part-2"' in page("A page", sections) and 'id="part-2"' in page("A page", sections)
    assert "<nav" not in page("A page", sections[:2])


PLOTS = {
    "line": line(Frame("a curve"), [Curve("one", [0, 1], [1, 0], [0, 0], [2, 1]), Curve("two", [0, 1], [0, 1])]),
    "scatter": scatter(Frame("dots"), [Curve("one", [0.5], [0.5])]),
    "bars": bars(Frame("bars"), ["ہے", "b"], {"seen": [0.1, 0.2]}, {"seen": [(0.0, 0.2), (0.1, 0.3)]}),
    "heat": heat(Frame("heat"), ["a"], ["a", "b"], np.array([[0.9, 0.1]])),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_takes_its_viewers_ink_and_is_the_same_each_time(name):
    svg = PLOTS[name].data.decode()
    assert "currentColor" in svg and "#010203" not in svg and "prefers-color-scheme:dark" in svg
    assert "<text" in svg  # letters, not outlines: a browser can join them
    assert "date" not in svg.lower()


def test_plots_leave_matplotlib_as_it_was():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    line(Frame("a curve"), [Curve("one", [0.0], [1.0])])
    assert dict(mpl.rcParams) == before


def test_a_strip_shows_frames_from_first_to_last_row_by_row():
    import cv2

    frames = np.repeat(np.linspace(0, 200, 50).astype(np.uint8), 96 * 96).reshape(50, 96, 96)
    made = strip(frames, "a mouth", columns=3, rows=2, height=10)
    shown = cv2.imdecode(np.frombuffer(made.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shown.shape == (20, 30) and made.width == 30
    assert shown[0, 0] == 0 and shown[19, 29] == 200
    assert shown[0, 29] < shown[10, 0]


def test_a_picture_keeps_its_colours():
    import cv2

    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    shown = cv2.imdecode(np.frombuffer(picture(red, "red").data, np.uint8), cv2.IMREAD_COLOR)
    assert tuple(shown[0, 0]) == (0, 0, 255)  # OpenCV's order
