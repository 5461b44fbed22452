"""`make pipeline`: from data to a promoted model on this machine, and a worse one stopped, in a registry of its own.

Three things must come of it, or it fails: the gate lets the trained bundles pass and they are promoted; the platform
that `lipsol serve` is reads a clip with them, asked for no model; and what is learned from shuffled labels is stopped,
with nothing of the champions changed, byte for byte. Figures go to `build/pipeline.json`.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lipsol.errors import LipsolError
from lipsol.registry.port import Registry
from lipsol.runtime.settings import load
from lipsol.runtime.wiring import open_registry
from lipsol.signing import SigningKey
from pipelines.running import Ran, run
from pipelines.settings import PipelineSettings, PipelinesSettings
from services.embedded import Embedded, EmbeddedSettings

HERE = Path("build/pipeline")
FIGURES = Path("build/pipeline.json")
SAMPLE = Path("samples/s1-bgbb3a.mp4")
PLANS: Mapping[str, Mapping[str, str]] = {  # what `train` is asked for
    "brief": {"plan": "brief", "rules": "brief", "limit": "150"},
    "full": {"plan": "full", "rules": "full", "limit": "0"},
}
SPOIL = "shuffled labels"


@dataclass(frozen=True)
class Shown:
    """One thing that was to be shown, whether it was, and in which figures."""

    what: str
    held: bool
    told: str


def main(arguments: Sequence[str]) -> int:
    """Show it all; 0 if everything held."""
    parser = argparse.ArgumentParser(prog="make pipeline", description=__doc__)
    parser.add_argument("--plan", choices=PLANS, default="brief")
    parser.add_argument("--data", default="../shared/data/grid")
    told = parser.parse_args(arguments)
    began = time.monotonic()
    place = settled()
    asked = {"data": told.data, **PLANS[told.plan]}
    good = run("train", asked, place, say)
    registry = open_registry(load(PipelineSettings))
    shown = [*passed(good, registry), reads()]
    before = bytes_of(HERE / "models")
    worse = run("train", {**asked, "spoil": SPOIL}, place, say)
    shown.append(stopped(worse, before, bytes_of(HERE / "models")))
    took = time.monotonic() - began
    FIGURES.write_text(json.dumps(document(told.plan, took, good, worse, shown, registry), indent=1) + "\n")
    sys.stdout.write(table(shown, took) + "\n")
    return 0 if all(each.held for each in shown) else 1


def settled() -> PipelinesSettings:
    """The environment of every step: registry, runs, store and keys of this show alone; a pipeline that may act."""
    key, keys = HERE / "key.pem", HERE / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    if not key.exists():
        SigningKey.new().save(key)
    (keys / "key.pub.pem").write_bytes(SigningKey.load(key).public_pem())
    os.environ.update(
        {
            "LIPSOL_REGISTRY__FOLDER": str(HERE / "models"),
            "LIPSOL_REGISTRY__KEYS": str(keys),
            "LIPSOL_TRACKING__FOLDER": str(HERE / "runs"),
            "LIPSOL_STORE__FOLDER": str(HERE / "store"),
            "LIPSOL_PIPELINES__WORK": str(HERE / "work"),
            "LIPSOL_PIPELINES__KEY": str(key.resolve()),
            "LIPSOL_PIPELINES__AUTOMATION": "act",
        }
    )
    (HERE / "models").mkdir(exist_ok=True)
    return load(PipelineSettings).pipelines


def passed(done: Ran, registry: Registry) -> list[Shown]:
    """Each bundle passed its gate and is what its name means, by a signed promotion of this very run."""
    shown = []
    for kind in ("sentences", "words"):
        mine = [each for each in registry.history() if each.kind == kind and each.run == done.outputs["run"]]
        said = done.outputs[kind]
        told = f"{mine[0].model} {mine[0].version}, {mine[0].digest[:12]}" if mine else "never promoted"
        shown.append(Shown(f"{kind}: gate says {said}, promoted", said == "pass" and bool(mine), told))
    return shown


def reads() -> Shown:
    """The platform reads a clip with the promoted bundle, unasked."""
    with Embedded(load(EmbeddedSettings)) as platform:
        result = platform.read(SAMPLE.read_bytes())
        champion = platform.registry.default("en")
    held = result.model is not None and result.model.digest == champion.digest
    return Shown("the platform reads with it", held, f"{SAMPLE.name}: {result.text!r} by {champion.digest[:12]}")


def stopped(done: Ran, before: Mapping[str, str], after: Mapping[str, str]) -> Shown:
    """The worse bundles were stopped, and the registry is as it was."""
    said = {kind: done.outputs[kind] for kind in ("sentences", "words")}
    changed = sorted(set(before.items()) ^ set(after.items()))
    told = f"gate says {said['sentences']} and {said['words']}; {len(changed)} of {len(before)} files changed"
    return Shown(f"learned from {SPOIL}: stopped", set(said.values()) == {"stop"} and not changed, told)


def bytes_of(folder: Path) -> dict[str, str]:
    """Every file in a folder with its SHA-256."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def document(
    plan: str, took: float, good: Ran, worse: Ran, shown: Sequence[Shown], registry: Registry
) -> dict[str, Any]:
    """What build/pipeline.json holds."""
    promotions = [json.loads(each.to_json()) for each in registry.history()]
    return {
        "plan": plan,
        "seconds": round(took, 1),
        "shown": [asdict(each) for each in shown],
        "steps": {name: [asdict(step) for step in done.steps] for name, done in (("good", good), ("worse", worse))},
        "scores": {each["model"]: each["scores"] for each in reversed(promotions)},
    }


def table(shown: Sequence[Shown], took: float) -> str:
    """For eyes."""
    width = max(len(each.what) for each in shown)
    lines = [f"{'✓' if each.held else '✗'} {each.what:<{width}}  {each.told}" for each in shown]
    return "\n".join([*lines, f"took {took:.0f} s; figures in {FIGURES}, runs and reports in {HERE}/runs"])


def say(line: str) -> None:
    """Progress."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LipsolError as fault:
        say(f"lipsol: {fault.detail}; {fault.cure}")
        sys.exit(1)
