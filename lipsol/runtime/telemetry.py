"""What a process tells its operator in figures: the metrics of the catalogue, in a registry of this process's own.

Nothing is global: each `Telemetry` counts for itself, so tests and the embedded platform don't share figures by
accident. `/metrics` is served on a port of its own, never on the public one, in the form that the asker takes:
OpenMetrics, in which a bucket names the trace of one measurement that fell into it (an exemplar), or Prometheus's text.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
    start_http_server,
)

from lipsol.errors import BadInput, NotFound, Transient
from lipsol.runtime.metrics import CATALOGUE, Metric


class Telemetry:
    """Counts, measures and shows. A name or label that the catalogue lacks is refused: NotFound or BadInput."""

    def __init__(self, catalogue: Mapping[str, Metric] = CATALOGUE) -> None:
        self.registry = CollectorRegistry()
        self._catalogue = catalogue
        self._series = {metric.name: _make(metric, self.registry) for metric in catalogue.values()}
        ProcessCollector(registry=self.registry)
        if "lipsol_build_info" in catalogue:
            self.set("lipsol_build_info", 1, version=_version())

    def add(self, name: str, count: float | int = 1, /, **labels: str) -> None:
        """Let a counter grow."""
        self._made(name, "counter", labels).inc(count)

    def set(self, name: str, value: float | int, /, **labels: str) -> None:
        """Put a gauge to a value."""
        self._made(name, "gauge", labels).set(value)

    def drop(self, name: str, /, **labels: str) -> None:
        """Tell that gauge no more: what it was about is gone."""
        self._made(name, "gauge", labels)
        self._series[name].remove(*(labels[label] for label in self._metric(name).labels))

    def follow(self, name: str, value: Callable[[], float], /, **labels: str) -> None:
        """Let a gauge ask for its value whenever somebody looks; from any thread, and it may not raise."""
        self._made(name, "gauge", labels).set_function(value)

    def observe(self, name: str, value: float | int, /, *, trace_id: str = "", **labels: str) -> None:
        """Take one measurement into a histogram. trace_id: of what was measured, so that its bucket names it."""
        self._made(name, "histogram", labels).observe(value, {"trace_id": trace_id} if trace_id else None)

    def observer(self, name: str, /, **labels: str) -> Callable[[float, str], None]:
        """What takes measurements, each with its trace's id or "", into that histogram: for who measures very often."""
        take = self._made(name, "histogram", labels).observe
        return lambda value, trace_id: take(value, {"trace_id": trace_id} if trace_id else None)

    @contextmanager
    def timed(self, name: str, /, *, trace_id: str = "", **labels: str) -> Iterator[None]:
        """Measure how long the block takes into a histogram of seconds, also when it fails."""
        start = perf_counter()
        try:
            yield
        finally:
            self.observe(name, perf_counter() - start, trace_id=trace_id, **labels)

    def value(self, name: str, /, **labels: str) -> float:
        """What a counter or gauge stands at, or how many measurements a histogram has; 0.0 where none came."""
        histogram = self._metric(name).kind == "histogram"
        return self.registry.get_sample_value(f"{name}_count" if histogram else name, labels) or 0.0

    def text(self) -> str:
        """All of it in Prometheus's text form."""
        return generate_latest(self.registry).decode()

    def _metric(self, name: str) -> Metric:
        if name not in self._catalogue:
            raise NotFound(f"no metric {name!r}", "add it to lipsol/runtime/metrics/")
        return self._catalogue[name]

    def _made(self, name: str, kind: str, labels: Mapping[str, str]) -> Any:
        metric = self._metric(name)
        if metric.kind != kind or set(labels) != set(metric.labels):
            raise BadInput(
                f"{name} as a {kind} by {sorted(labels)}", f"it is a {metric.kind} by {sorted(metric.labels)}"
            )
        return self._series[name].labels(**labels) if labels else self._series[name]


@cache
def _version() -> str:
    try:
        return version("lipsol")
    except PackageNotFoundError:  # run from its source, installed nowhere
        return "source"


def _make(metric: Metric, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    if metric.kind == "histogram":
        return Histogram(metric.name, metric.what, metric.labels, registry=registry, buckets=metric.buckets)
    return (Counter if metric.kind == "counter" else Gauge)(metric.name, metric.what, metric.labels, registry=registry)


class MetricsServer:
    """`/metrics` over HTTP, from construction to `close`. Raises Transient if the port is taken."""

    def __init__(self, telemetry: Telemetry, port: int, host: str = "0.0.0.0") -> None:
        try:
            self._server, self._thread = start_http_server(port, host, telemetry.registry)
        except OSError as fault:
            raise Transient(
                f"metrics port {port} can't be had ({fault.strerror})", "set LIPSOL_TELEMETRY__METRICS_PORT"
            ) from fault

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
