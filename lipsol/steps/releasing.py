"""What a passed gate sets off: the bundle is registered as a candidate, and promoted as far as one is allowed to."""

import hashlib
from pathlib import Path

from lipsol.runtime.promoting import EVALUATION, VERDICT
from lipsol.runtime.promoting import promote as promoted
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.wiring import open_bus, open_registry
from lipsol.steps.judging import REPORT
from lipsol.steps.saying import say
from lipsol.steps.tracked import going_on


def register(bundle: str, evaluation: str, report: str, verdict: str) -> str:
    """Take the bundle into the registry with what was found out about it; returns its digest. A repeat is harmless."""
    registry = open_registry(load(Settings))
    digest = hashlib.sha256(Path(bundle).read_bytes()).hexdigest()
    if digest in {each.digest for each in registry.history()}:
        say(f"{digest[:12]} was promoted before, and what is told of it stays")
        return digest
    found = {EVALUATION: Path(evaluation), REPORT: Path(report), VERDICT: Path(verdict)}
    info = registry.register(Path(bundle), found)
    say(f"{info.name} {info.version} is registered as {info.digest[:12]}")
    return info.digest


def promote(digest: str, champion: str, run: str, automation: str, key: str) -> str:
    """Promote a registered candidate that the gate passed, as far as `automation` lets us; says what came of it.

    champion: digest of what the gate compared with, "" for nothing; key: PEM file that signs the record, or "".
    """
    settings = load(Settings)
    registry, bus = open_registry(settings), open_bus(settings)
    try:
        said = promoted(registry, bus, digest, champion=champion, run=run, automation=automation, key=key)
    finally:
        bus.close()
    with going_on(run, {f"promotion_{registry.find(digest).kind}": said}):
        say(said)
    return said
