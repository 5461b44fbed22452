"""Reports in the store: the page and its facts under `reports/`, for a time."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from lipsol.errors import BadInput, NotFound
from lipsol.store.port import Store

PLACE = "reports/"
PAGE_MAX_BYTES = 64 << 20  # of one page; Evidently's have about 4 MiB

Kind = Literal["data-drift", "data-quality", "model-quality"]
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}")


@dataclass(frozen=True)
class Report:
    """One report.

    name     in the address: when, which kind, whose
    made_at  Unix seconds
    track, model, digest, language, shadow  whose readings
    clips    that came in, of which `held` are in the report
    methods  by which test each column was compared; empty where nothing was
    drifted  columns that are not as in the reference; empty where nothing was compared
    reference  what was compared with: "bundle", "accepted", or "" where there was nothing
    """

    name: str
    kind: Kind
    made_at: float
    track: str
    model: str
    digest: str
    language: str
    shadow: bool
    clips: int
    held: int
    methods: Mapping[str, str]
    drifted: Sequence[str]
    reference: str


class Reports:
    """All reports of a store; each kept for `kept_s` seconds."""

    def __init__(self, store: Store, kept_s: float) -> None:
        self._store, self._kept_s = store, kept_s
        self._known: Mapping[str, Report | None] = {}  # by the key of its facts, which never change

    def keep(self, report: Report, page: bytes) -> Report:
        """Keep a report under a name of its own, which is returned in it; the facts last, so that both are there."""
        when = datetime.fromtimestamp(report.made_at, UTC).strftime("%Y%m%dT%H%M%SZ")
        whose = re.sub(r"[^A-Za-z0-9_-]", "-", f"{report.model}-{report.digest[:8]}-{report.language}")[:60]
        shadow = "-shadow" if report.shadow else ""
        named = replace(report, name=f"{when}-{report.kind}-{report.track}{shadow}-{whose}")
        self._store.put(f"{PLACE}{named.name}/page.html", page, self._kept_s)
        self._store.put(f"{PLACE}{named.name}/facts.json", json.dumps(asdict(named)).encode(), self._kept_s)
        return named

    def page(self, name: str) -> bytes:
        """A report's page. Raises NotFound."""
        if not NAME.fullmatch(name):
            raise NotFound(f"no report {name[:40]!r}", "/reports lists them")
        try:
            return self._store.get(f"{PLACE}{name}/page.html", PAGE_MAX_BYTES)
        except NotFound as gone:
            raise NotFound(f"no report {name!r}", f"/reports lists them; each is kept for {self._kept_s:g} s") from gone

    def all(self) -> list[Report]:
        """Every report that is kept, the newest first.

        Boards ask every few seconds: it costs the store one survey, and a look at what is new.
        """
        facts = [kept for kept in self._store.survey(PLACE) if kept.key.endswith("/facts.json")]
        keys, known = [kept.key for kept in facts if kept.age_s < self._kept_s], self._known
        self._known = found = {key: known[key] if key in known else self._facts(key) for key in keys}
        told = (each for each in found.values() if each is not None)
        return sorted(told, key=lambda each: each.name, reverse=True)

    def _facts(self, key: str) -> Report | None:
        """None: gone meanwhile, or of another release."""
        try:
            facts: dict[str, Any] = json.loads(self._store.get(key))
            return Report(**facts)
        except (NotFound, BadInput, TypeError, ValueError):
            return None
