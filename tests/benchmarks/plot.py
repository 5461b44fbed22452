"""Lines over logarithmic axes as SVG, readable on light and dark pages; pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 400, 300  # of a panel, px
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 34, 46  # px around its lines
KEY_PX = 15  # between two lines of the key
# Told apart by those who see colours differently (Okabe and Ito, 2008), and by the dots besides.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.grid { stroke: #8886; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
</style>"""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One plot. lines: by name, points of positive x and y."""

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, Points]


def svg(panels: Sequence[Panel]) -> str:
    """The panels side by side, as the text of an SVG file. Raises ValueError for a line without points, or with one
    that is not positive."""
    drawn = "\n".join(
        f'<g transform="translate({number * WIDTH},0)">\n{_panel(panel)}\n</g>' for number, panel in enumerate(panels)
    )
    width = WIDTH * len(panels)
    head = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}"'
    title = escape("; ".join(panel.title for panel in panels))
    return f'<svg {head} role="img">\n<title>{title}</title>\n{STYLE}\n{drawn}\n</svg>\n'


@dataclass(frozen=True)
class _Axis:
    """Logarithmic, from low to high, drawn between the pixels first and last."""

    low: float
    high: float
    first: float
    last: float

    @classmethod
    def over(cls, values: Sequence[float], first: float, last: float) -> "_Axis":
        """From the power of ten at or below all values to the one at or above them."""
        if not values or min(values) <= 0:
            raise ValueError("a line needs points, and a logarithmic axis positive ones")
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(10.0**low, 10.0 ** max(high, low + 1), first, last)

    def __call__(self, value: float) -> float:
        share = math.log10(value / self.low) / math.log10(self.high / self.low)
        return round(self.first + share * (self.last - self.first), 1)

    @property
    def ticks(self) -> list[float]:
        return [10.0**power for power in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]


def _panel(panel: Panel) -> str:
    points = [point for line in panel.lines.values() for point in line]
    x = _Axis.over([across for across, _ in points], LEFT, WIDTH - RIGHT)
    y = _Axis.over([up for _, up in points], HEIGHT - BOTTOM, TOP)
    grid = [_tick(x(each), y.first, x(each), y.last, f"{each:g}", "middle") for each in x.ticks]
    grid += [_tick(x.first, y(each), x.last, y(each), f"{each:g}", "end") for each in y.ticks]
    lines = [_line(number, name, line, x, y) for number, (name, line) in enumerate(panel.lines.items())]
    labels = [
        _text((x.first + x.last) / 2, 16, panel.title, "middle", "title"),
        _text((x.first + x.last) / 2, HEIGHT - 8, panel.x_label, "middle"),
        _upwards(14, (y.first + y.last) / 2, panel.y_label),
    ]
    return "\n".join([*grid, *lines, *labels])


def _tick(x0: float, y0: float, x1: float, y1: float, label: str, anchor: str) -> str:
    at = (x0, y0 + 16) if anchor == "middle" else (x0 - 6, y0 + 4)
    return f'<line class="grid" x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}"/>' + _text(*at, label, anchor)


def _line(number: int, name: str, line: Points, x: _Axis, y: _Axis) -> str:
    """A line with its dots, and its name in the key, at the upper left."""
    colour = COLOURS[number % len(COLOURS)]
    places = [(x(across), y(up)) for across, up in line]
    path = " ".join(f"{across},{up}" for across, up in places)
    dots = "".join(f'<circle cx="{across}" cy="{up}" r="3" fill="{colour}"/>' for across, up in places)
    key = TOP + 14 + number * KEY_PX
    swatch = f'<line class="line" stroke="{colour}" x1="{LEFT + 8}" y1="{key - 4}" x2="{LEFT + 24}" y2="{key - 4}"/>'
    drawn = f'<polyline class="line" stroke="{colour}" points="{path}"/>'
    return drawn + dots + swatch + _text(LEFT + 30, key, name, "start")


def _text(x: float, y: float, said: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x}" y="{y}" text-anchor="{anchor}">{escape(said)}</text>'


def _upwards(x: float, y: float, said: str) -> str:
    return f'<text transform="translate({x},{y}) rotate(-90)" text-anchor="middle">{escape(said)}</text>'
