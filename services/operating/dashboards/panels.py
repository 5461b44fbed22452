"""What a dashboard is made of, as plain values: rows of panels, and the queries that they show.

A query is PromQL with Grafana's variables in it: `$track` and `$model` (chosen above the dashboard, each one, some or
all) and `$__rate_interval` (some scrapes long, whatever is zoomed to). A test lets a platform live through what the
queries tell of, and each must have data then; where it need not, `empty` says why, and the test holds that to be so.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lipsol.runtime.metrics import CATALOGUE

Kind = Literal["lines", "number", "states", "heat", "table", "words"]
OURS = re.compile(r"\blipsol_[a-z0-9_]+\b")
SUFFIXES = ("_bucket", "_sum", "_count")  # of a histogram's series
WHO = 'track=~"$track", model=~"$model"'  # those that are chosen above the dashboard
NO_GPU = "no GPU is in that machine"


@dataclass(frozen=True)
class Query:
    """One PromQL expression.

    named  how its series are called, with `{{label}}` for a label's value; "": by all their labels
    empty  why it may have no data even where clips are read, refused, judged and lost; "": then it has
    """

    expr: str
    named: str = ""
    empty: str = ""

    def metrics(self) -> list[str]:
        """Names of the catalogue's metrics in it, in the order in which they stand there."""
        return list(dict.fromkeys(metric_of(name) for name in OURS.findall(self.expr)))


@dataclass(frozen=True)
class Panel:
    """One picture.

    unit       as Grafana names it (`grafana_foundation_sdk.models.units`)
    why        what one looks at it for; "": what the catalogue says of the first metric in it
    kind       "lines" over time, a "number", "states" over time, "heat" of a histogram's buckets, a "table" of the
               newest values, or "words" (Markdown, in `why`)
    worry, bad the values from which on it is orange, and red; where bad is the smaller one, from which on down. Where
               an alert looks at the same, red is its bound
    exemplars  whether single clips are shown with it, each a way to its trace
    runbooks   the pages of docs/runbooks that say what to do, without ".md"
    width      of 24 columns
    """

    title: str
    unit: str
    queries: tuple[Query, ...]
    why: str = ""
    kind: Kind = "lines"
    worry: float | None = None
    bad: float | None = None
    exemplars: bool = False
    runbooks: tuple[str, ...] = ()
    width: int = 8

    def description(self) -> str:
        """What one looks at it for."""
        if self.why:
            return self.why
        metric = CATALOGUE[self.queries[0].metrics()[0]]
        return f"{metric.what} Why look: {metric.why}{'' if metric.why.endswith('?') else '.'}"


@dataclass(frozen=True)
class Row:
    """Panels under one heading, which is the question that they answer."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Dashboard:
    """One page.

    uid       its name for links; it must never change
    answers   the question that it answers
    by        which of the variables `track` and `model` can be chosen
    """

    uid: str
    title: str
    answers: str
    rows: tuple[Row, ...]
    by: tuple[str, ...] = ()

    def panels(self) -> Iterator[Panel]:
        """All of its panels, as they are read."""
        for row in self.rows:
            yield from row.panels


def metric_of(series: str) -> str:
    """The metric that a series belongs to: itself, or the histogram whose `_bucket`, `_sum` or `_count` it is."""
    for suffix in SUFFIXES:
        name = series.removesuffix(suffix)
        if name != series and name in CATALOGUE and CATALOGUE[name].kind == "histogram":
            return name
    return series


def rate(counter: str, *by: str, where: str = "", over: str = "$__rate_interval") -> str:
    """PromQL for how much a counter grew in a second of the recent past, for each value of some labels."""
    return f"sum{_by(*by)} (rate({counter}{_within(where)}[{over}]))"


def grown(counter: str, *by: str, where: str = "", over: str) -> str:
    """PromQL for how much a counter grew within some time, for each value of some labels."""
    return f"sum{_by(*by)} (increase({counter}{_within(where)}[{over}]))"


def share(part: str, whole: str, *by: str, where: str = "", within: str = "", over: str = "$__rate_interval") -> str:
    """PromQL for the part of one counter's growth that another one's is; 0 where there is a whole and no part yet.

    where: for both; within: for the part alone.
    """
    whole_rate = rate(whole, *by, where=where, over=over)
    narrowed = ", ".join(each for each in (where, within) if each)
    return f"({rate(part, *by, where=narrowed, over=over)} or 0 * {whole_rate}) / {whole_rate}"


def quantile(at: float, histogram: str, *by: str, where: str = "") -> str:
    """PromQL for a quantile of a histogram over the recent past, for each value of some labels."""
    return f"histogram_quantile({at:g}, {rate(f'{histogram}_bucket', 'le', *by, where=where)})"


def mean(histogram: str, *by: str, where: str = "") -> str:
    """PromQL for the mean of a histogram over the recent past, for each value of some labels."""
    return f"{rate(f'{histogram}_sum', *by, where=where)} / {rate(f'{histogram}_count', *by, where=where)}"


def spread(histogram: str, *by: str, where: str = "", of: tuple[float, ...] = (0.1, 0.5, 0.9)) -> tuple[Query, ...]:
    """Some quantiles of a histogram as queries, called p10, p50 and so on after the values of the labels."""
    whose = "".join(f"{{{{{label}}}}} " for label in by)
    return tuple(Query(quantile(at, histogram, *by, where=where), f"{whose}p{round(at * 100)}") for at in of)


def _by(*labels: str) -> str:
    return f" by ({', '.join(labels)})" if labels else ""


def _within(where: str) -> str:
    return f"{{{where}}}" if where else ""
