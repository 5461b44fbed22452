"""Plots and pictures for reports. The only door to matplotlib, which draws without a screen and without global state.

A plot is an SVG whose letters are text, shaped by the browser (so Urdu joins), and whose lines and letters follow the
viewer's light or dark; what it shows stands in its `alt` as well.
"""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from jaxtyping import Float64, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipsol.report.page import Picture

COLOURS = ("#0b8376", "#c2571a", "#5a62c9", "#b0327a", "#7b8a1d", "#3f7fb5")  # told apart on white and on black
_INK = "#010203"  # stands for the viewer's own ink, put in once the plot is drawn
_STYLE = "<style>svg{color:#16211f}@media(prefers-color-scheme:dark){svg{color:#eef3f1}}</style>"
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lipsol",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": "#88929088",
    "grid.linewidth": 0.5,
    "legend.frameon": False,
}
_DRAWN: Any = {"bbox_inches": "tight", "transparent": True, "metadata": {"Date": None, "Creator": None}}


@dataclass(frozen=True)
class Frame:
    """What all plots have around them. Limits None: as the values ask for; size in inches."""

    alt: str
    x: str = ""
    y: str = ""
    caption: str = ""
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    size: tuple[float, float] = (5.2, 3.2)


@dataclass(frozen=True)
class Curve:
    """One line or set of points. low and high: a band around it, empty for none; style as matplotlib writes it."""

    name: str
    x: Sequence[float | int]
    y: Sequence[float | int]
    low: Sequence[float | int] = ()
    high: Sequence[float | int] = ()
    style: str = "-"


def line(frame: Frame, curves: Sequence[Curve]) -> Picture:
    """Curves over one pair of axes, each with its own colour and name."""
    with _drawing(frame) as (axes, done):
        for curve, colour in zip(curves, _colours(len(curves)), strict=True):
            axes.plot(curve.x, curve.y, curve.style, color=colour, label=curve.name)
            if len(curve.low):
                axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.2, linewidth=0)
        _legend(axes, [curve.name for curve in curves])
    return done[0]


def scatter(frame: Frame, curves: Sequence[Curve]) -> Picture:
    """Points over one pair of axes, each set with its own colour and name."""
    with _drawing(frame) as (axes, done):
        for curve, colour in zip(curves, _colours(len(curves)), strict=True):
            axes.scatter(curve.x, curve.y, s=14, color=colour, label=curve.name, alpha=0.7, linewidths=0)
        _legend(axes, [curve.name for curve in curves])
    return done[0]


def bars(
    frame: Frame,
    names: Sequence[str],
    values: Mapping[str, Sequence[float]],
    intervals: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> Picture:
    """Bars along the names, one row a name and in it one bar for each of `values`; intervals: ends of a whisker."""
    held, tall = intervals or {}, 0.8 / max(1, len(values))
    with _drawing(frame) as (axes, done):
        at = np.arange(len(names), dtype=np.float64)
        for n, ((name, amounts), colour) in enumerate(zip(values.items(), _colours(len(values)), strict=True)):
            place = at + (n - (len(values) - 1) / 2) * tall
            axes.barh(place, amounts, tall * 0.92, color=colour, label=name)
            for where, (low, high) in zip(place, held.get(name, ()), strict=False):
                axes.plot([low, high], [where, where], color=_INK, linewidth=1)
        axes.set_yticks(at, names)
        axes.invert_yaxis()
        _legend(axes, list(values))
    return done[0]


def heat(
    frame: Frame, rows: Sequence[str], columns: Sequence[str], values: Float64[np.ndarray, "rows columns"]
) -> Picture:
    """A heat map of shares in [0, 1]: each row one truth, each column one reading; shares of note in figures."""
    with _drawing(frame) as (axes, done):
        axes.imshow(values, cmap="YlGnBu", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0)
        for (row, column), value in np.ndenumerate(values):
            if value >= 0.005:
                ink = "#ffffff" if value > 0.55 else "#10201d"
                axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", color=ink, fontsize=7)
    return done[0]


def strip(
    frames: UInt8[np.ndarray, "frames height width"],
    alt: str,
    *,
    columns: int = 12,
    rows: int = 1,
    height: int = 48,
    caption: str = "",
) -> Picture:
    """Gray frames side by side, evenly taken from the whole, row by row, as a PNG; height: of a frame, in pixels."""
    taken = frames[np.linspace(0, len(frames) - 1, columns * rows).round().astype(int)]
    wide = round(height * frames.shape[2] / frames.shape[1])
    small = [cv2.resize(each, (wide, height), interpolation=cv2.INTER_AREA) for each in taken]
    lines = [np.hstack(small[at : at + columns]) for at in range(0, len(small), columns)]
    _, packed = cv2.imencode(".png", np.vstack(lines))
    return Picture(packed.tobytes(), "image/png", alt, caption, width=wide * columns)


def picture(
    image: UInt8[np.ndarray, "height width *channels"], alt: str, *, caption: str = "", width: int = 0
) -> Picture:
    """One image, gray or RGB, as a PNG."""
    _, packed = cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image)
    return Picture(packed.tobytes(), "image/png", alt, caption, width)


@contextmanager
def _drawing(frame: Frame) -> Iterator[tuple[Axes, list[Picture]]]:
    """Axes to draw on; the picture is in the list once they are left."""
    done: list[Picture] = []
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # letters are the browser's to draw
        figure = Figure(figsize=frame.size)
        axes = figure.subplots()
        yield axes, done
        axes.set_xlabel(frame.x)
        axes.set_ylabel(frame.y)
        if frame.x_limits:
            axes.set_xlim(*frame.x_limits)
        if frame.y_limits:
            axes.set_ylim(*frame.y_limits)
        out = io.StringIO()
        figure.savefig(out, format="svg", **_DRAWN)
    done.append(Picture(_viewers(out.getvalue()), "image/svg+xml", frame.alt, frame.caption))


def _viewers(svg: str) -> bytes:
    """The SVG in its viewer's own ink."""
    head, end, rest = svg.partition("<defs>")
    return f"{head}{_STYLE}{end}{rest}".replace(_INK, "currentColor").encode()


def _colours(count: int) -> list[str]:
    return [COLOURS[n % len(COLOURS)] for n in range(count)]


def _legend(axes: Axes, names: Sequence[str]) -> None:
    if len(names) > 1:
        axes.legend()
