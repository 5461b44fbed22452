"""Times as people type and read them."""

import re
from datetime import UTC, datetime

from lipsol.errors import BadInput

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def since(told: str, now: float) -> float:
    """What `--since TOLD` means, Unix seconds: so long ago (90s, 15m, 6h, 2d), or from a time on (ISO 8601, UTC if it
    names no zone); "" is from the beginning. Raises BadInput.
    """
    if not told:
        return 0.0
    if span := SPAN.fullmatch(told):
        return now - float(span[1]) * UNITS[span[2]]
    try:
        moment = datetime.fromisoformat(told)
    except ValueError as fault:
        raise BadInput(f"--since {told!r}", "say 15m, 6h, 2d, or a time as 2026-11-21T09:00") from fault
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def moment(at: float) -> str:
    """A time for people, to the millisecond, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def span(seconds: float) -> str:
    """How long something takes, for people: two units at most."""
    left, parts = round(seconds), list[str]()
    for name, unit in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if left >= unit or (name == "s" and not parts):
            parts.append(f"{left // unit} {name}")
            left %= unit
    return " ".join(parts[:2])
