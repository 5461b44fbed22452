"""Promotions: who or what let a model read, on which evidence; and what a name means by its history of them.

Laws: a promotion is never changed, and a history only grows. One that moves a name to a bundle whose gate did not
pass says against what, in words. A demotion is a promotion of the bundle before, and needs no gate: going back must
always be possible. A signature stands under every field, so whoever trusts the key trusts the whole story.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from lipsol.errors import BadInput, ModelError
from lipsol.signing import Keys, Signature, SigningKey
from lipsol.validation import told

PURPOSE = "promotion"  # what a signature here is for: one under a bundle is none under its promotion
FORMAT = 1
MAX_BYTES = 1 << 20  # of one record; a verdict has some KiB
SIGN = "sign it (`lipsol models promote --key FILE`)"


@dataclass(frozen=True)
class Promotion:
    """One move of a name to a bundle.

    model, version, digest, language, kind  the bundle that the name means from now on, as its card has them
    action            "promote": forward, past the gate; "demote": back to a bundle that was there before
    replaces          digest of the bundle that the name meant until now, and that the gate compared with; "": none
    data_version      the data that the gate's evaluation read (`Dataset.version`, sha256 hex); "" in a demotion
    evaluation_digest sha256 of the evaluation's file, hex; "" where there was none
    verdict           the gate's verdict, as `Verdict.to_json` has it; empty where there was none
    scores            what the gate saw, by name, for those who only look on
    by                who or what did it: a person's name, or the pipeline's
    why               in that one's words; "": the verdict says it
    against_the_gate  why a bundle that did not pass is promoted all the same; "": it passed
    run               the tracked run that made the bundle; "": none
    at                Unix seconds
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    model: str
    version: str
    digest: str
    language: str
    kind: Literal["words", "sentences"]
    action: Literal["promote", "demote"]
    replaces: str
    data_version: str
    evaluation_digest: str
    verdict: Mapping[str, Any]
    scores: Mapping[str, float]
    by: str
    why: str
    against_the_gate: str
    run: str
    at: float
    signature: Signature | None = None

    def __post_init__(self) -> None:
        """Raise BadInput for a promotion that nobody stands for, or that passes the gate by in silence."""
        if not (self.model and self.digest and self.by):
            raise BadInput("a promotion without model, digest or author", "say which bundle, and who promotes it")
        passed = self.verdict.get("passed") is True
        if self.action == "promote" and not passed and not self.against_the_gate:
            raise BadInput(
                f"{self.model} {self.digest[:12]} has no verdict that passes",
                "let the gate judge it, or say why it is promoted against the gate",
            )

    def statement(self) -> bytes:
        """What a signature of this promotion is under: every other field, as JSON in one canonical form."""
        told = {name: value for name, value in _fields(self).items() if name != "signature"}
        form = {"format": FORMAT} | told
        return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()

    def signed(self, key: SigningKey) -> "Promotion":
        """The same with this key's signature in place of any other."""
        return replace(self, signature=key.sign(PURPOSE, self.statement()))

    def verify(self, keys: Keys) -> None:
        """Raise ModelError, naming model and cure, unless one of these keys signed this very record."""
        what = f"the promotion of {self.model} to {self.digest[:12]}"
        if self.signature is None:
            raise ModelError(f"{what} is unsigned, and {keys.source} says whose signature it must have", SIGN)
        keys.verify(PURPOSE, self.statement(), self.signature, what)

    def to_json(self) -> bytes:
        """As it is kept: a JSON object of all fields and the signature."""
        signature = None if self.signature is None else json.loads(self.signature.to_json())
        form = {"format": FORMAT} | _fields(self) | {"signature": signature}
        return json.dumps(form, indent=1, ensure_ascii=False, allow_nan=False).encode()

    @classmethod
    def from_json(cls, data: bytes, what: str) -> "Promotion":
        """Undo `to_json`. Raises ModelError, naming `what` was read, if that is no promotion that we can read."""
        try:
            held = json.loads(data) if len(data) <= MAX_BYTES else None
            if not isinstance(held, dict) or held.pop("format", None) != FORMAT:
                raise ValueError(f"no JSON object of format {FORMAT} within {MAX_BYTES} bytes")
            signature = held.pop("signature", None)
            signed = None if signature is None else Signature.from_json(json.dumps(signature).encode(), what)
            return replace(_FORM.validate_json(json.dumps(held)), signature=signed)
        except (ValueError, RecursionError, BadInput) as fault:
            raise ModelError(f"{what} is no promotion ({_why(fault)})", "fetch it again from who made it") from fault


def of_name(history: Iterable[Promotion], name: str) -> list[Promotion]:
    """Those of one model, in the same order; all for ""."""
    return [each for each in history if name in ("", each.model)]


def before(history: Sequence[Promotion], name: str) -> str:
    """Digest of the bundle that a demotion of that model goes back to; "" if there is none. history: newest first.

    Promotions are a stack: a demotion takes off what lay on the bundle it went back to, so that a second one goes
    further back, and never forward to what was just demoted.
    """
    stack: list[str] = []
    for each in reversed(of_name(history, name)):
        if not stack and each.replaces:
            stack.append(each.replaces)
        if each.action == "demote" and each.digest in stack:
            del stack[len(stack) - 1 - stack[::-1].index(each.digest) + 1 :]
        elif each.digest not in stack[-1:]:
            stack.append(each.digest)
    return stack[-2] if len(stack) > 1 else ""


def _fields(promotion: Promotion) -> dict[str, Any]:
    """Every field, whole numbers as the floats that they are read back as: a signature is under the bytes."""
    held = {each.name: getattr(promotion, each.name) for each in fields(promotion)}
    scores = {name: float(value) for name, value in promotion.scores.items()}
    return held | {"at": float(promotion.at), "scores": scores}


def _why(fault: Exception) -> str:
    if isinstance(fault, ValidationError):
        return told(fault, whole="record")
    return str(fault) or type(fault).__name__


_FORM = TypeAdapter(Promotion)
