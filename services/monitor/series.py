"""The windows as lines of a plot: every measure of the catalogue that the windows know, by group and over everybody."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from lipsol.runtime.metrics import CATALOGUE
from services.monitor.group import Group
from services.monitor.tally import BOUNDS, Tally
from services.monitor.views import Point, Series
from services.monitor.windows import Window


def _mean(name: str) -> Callable[[Tally], float | None]:
    return lambda tally: tally.measures[name].mean if name in tally.measures else None


def _share(part: str, whole: str = "readings") -> Callable[[Tally], float | None]:
    return lambda tally: tally.counts[part] / tally.counts[whole] if tally.counts[whole] else None


def _count(what: str) -> Callable[[Tally], float | None]:
    return lambda tally: float(tally.counts[what])


MEASURES: Mapping[str, Callable[[Tally], float | None]] = {
    **{name: _mean(name) for name in BOUNDS},
    "lipsol_predictions_total": _count("readings"),
    "lipsol_abstained_ratio": _share("abstained"),
    "lipsol_abstained_total": _count("abstained"),
    "lipsol_empty_answers_total": _count("empty"),
    "lipsol_redone_total": _count("redone"),
    "lipsol_gave_up_total": _count("gave_up"),
    "lipsol_corrections_total": _count("corrections"),
    "lipsol_compared_total": _count("compared"),
    "lipsol_disagreed_total": _count("disagreed"),
    "lipsol_corrected_word_error_ratio": lambda tally: tally.words.value,
    "lipsol_corrected_character_error_ratio": lambda tally: tally.characters.value,
}
"""Measure -> what it is in a tally: of a histogram the mean, of a counter how much it grew in the window."""

REFUSALS = "lipsol_refusals_total"
OF_COPIES = ("lipsol_compared_total", "lipsol_disagreed_total")


def series(windows: Sequence[Window], measure: str = "") -> list[Series]:
    """Those windows' measures, the oldest first: each group's, and everybody's together, without shadow copies."""
    groups = sorted({group for window in windows for group in window.tallies if group.model})
    names = [name for name in MEASURES if measure in ("", name)]
    found = [_line(name, group, _points(windows, name, group)) for name in names for group in groups]
    found += [_line(name, None, _points(windows, name, None)) for name in names if name not in OF_COPIES]
    if measure in ("", REFUSALS):
        refused = tuple(Point(w.start, float(w.refused.total()), w.refused.total()) for w in windows)
        found.append(_line(REFUSALS, None, refused))
    return [line for line in found if any(point.value is not None for point in line.points)]


def _points(windows: Sequence[Window], name: str, group: Group | None) -> tuple[Point, ...]:
    return tuple(_point(window, name, group) for window in windows)


def _point(window: Window, name: str, group: Group | None) -> Point:
    tallies = list(_tallies(window, group))
    tally = tallies[0] if len(tallies) == 1 else Tally.of(tallies)
    return Point(window.start, MEASURES[name](tally), tally.counts["readings"])


def _tallies(window: Window, group: Group | None) -> Iterator[Tally]:
    if group is not None:
        if group in window.tallies:
            yield window.tallies[group]
        return
    yield from (tally for each, tally in window.tallies.items() if not each.shadow)


def _line(name: str, group: Group | None, points: tuple[Point, ...]) -> Series:
    metric = CATALOGUE[name]
    return Series(name, metric.unit, metric.family, group, points)
