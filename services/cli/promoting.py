"""`lipsol models gate`, `promote`, `demote`, `history`, `proposals`: what a model's name means, and who decided it."""

import json
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from lipsol.errors import BadInput
from lipsol.promotion import Promotion
from lipsol.registry.port import ModelInfo, Registry
from lipsol.runtime import promoting
from lipsol.runtime.settings import Settings
from lipsol.runtime.wiring import open_bus, open_registry
from lipsol.signing import SigningKey
from services.cli import FAULT
from services.cli.environment import quiet
from services.cli.keys import Passphrase, opened
from services.cli.operator import me
from services.cli.report import columns
from services.cli.times import moment

SHOWN = 12  # digits of a digest in a table
HEAD = ("when", "model", "version", "digest", "replaces", "what", "by", "why")
WAITING = ("when", "model", "version", "digest", "replaces", "by", "why")
REPORT = "report.html"


@dataclass(frozen=True)
class Signing:
    """Who decides and why; and the key that vouches for it, None for none. by: "" is whoever sits here."""

    by: str
    why: str
    key: Path | None
    passphrase: Passphrase

    @property
    def author(self) -> str:
        """Who decides."""
        return self.by or me()

    def signer(self) -> SigningKey | str:
        """The key, opened; "" for none."""
        return opened(self.key, self.passphrase) if self.key is not None else ""


def run_gate(evaluation: Path, champion: Path | None, rules: str, out: Path | None) -> int:
    """Print what the gate says, and write it to `out`; 1 if it stops the candidate."""
    from lipsol.evaluation.records import Evaluation
    from lipsol.release import Rules, gate

    against = None if champion is None else Evaluation.load(champion)
    verdict = gate(Evaluation.load(evaluation), against, Rules.named(rules))
    print(verdict.table())
    if out is not None:
        out.write_bytes(verdict.to_json())
    return 0 if verdict.passed else FAULT


def run_promote(model: str, evidence: Path | None, against_the_gate: str, signing: Signing) -> int:
    """Promote, and say what came of it. Raises BadInput and ModelError as `lipsol.runtime.promoting.promote` does."""
    settings = quiet(Settings)
    registry, key = open_registry(settings), signing.signer()
    info = _meant(model, evidence, registry)
    with closing(open_bus(settings)) as bus:
        told = promoting.promote(
            registry, bus, info.digest, by=signing.author, why=signing.why, against_the_gate=against_the_gate,
            run=_proposed(info, registry), key=key,
        )  # fmt: skip
    print(told)
    return 0


def run_demote(name: str, to: str, signing: Signing) -> int:
    """Go back, and say to what. Raises NotFound where there is nothing to go back to."""
    settings = quiet(Settings)
    registry, key = open_registry(settings), signing.signer()
    with closing(open_bus(settings)) as bus:
        print(promoting.demote(registry, bus, name, to=to, by=signing.author, why=signing.why, key=key))
    return 0


def run_history(name: str, *, as_json: bool) -> int:
    """Print the promotions that count, newest first."""
    told = open_registry(quiet(Settings)).history(name)
    if as_json:
        print(json.dumps([json.loads(each.to_json()) for each in told], ensure_ascii=False, indent=2))
        return 0
    nothing = f"no promotion of {name or 'any model'} yet: the newest release reads"
    print("\n".join(columns(HEAD, [_row(each) for each in told])) if told else nothing)
    return 0


def run_proposals(*, as_json: bool) -> int:
    """Print what waits for a person's yes, newest first."""
    told = promoting.proposals(open_registry(quiet(Settings)))
    if as_json:
        print(json.dumps([asdict(each) for each in told], ensure_ascii=False, indent=2))
        return 0
    rows: list[tuple[str, ...]] = [
        (moment(each.at), each.model, each.version, each.digest[:SHOWN], each.replaces[:SHOWN] or "-", each.by,
         f"stale: {each.stale}" if each.stale else each.why)
        for each in told
    ]  # fmt: skip
    print("\n".join(columns(WAITING, rows)) if rows else "nothing is proposed")
    return 0


def _meant(model: str, evidence: Path | None, registry: Registry) -> ModelInfo:
    """The bundle that a person means by a name, a digest or a file."""
    file = Path(model)
    if file.is_file():
        names = (promoting.EVALUATION, promoting.VERDICT, REPORT)
        files = {} if evidence is None else {name: evidence / name for name in names if (evidence / name).is_file()}
        return registry.register(file, files)
    if evidence is not None:
        raise BadInput(f"--evidence for {model!r}, which is no file", "name the bundle's file that it is of")
    waiting = promoting.proposals(registry, model)
    if any(info.name == model for info in (*registry.models(), *registry.candidates())):
        if not waiting:
            raise BadInput(f"nothing is proposed for {model}", "name the candidate's digest or its file")
        return registry.find(waiting[0].digest)
    return registry.find(model)


def _proposed(info: ModelInfo, registry: Registry) -> str:
    """The tracked run of a candidate's proposal; "" for none."""
    return next((each.run for each in promoting.proposals(registry, info.name) if each.digest == info.digest), "")


def _row(each: Promotion) -> tuple[str, ...]:
    if each.against_the_gate:
        what, why = "against the gate", "; ".join(filter(None, (each.against_the_gate, each.why)))
    else:
        what = "back" if each.action == "demote" else f"passed {each.verdict.get('rules', 'the gate')}"
        why = each.why or "-"
    digests = each.digest[:SHOWN], each.replaces[:SHOWN] or "-"
    return (moment(each.at), each.model, each.version, *digests, what, each.by, why)
