"""Promotions carried out: evidence checked, the record signed and kept, and everybody told.

Laws. Nothing is promoted on evidence of something else: the registered verdict must be of this very bundle, of the
registered evaluation, and against what the name means now. A person may promote against the gate, in words that stay in
the record; a pipeline can't. A demotion needs no evidence, and goes back only to what the name has meant before. The
registry is changed first and `ModelPromoted` published after; who repeats a promotion that is in force publishes again
and changes nothing, so a crash in between costs nothing.
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from lipsol.archive import Archive
from lipsol.bus.port import Bus
from lipsol.errors import BadInput, NotFound
from lipsol.events import ModelName, ModelPromoted
from lipsol.promotion import Promotion, before
from lipsol.registry.port import ModelInfo, Registry
from lipsol.runtime.envelope import wrap
from lipsol.signing import SigningKey

EVALUATION, VERDICT, PROPOSAL = "evaluation.json", "verdict.json", "proposal.json"  # as they are registered
SOURCE = "promoting"  # who publishes, in envelopes
SHOWN = 12  # digits of a digest in a message
JUDGE = "let the gate judge the candidate anew"
AGAINST = "let the gate judge it, or promote it --against-the-gate, and say why"

Degree = Literal["report", "suggest", "act"]
Now = Callable[[], float]


@dataclass(frozen=True)
class Proposal:
    """A candidate that passed its gate and waits for a person. stale: why it can't be promoted as it is; "": it can."""

    model: str
    version: str
    digest: str
    replaces: str
    by: str
    why: str
    run: str
    at: float
    stale: str = ""


def promote(
    registry: Registry,
    bus: Bus,
    digest: str,
    *,
    automation: str = "act",
    champion: str | None = None,
    by: str = "pipeline",
    why: str = "",
    against_the_gate: str = "",
    run: str = "",
    key: SigningKey | str = "",
    now: Now = time.time,
) -> str:
    """Promote a registered bundle as far as `automation` lets us; says in a line what came of it.

    automation  "report": only the evidence is checked; "suggest": the candidate is proposed; "act": it is promoted
    champion    digest of what the caller believes to replace, "" for nothing; None: whatever the name means
    by, why, run, against_the_gate  as in `Promotion`
    key         signs the record: a key, or the PEM file of one without a passphrase; "": it stays unsigned

    Raises BadInput for evidence that is missing, stops it, or is of something else; ModelError for a bundle or record
    that the registry's keys don't trust; NotFound for a bundle that is not here.
    """
    if automation not in get_args(Degree):
        raise BadInput(f"automation {automation!r}", f"take one of {', '.join(get_args(Degree))}")
    info, at = registry.find(digest), now()
    if in_force := next((each for each in registry.history(info.name)[:1] if each.digest == info.digest), None):
        if automation == "act":
            bus.publish_all([wrap(_event(in_force), SOURCE, at)])
        return f"promoted already: {info.name} means {info.digest[:SHOWN]}"
    held = registry.champion(info.name)
    replaces = "" if held is None else held.digest
    if champion not in (None, replaces):
        raise BadInput(f"{info.name} means {_short(replaces)} by now, and not {_short(champion or '')}", JUDGE)
    evidence = _evidence(registry, info, replaces, gate=not against_the_gate)
    promotion = Promotion(
        model=info.name, version=info.version, digest=info.digest, language=info.language, kind=info.kind,
        action="promote", replaces=replaces, by=by, why=why, against_the_gate=against_the_gate, run=run, at=at,
        **asdict(evidence),
    )  # fmt: skip
    what = f"{info.name} {info.version}, {info.digest[:SHOWN]}, in the place of {_short(replaces)}"
    if automation == "report":
        return f"not promoted, only reported: {what}"
    if automation == "suggest":
        _propose(registry, promotion)
        return f"proposed: {what}; `lipsol models promote {info.digest[:SHOWN]}` takes it up"
    _carry_out(registry, bus, promotion, key)
    return f"promoted: {what}"


def demote(
    registry: Registry,
    bus: Bus,
    name: str,
    *,
    to: str = "",
    by: str,
    why: str = "",
    key: SigningKey | str = "",
    now: Now = time.time,
) -> str:
    """Let a name mean what it meant before, or the earlier bundle `to`; says in a line what came of it.

    Raises NotFound if there is none, BadInput for a bundle that the name never meant: that one must pass the gate.
    """
    champion, history = registry.champion(name), registry.history(name)
    if champion is None or not history:
        raise NotFound(f"{name} was never promoted", "there is nothing to go back to; `lipsol models history` tells")
    digest = registry.find(to).digest if to else before(history, name)
    if not digest:
        raise NotFound(f"{name} meant nothing before {champion.digest[:SHOWN]}", "name an earlier bundle with --to")
    if digest not in {each for record in history for each in (record.digest, record.replaces)}:
        raise BadInput(f"{name} never meant {digest[:SHOWN]}", "promote it: only what has read before needs no gate")
    info = registry.find(digest)
    promotion = Promotion(
        model=name, version=info.version, digest=digest, language=info.language, kind=info.kind, action="demote",
        replaces=champion.digest, by=by, why=why, against_the_gate="", run="", at=now(), **asdict(Evidence()),
    )  # fmt: skip
    _carry_out(registry, bus, promotion, key)
    return f"demoted: {name} means {info.version}, {_short(digest)}, again, in the place of {_short(champion.digest)}"


def proposals(registry: Registry, name: str = "") -> list[Proposal]:
    """What waits for a person's yes, newest first."""
    found = []
    for info in registry.candidates():
        if name in ("", info.name) and (held := _read(registry, info.digest, PROPOSAL)):
            champion = registry.champion(info.name)
            now = "" if champion is None else champion.digest
            stale = "" if held.get("replaces") == now else f"{info.name} means {_short(now)} by now: {JUDGE}"
            told = {name: str(held.get(name, "")) for name in ("replaces", "by", "why", "run")}
            at = float(held.get("at", 0.0))
            found.append(Proposal(info.name, info.version, info.digest, **told, at=at, stale=stale))
    return sorted(found, key=lambda each: each.at, reverse=True)


@dataclass(frozen=True)
class Evidence:
    """What a promotion stands on: as `Promotion` has it."""

    data_version: str = ""
    evaluation_digest: str = ""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)


def _evidence(registry: Registry, info: ModelInfo, replaces: str, *, gate: bool) -> Evidence:
    """What was registered with a bundle. gate: raise BadInput unless it lets the bundle pass, here and now."""
    verdict = _read(registry, info.digest, VERDICT)
    if not verdict:
        if gate:
            raise BadInput(f"{info.name} {_short(info.digest)} was never judged", AGAINST)
        return Evidence()
    candidate, compared = verdict.get("candidate", {}), verdict.get("champion", {}).get("digest", "")
    evaluation = _digest(registry, info.digest, EVALUATION)
    if (candidate.get("digest"), candidate.get("evaluation")) != (info.digest, evaluation):
        raise BadInput(f"the verdict with {info.name} {_short(info.digest)} is of another bundle or evaluation", JUDGE)
    if gate and verdict.get("passed") is not True:
        stopped = [each["rule"] for each in verdict.get("findings", []) if not each["passed"]]
        raise BadInput(f"{info.name} {_short(info.digest)} was stopped by {'; '.join(stopped)}", AGAINST)
    if gate and compared != replaces:
        raise BadInput(f"the gate compared with {_short(compared)}, {info.name} means {_short(replaces)} by now", JUDGE)
    return Evidence(verdict.get("data", {}).get("sha256", ""), evaluation, verdict, verdict.get("scores", {}))


def _propose(registry: Registry, promotion: Promotion) -> None:
    """Leave word with the candidate."""
    told = {name: getattr(promotion, name) for name in ("replaces", "by", "why", "run", "at")}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / PROPOSAL
        file.write_text(json.dumps(told, ensure_ascii=False, indent=1))
        registry.register(registry.path(promotion.digest), {PROPOSAL: file})


def _carry_out(registry: Registry, bus: Bus, promotion: Promotion, key: SigningKey | str) -> None:
    """Sign, keep, tell."""
    if registry.keys is not None:  # or every service would refuse what it is told to read with
        Archive.read(registry.path(promotion.digest)).verify(registry.keys)
    signer = SigningKey.load(Path(key)) if isinstance(key, str) and key else key
    registry.promote(promotion.signed(signer) if isinstance(signer, SigningKey) else promotion)
    bus.publish_all([wrap(_event(promotion), SOURCE, promotion.at)])


def _event(promotion: Promotion) -> ModelPromoted:
    model = ModelName(promotion.model, promotion.version, promotion.digest)
    return ModelPromoted(
        model, promotion.language, promotion.replaces, dict(promotion.scores), promotion.run, promotion.at
    )


def _read(registry: Registry, digest: str, name: str) -> dict[str, Any]:
    """A JSON object that was registered with a bundle; empty if there is none. Raises BadInput for what is none."""
    try:
        held = json.loads(registry.file(digest, name).read_bytes())
    except NotFound:
        return {}
    except ValueError as fault:
        raise BadInput(f"{name} of {_short(digest)} is no JSON ({fault})", "register it anew") from fault
    if not isinstance(held, dict):
        raise BadInput(f"{name} of {_short(digest)} is no JSON object", "register it anew")
    return held


def _digest(registry: Registry, digest: str, name: str) -> str:
    """Sha256 of a file that was registered with a bundle; "" if there is none."""
    try:
        return hashlib.sha256(registry.file(digest, name).read_bytes()).hexdigest()
    except NotFound:
        return ""


def _short(digest: str) -> str:
    return digest[:SHOWN] or "nothing"
