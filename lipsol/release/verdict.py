"""What the gate says: every rule with its value, its bound and its evidence."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from lipsol.errors import BadInput
from lipsol.validation import told

FORMAT = 1  # of a verdict's file

Sense = Literal["at most", "at least", "is"]


@dataclass(frozen=True)
class Finding:
    """What one rule found. value: None where it could not be measured, which is no pass."""

    rule: str
    passed: bool
    value: float | str | None
    sense: Sense
    bound: float | str
    evidence: str


@dataclass(frozen=True)
class Verdict:
    """What the gate says, and of what.

    rules               name of the rules
    candidate, champion "name", "version", "digest", and "evaluation": digest of what was read; no champion: empty
    data                "name", "sha256" of the data set that both were read on
    scores              what the gate saw of the candidate, by place and figure
    """

    passed: bool
    rules: str
    candidate: Mapping[str, str]
    champion: Mapping[str, str]
    data: Mapping[str, str]
    scores: Mapping[str, float]
    findings: tuple[Finding, ...]
    format: int = FORMAT

    def to_json(self) -> bytes:
        """The file: the same verdict gives the same bytes."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> "Verdict":
        """Undo `to_json`. Raises BadInput for what is no verdict."""
        try:
            held = _VERDICT.validate_json(data)
        except ValidationError as fault:
            raise BadInput(f"this is no verdict ({told(fault, 3)})", "give a file that the gate wrote") from fault
        if held.format != FORMAT:
            raise BadInput(f"the verdict has format {held.format}, this LipSol reads {FORMAT}", "judge again")
        return held

    def reasons(self) -> tuple[Finding, ...]:
        """The rules that stopped it."""
        return tuple(each for each in self.findings if not each.passed)

    def table(self) -> str:
        """Every rule on a line, for people; those that stopped it first."""
        told = "passes" if self.passed else f"is stopped by {len(self.reasons())} of {len(self.findings)} rules"
        head = f"{self.candidate['name']} {self.candidate['digest'][:12]} {told} ({self.rules})"
        ordered = sorted(self.findings, key=lambda each: each.passed)
        width = max(len(each.rule) for each in self.findings)
        return "\n".join([head, *(f"{_line(each, width)}" for each in ordered)])


def _line(finding: Finding, width: int) -> str:
    mark, value = "✓" if finding.passed else "✗", "-" if finding.value is None else finding.value
    return f"{mark} {finding.rule:<{width}}  {value} ({finding.sense} {finding.bound}); {finding.evidence}"


_VERDICT = TypeAdapter(Verdict)
