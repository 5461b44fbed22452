"""Every metric there is, in three families: how the software fares, what comes in, what goes out."""

from collections.abc import Mapping
from types import MappingProxyType

from lipsol.runtime.metrics.input import INPUT
from lipsol.runtime.metrics.metric import LABELS, Family, Metric
from lipsol.runtime.metrics.output import OUTPUT
from lipsol.runtime.metrics.software import PROCESS, SOFTWARE

__all__ = ["CATALOGUE", "LABELS", "PROCESS", "Family", "Metric"]

CATALOGUE: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in (*SOFTWARE, *INPUT, *OUTPUT)})
