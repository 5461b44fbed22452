"""Gates that Prometheus is asked for (its HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/).

A query is true if it has a value, and none of its values is 0. One that has none yet, or one that is not a number, or
to which no answer comes, is neither true nor false: it holds the step, and after `SILENT_S` on end it is an objection.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from lipsol.errors import BadInput, Transient
from services.analyst.settings import Query

ANSWER_S = 2.0  # that an answer may take
ANSWER_MAX = 1 << 20  # bytes
SILENT_S = 60.0  # for which a query may be neither true nor false: Prometheus restarts in less
SAID_MAX = 200  # characters of what Prometheus says of a query

UNFIT = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


@dataclass(frozen=True)
class Asked:
    """What came of asking: objections that abort, and what is still to be known."""

    objections: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()


@dataclass
class Prometheus:
    """The gates, and since when each has been neither true nor false."""

    address: str
    queries: Sequence[Query]
    _silent_since: dict[str, float] = field(default_factory=dict)

    def look(self, now: float) -> Asked:
        """Ask all of them. now: seconds of a clock that only runs forward."""
        objections: list[str] = []
        unanswered: list[str] = []
        away = ""  # who did not answer once is not asked again in this look
        for query in self.queries:
            values: list[float] = []
            try:
                values = [] if away else self._values(query.query)
            except Transient as fault:
                away = fault.detail
            except BadInput as fault:
                objections.append(f"{query.name}: {fault.detail}")
                continue
            if not values:
                since = self._silent_since.setdefault(query.name, now)
                told = f"{query.name}: {away or 'it has no value'}, for {now - since:.0f} s"
                (objections if now - since >= SILENT_S else unanswered).append(told)
                continue
            self._silent_since.pop(query.name, None)
            if not all(values):
                objections.append(f"{query.name} is not true: {query.query}")
        return Asked(tuple(objections), tuple(unanswered))

    def _values(self, query: str) -> list[float]:
        """Raises BadInput for a query that Prometheus refuses, Transient where no answer comes."""
        address = f"{self.address.rstrip('/')}/api/v1/query?{urlencode({'query': query})}"
        try:
            with urlopen(Request(address), timeout=ANSWER_S) as answer:  # noqa: S310 - the operator's own, http or https
                said = json.loads(answer.read(ANSWER_MAX))
        except HTTPError as fault:
            with fault:
                told = fault.read(SAID_MAX).decode(errors="replace")
            if fault.code in UNFIT:
                raise BadInput(f"Prometheus refuses the query ({told})", "put it right in `release.promql`") from fault
            raise Transient(f"Prometheus answered {fault.code}") from fault
        except (OSError, ValueError) as fault:
            raise Transient(f"Prometheus did not answer ({type(fault).__name__})") from fault
        return _numbers(said)


def _numbers(said: object) -> list[float]:
    """The values in an answer; those that are no numbers are none."""
    try:
        data = said["data"]  # type: ignore[index]
        result = data["result"]
        pairs = [result] if data["resultType"] == "scalar" else [each["value"] for each in result]
        values = [float(value) for _, value in pairs]
    except (KeyError, TypeError, ValueError) as fault:
        raise Transient("what Prometheus answered is no instant value") from fault
    return [value for value in values if not math.isnan(value)]
