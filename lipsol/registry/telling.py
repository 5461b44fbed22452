"""What an MLflow page shows of a model, so that it tells the story: description, figures, signature. Pure.

The signature is what the doors of inference take and give (docs/serving.md, Open Inference Protocol): the first axis of
every tensor counts the clips, -1 is any length. It is written as MLflow's `MLmodel` file has it, in JSON, which is YAML
as well: MLflow's own classes would need pandas, which whoever only asks for models should not.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from lipsol.promotion import Promotion
from lipsol.registry.port import ModelInfo

SHAPES: Mapping[str, tuple[str, list[int]]] = {
    "mouth": ("uint8", [-1, -1, 96, 96]),
    "lips": ("float32", [-1, -1, 40, 2]),
    "jaw": ("float32", [-1, -1, 16, 2]),
    "length": ("int64", [-1]),
}
ANSWERS: Mapping[str, tuple[str, list[int]]] = {
    "text": ("str", [-1]),
    "confidence": ("float32", [-1]),
    "abstained": ("bool", [-1]),
}
RATES = ("wer", "cer")
PLACE = {"model": "model.lipsol", "card": "card.json", "example": "input_example.npz", "mlmodel": "MLmodel"}


def mlmodel(info: ModelInfo, run_id: str, folder: str) -> str:
    """The `MLmodel` file of a bundle that lies in a folder of a run."""
    return json.dumps(
        {
            "artifact_path": folder,
            "flavors": {"lipsol": {"data": PLACE["model"], "loader": "lipsol.bundle", "digest": info.digest}},
            "metadata": {"language": info.language, "kind": info.kind, "grammar": info.grammar},
            "run_id": run_id,
            "saved_input_example_info": {"artifact_path": PLACE["example"], "type": "npz"},
            "signature": {"inputs": _tensors(SHAPES), "outputs": _tensors(ANSWERS), "params": None},
            "utc_time_created": _created(info),
        },
        indent=1,
    )


def description(info: ModelInfo, files: Mapping[str, str]) -> str:
    """What a model is, how well it reads, what it learned from and who may use it, in Markdown; files: name -> URL."""
    data = _part(info.card, "data")
    licence, thanks = info.card.get("licence", "unknown"), info.card.get("attribution", "")
    told = [
        f"**{info.name} {info.version}** reads {info.kind} in `{info.language}`"
        + (f", bound by the grammar `{info.grammar}`." if info.grammar else "."),
        _warning(info),
        _table(info),
        f"Data: {data.get('corpus') or data.get('name') or 'unknown'}, version `{str(data.get('sha256', ''))[:12]}`.",
        f"Licence: {licence}. {thanks}".strip(),
        f"Digest: `{info.digest}`. Reproduce: `lipsol train --like {info.digest[:12]}`.",
        " · ".join(f"[{name}]({url})" for name, url in sorted(files.items())),
    ]
    return "\n\n".join(part for part in told if part)


def promoted(promotion: Promotion) -> str:
    """What a promotion was, in Markdown."""
    at = datetime.fromtimestamp(promotion.at, UTC).isoformat(timespec="seconds")
    findings = promotion.verdict.get("findings", [])
    stopped = [str(each.get("rule")) for each in findings if not each.get("passed", True)]
    told = [
        f"**{promotion.action} {promotion.model}** to `{promotion.digest[:12]}` (version {promotion.version})",
        f"by {promotion.by}, {at}, in place of `{promotion.replaces[:12] or 'nothing'}`.",
        promotion.why,
        f"Against the gate: {promotion.against_the_gate}" if promotion.against_the_gate else "",
        f"Rules that it failed: {', '.join(stopped)}" if stopped else f"{len(findings)} rules passed" * bool(findings),
    ]
    return "\n\n".join(part for part in told if part)


def figures(card: Mapping[str, object]) -> dict[str, float]:
    """The card's error rates by group and way of decoding, under names that MLflow takes."""
    return {
        "/".join("".join(letter for letter in part if letter.isalnum() or letter in " _-.") for part in where): value
        for *where, value in _rates(card)
    }


def _rates(card: Mapping[str, object]) -> Iterator[tuple[Any, ...]]:
    for group, ways in _part(card, "scores").items():
        for way, found in (ways if isinstance(ways, Mapping) else {}).items():
            for rate in RATES:
                value = found.get(rate) if isinstance(found, Mapping) else None
                if isinstance(value, Mapping) and isinstance(value.get("value"), int | float):
                    yield group, way, rate, float(value["value"])


def _table(info: ModelInfo) -> str:
    cells: dict[tuple[str, str], dict[str, float]] = {}
    for group, way, rate, value in _rates(info.card):
        cells.setdefault((group, way), {})[rate] = value
    if not cells:
        return ""
    rows = [
        f"| {group} | {way} | " + " | ".join(f"{told[rate]:.4f}" if rate in told else "" for rate in RATES) + " |"
        for (group, way), told in cells.items()
    ]
    return "\n".join(["| read | decoded | WER | CER |", "|---|---|---|---|", *rows])


def _warning(info: ModelInfo) -> str:
    if not info.card.get("synthetic"):
        return ""
    return "**Synthetic: it never learned from a real speaker, and nobody real was ever read by it.**"


def _tensors(shapes: Mapping[str, tuple[str, list[int]]]) -> str:
    return json.dumps(
        [
            {"name": name, "type": "tensor", "tensor-spec": {"dtype": kind, "shape": shape}}
            for name, (kind, shape) in shapes.items()
        ]
    )


def _created(info: ModelInfo) -> str:
    try:
        at = datetime.fromisoformat(str(info.card.get("created")))
    except ValueError:
        at = datetime.fromtimestamp(0, UTC)
    return at.replace(tzinfo=None).isoformat(sep=" ")


def _part(card: Mapping[str, object], name: str) -> Mapping[str, Any]:
    part = card.get(name)
    return part if isinstance(part, Mapping) else {}
