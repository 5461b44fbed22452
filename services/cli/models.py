"""`lipsol models`: what can be read with, and what each model says of itself on its card."""

import json
from collections.abc import Mapping
from typing import Any

from lipsol.registry.port import ModelInfo, Registry
from lipsol.runtime.settings import Settings
from lipsol.runtime.wiring import open_registry
from services.cli.environment import quiet
from services.cli.report import columns

DRAWN = "  learnt from drawn mouths alone, and the scores are of such: it is never sure of anybody real"
DIGEST_SHOWN = 12  # hexadecimal digits that tell bundles apart in a table


def run(name: str, *, as_json: bool, registry: Registry | None = None) -> int:
    """Print the table of models, or the card of one. Raises NotFound naming those that are here."""
    registry = registry or open_registry(quiet(Settings))
    if name:
        info = registry.find(name)
        print(json.dumps(described(info, registry) | {"card": info.card}, ensure_ascii=False, indent=2))
        return 0
    rows = [described(info, registry) for info in registry.models()]
    print(json.dumps(rows, ensure_ascii=False, indent=2) if as_json else table(rows))
    return 0


def described(info: ModelInfo, registry: Registry) -> dict[str, Any]:
    """A model's facts, as JSON values; size in bytes, scores as its card has them."""
    return {
        "name": info.name,
        "version": info.version,
        "kind": info.kind,
        "language": info.language,
        "grammar": info.grammar,
        "default": info.default,
        "digest": info.digest,
        "synthetic": info.card.get("synthetic") is True,
        "bytes": registry.path(info.digest).stat().st_size,
        "scores": info.card.get("scores", {}),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The models in columns, under each its scores; or one line that says there is none."""
    if not rows:
        return "no model is here: `make train` makes them, and LIPSOL_REGISTRY__FOLDER names the folder they are in"
    head = ("name", "version", "kind", "language", "grammar", "digest", "size")
    titles, *lines = columns(head, [_cells(row) for row in rows])
    told = (
        part
        for line, row in zip(lines, rows, strict=True)
        for part in (line, *([DRAWN] if row["synthetic"] else []), *score_lines(row["scores"]))
    )
    return "\n".join([titles, *told])


def score_lines(scores: object) -> list[str]:
    """A line for each group of clips and each way of decoding that a card's scores tell a word error rate of."""
    groups = scores.items() if isinstance(scores, Mapping) else ()
    ways = ((group, held.items()) for group, held in groups if isinstance(held, Mapping))
    return [f"  {group}, {way}: {told}" for group, held in ways for way, figures in held if (told := _figures(figures))]


def _figures(figures: object) -> str:
    """WER and the share that is wholly right, of those that are there."""
    if not isinstance(figures, Mapping):
        return ""
    told = [(name, figures.get(key)) for name, key in (("WER", "wer"), ("right", "sentence_accuracy"))]
    return ", ".join(f"{name} {100 * held['value']:.1f} %" for name, held in told if isinstance(held, Mapping))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One model's line; a star marks its language's default."""
    name = f"{row['name']} *" if row["default"] else row["name"]
    size = f"{row['bytes'] / 2**20:.1f} MiB"
    digest = row["digest"][:DIGEST_SHOWN]
    return (name, row["version"], row["kind"], row["language"], row["grammar"] or "-", digest, size)
