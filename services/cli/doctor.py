"""`lipsol doctor`: what works on this machine, what does not, and how to mend it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from lipsol.errors import LipsolError
from services.cli import FAULT
from services.cli.checks import CHECKS, Check, Diagnosis

MARKS = {"ok": "✓", "note": "·", "warning": "!", "broken": "✗"}
CURE = "set everything up anew: `make clean demo`"


def run(*, as_json: bool, checks: Sequence[tuple[str, Check]] = CHECKS) -> int:
    """Run every check and print what it found; 0 if clips can be read here, 1 if not."""
    found: list[Diagnosis] = []
    for diagnosis in diagnoses(checks):
        found.append(diagnosis)
        if not as_json:
            print(shown(diagnosis), flush=True)
    broken = [each.name for each in found if each.state == "broken"]
    if as_json:
        print(
            json.dumps({"works": not broken, "checks": [asdict(each) for each in found]}, ensure_ascii=False, indent=2)
        )
    else:
        print(f"LipSol can't read clips here: mend {', '.join(broken)}" if broken else "LipSol can read clips here")
    return FAULT if broken else 0


def diagnoses(checks: Iterable[tuple[str, Check]]) -> Iterator[Diagnosis]:
    """What each check finds; one that breaks is itself a finding, and the others still run."""
    for name, check in checks:
        try:
            yield from check()
        except Exception as fault:  # noqa: BLE001 - whatever a broken machine raises is what we want to tell
            yield fainted(name, fault)


def fainted(name: str, fault: Exception) -> Diagnosis:
    """A check that could not even be made: something that reading needs is broken."""
    if isinstance(fault, LipsolError):
        return Diagnosis(name, "broken", fault.detail, fault.cure or CURE)
    return Diagnosis(name, "broken", f"{type(fault).__name__}: {fault}", CURE)


def shown(diagnosis: Diagnosis) -> str:
    """One finding as a line, and its cure as a second one where there is something to mend."""
    line = f"{MARKS[diagnosis.state]} {diagnosis.name:<9} {diagnosis.finding}"
    return f"{line}\n  {'':<9} -> {diagnosis.cure}" if diagnosis.cure else line
