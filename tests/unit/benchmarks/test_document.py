import re
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks.document import panels_of, placed, section
from tests.benchmarks.figures import Figure
from tests.benchmarks.growth import AT_ONCE, SECONDS, STAGES
from tests.benchmarks.plot import Panel, svg

MACHINE = "A processor, 2 cores, load 0.1 at the start, Linux"


def entries(*figures, machine=MACHINE):
    return [figure.as_dict(machine) for figure in figures]


@pytest.fixture
def lengths():
    """Figures of a run whose cost grows in proportion."""
    figures = [Figure(f"length_{stage}_{size}s", 100.0 * size, "ms") for stage in STAGES for size in SECONDS]
    return {each.name: each.value for each in [*figures, *(Figure(f"at_once_{n}", 50.0 * n, "ms") for n in AT_ONCE)]}


def test_figures_stand_between_the_marks_and_nothing_else_changes():
    page = "before\n<!-- bench -->\nold\n<!-- end -->\nafter\n<!-- settings -->\nkept\n<!-- end -->\n"
    assert placed(page, r"new \1" + "\n") == page.replace("old", r"new \1")


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="put them where the figures belong"):
        placed("a page", "new")


def test_a_figure_with_a_target_has_a_row_and_says_when_it_missed():
    told = section(entries(Figure("a_new_one", 3.0, "ms", 2.0, below=True), Figure("for_programs", 1.0, "ms")))
    assert "| a new one | 3 ms (missed) | below 2 |" in told
    assert "programs" not in told


def test_the_machine_is_told_once_without_its_load():
    told = section(entries(Figure("preprocess", 300.0, "frames/s/core", 250.0), Figure("face_searches", 4.0, "")))
    assert told.startswith("Measured on A processor, 2 cores, Linux.\n")


def test_a_stage_that_was_measured_has_its_median_and_its_95th_percentile():
    told = section(entries(Figure("way_keep_p50", 4.26, "ms"), Figure("way_keep_p95", 9.0, "ms")))
    assert "| wait for a thread, keep the mouth | 4.3 ms | 9.0 ms |" in told


def test_what_was_not_measured_is_not_drawn(lengths):
    assert panels_of({}) == []
    assert len(panels_of(lengths)) == 2


def test_the_drawing_is_svg_with_every_line_inside_it(lengths):
    root = ET.fromstring(svg(panels_of(lengths)))  # noqa: S314 our own
    width, height = float(root.get("width")), float(root.get("height"))
    space = "{http://www.w3.org/2000/svg}"
    lines = root.findall(f".//{space}polyline")
    assert len(lines) == len(STAGES) + 1
    for line in lines:
        points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        assert all(0 < across < width and 0 < up < height for across, up in points)
    assert "prefers-color-scheme: dark" in root.find(f"{space}style").text


def test_what_grows_in_proportion_is_drawn_straight():
    drawn = svg([Panel("t", "x", "y", {"line": [(1, 2), (10, 20), (100, 200)]})])
    found = re.search(r'points="([^"]*)"', drawn)
    (x0, y0), (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in found[1].split())
    assert (x2 - x1, y2 - y1) == pytest.approx((x1 - x0, y1 - y0), abs=0.2)
    assert x2 > x1 and y2 < y1


def test_names_are_text_and_never_markup():
    assert "&lt;b&gt; &amp;" in svg([Panel("<b> &", "x", "y", {"<i>": [(1, 1), (2, 2)]})])


@pytest.mark.parametrize("points", [[], [(1, 0)]], ids=["none", "zero"])
def test_what_a_logarithm_does_not_know_is_refused(points):
    with pytest.raises(ValueError, match="positive"):
        svg([Panel("t", "x", "y", {"line": points})])
