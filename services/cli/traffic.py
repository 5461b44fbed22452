"""`lipsol traffic`: which share of the clips a canary gets, until when, and how to take it all back."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import TypeAlias

from lipsol.errors import BadInput, NotFound
from lipsol.events import Mode
from lipsol.registry.port import Registry
from lipsol.runtime.wiring import open_registry
from lipsol.traffic import DIGEST
from services.cli.environment import quiet
from services.cli.operator import me, open_platform
from services.cli.times import SPAN, UNITS, moment, span
from services.operating import OperatorSettings
from services.operating.documents import pretty
from services.operating.operations import Operating, TrafficState

Open: TypeAlias = Callable[[], AbstractContextManager[Operating]]
SHOWN = 12  # hexadecimal digits of a digest


@dataclass(frozen=True)
class SetOptions:
    """What `lipsol traffic set` was given; life: as typed, "" for none."""

    mode: Mode
    weight: float | None
    canary: str
    life: str
    reason: str


def run_show(*, as_json: bool, platform: Open = open_platform) -> int:
    """Print what rules the traffic now."""
    with platform() as running:
        state = running.traffic()
    print(pretty(asdict(state)) if as_json else page(state))
    return 0


def run_set(options: SetOptions, *, platform: Open = open_platform, registry: Registry | None = None) -> int:
    """Have a policy rule from now on, and print it. Raises BadInput for one that can't be meant."""
    if options.mode == "stable":
        return run_abort(options.reason, platform=platform)
    if options.weight is None:
        raise BadInput(f"mode {options.mode} without a weight", "say which share the canary gets: --weight 0 to 100")
    life_s = seconds(options.life)
    digest = bundle(options.canary, registry or open_registry(quiet(OperatorSettings))) if options.canary else ""
    with platform() as running:
        state = running.set_traffic(
            options.mode, options.weight, life_s, canary_digest=digest, set_by=me(), reason=options.reason
        )
    print(page(state))
    return 0


def run_abort(reason: str, *, platform: Open = open_platform) -> int:
    """Send all to stable from now on, and print that."""
    with platform() as running:
        state = running.abort(set_by=me(), reason=reason)
    print(page(state))
    return 0


def page(state: TrafficState) -> str:
    """The policy for eyes."""
    lines = [f"traffic  {_split(state)}"]
    if state.live:
        lines.append(f"ends     in {span(state.expires_in_s)}, unless it is renewed: then all goes to stable")
    elif state.mode != "stable":
        lines.append(f"ended    at {moment(state.expires_at)} UTC, as nobody renewed mode {state.mode}")
    if state.set_at:
        why = f": {state.reason}" if state.reason else ""
        lines.append(f"set      at {moment(state.set_at)} UTC by {state.set_by or 'somebody'}{why}")
    return "\n".join(lines)


def _split(state: TrafficState) -> str:
    """Who reads what."""
    if not state.live:
        return "all is read by stable"
    canary = f"the canary ({state.canary_digest[:SHOWN] or 'its own default'})"
    share = f"{state.weight:g} % of the sessions"
    if state.mode == "shadow":
        return f"shadow: all is read by stable, and copies of {share} by {canary}, whose readings nobody sees"
    return f"{state.mode}: {share} are read by {canary}, the others by stable"


def seconds(told: str) -> float:
    """What `--for` means: seconds, or 90s, 15m, 6h. Raises BadInput for what is no time ahead."""
    found = SPAN.fullmatch(told if told[-1:] in UNITS else f"{told}s")
    if found is None or not float(found[1]):
        raise BadInput(f"--for {told!r}", "say for how long it holds unless it is renewed: 60, 90s, 15m or 6h")
    return float(found[1]) * UNITS[found[2]]


def bundle(name: str, registry: Registry) -> str:
    """The digest of the bundle called that, or that begins so. Raises NotFound.

    A whole digest is taken also where this machine does not have the bundle: the platform may.
    """
    try:
        return registry.find(name).digest
    except NotFound:
        if not DIGEST.fullmatch(name):
            raise
    print(f"lipsol: no bundle {name[:SHOWN]} on this machine; the canary must have it", file=sys.stderr)
    return name
