"""`python -m services analyst [--hand-back|--way-back]`: what a Helm hook runs. The last line that it says is why,
in a sentence.

Exit codes: 0 passed, or handed back; 1 aborted, stood down, or a fault; 2 bad input, a bundle that may not be released
among it, or a way back to what was never let in; 3 observed: a shadow release is never let in, so Helm must not go on.
"""

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lipsol.bus.port import Bus
from lipsol.errors import BadInput, LipsolError
from lipsol.registry.standing import check
from lipsol.runtime.clock import SystemClock
from lipsol.runtime.logs import set_up_logging
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.wiring import open_bus, open_registry
from services.analyst.analyst import Analyst, Verdict
from services.analyst.cluster import Cluster
from services.analyst.hand_back import hand_back, way_back
from services.analyst.settings import AnalystSettings

HAND_BACK, WAY_BACK = "--hand-back", "--way-back"
PASSED, FAULT, BAD_INPUT, OBSERVED = 0, 1, 2, 3
LAST_WORD = Path("/dev/termination-log")  # where a kubelet looks for it, and `kubectl describe` shows it


class AnalystAlone(Settings):
    """All that an analyst is told."""

    analyst: AnalystSettings = AnalystSettings()


def main(arguments: Sequence[str]) -> int:
    """Judge a release, or hand all back; the exit code."""
    try:
        settings = load(AnalystAlone)
        _check(settings)
        set_up_logging(settings.telemetry)
        code, said = _run(settings, arguments)
    except LipsolError as fault:
        code, said = (BAD_INPUT if isinstance(fault, BadInput) else FAULT), str(fault)
    print(f"lipsol: {said}", file=sys.stderr)  # noqa: T201 - before and after logging
    if LAST_WORD.exists():
        with suppress(OSError):
            LAST_WORD.write_text(said)
    return code


def _run(settings: AnalystAlone, arguments: Sequence[str]) -> tuple[int, str]:
    cluster = Cluster.open(settings.analyst.namespace)
    bus = open_bus(settings)
    try:
        if HAND_BACK in arguments:
            return PASSED, hand_back(settings.analyst, bus, cluster, SystemClock())
        if WAY_BACK in arguments:
            return _way_back(settings.analyst, bus, cluster)
        registry = open_registry(settings)
        analyst = Analyst(settings.analyst, bus, cluster, lambda digest: check(registry, digest))
        signal.signal(signal.SIGTERM, lambda *_: analyst.stop.set())
        verdict = analyst.run()
        return _code(settings.analyst, verdict), _told(settings.analyst, verdict)
    finally:
        bus.close()


def _way_back(asked: AnalystSettings, bus: Bus, cluster: Cluster) -> tuple[int, str]:
    """Hand all back, and only then say whether Helm may go there: users are safe either way."""
    said = hand_back(asked, bus, cluster, SystemClock())
    refusal = way_back(asked, cluster, SystemClock())
    if not refusal:
        return PASSED, said
    if asked.job:
        with suppress(LipsolError):  # its last line tells it too
            cluster.fail(asked.job, refusal)
    return BAD_INPUT, refusal


def _check(settings: AnalystAlone) -> None:
    """Raise BadInput for what can't work, naming all of it."""
    asked = settings.analyst
    faults = [f"no LIPSOL_ANALYST__{name}" for name in ("RELEASE", "DEPLOYMENT") if not getattr(asked, name.lower())]
    if settings.bus.private:
        faults.append(f"the {settings.bus.kind} bus ends at the process's edge (LIPSOL_BUS__KIND=kafka does not)")
    if asked.promql and not asked.prometheus:
        faults.append("gates in PromQL, and no LIPSOL_ANALYST__PROMETHEUS to ask")
    if faults:
        raise BadInput(f"an analyst that can't judge: {'; '.join(faults)}", "the chart's hooks set all of these")


def _code(asked: AnalystSettings, verdict: Verdict) -> int:
    if verdict.what == "pass":
        return OBSERVED if asked.plan.way == "shadow" else PASSED
    return BAD_INPUT if verdict.spoilt else FAULT


def _told(asked: AnalystSettings, verdict: Verdict) -> str:
    """The last word."""
    passed = verdict.what == "pass" and asked.plan.way != "shadow"
    return f"passed: {verdict.reason}" if passed else verdict.sentence
