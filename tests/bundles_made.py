"""Bundle files that a registry takes for models, and promotions of them; nothing can be read with these."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from lipsol.promotion import Promotion


def bundle(folder: Path, file: str, **card: object) -> str:
    """Make a bundle in a folder; returns its digest."""
    whole = {
        "name": "grid-sentences", "version": "1", "kind": "sentences", "language": "en", "grammar": "grid",
        "created": "2026-11-21T08:00:00Z", "scores": {"wer": 0.02}, "licence": "Apache-2.0", "attribution": "GRID",
    } | card  # fmt: skip
    with zipfile.ZipFile(folder / f"{file}.lipsol", "w") as out:
        out.writestr("card.json", json.dumps(whole))
        out.writestr("model.onnx", b"net of " + file.encode())
    return hashlib.sha256((folder / f"{file}.lipsol").read_bytes()).hexdigest()


def promotion_of(digest: str, replaces: str = "", **other: Any) -> Promotion:
    """A promotion of such a bundle that passed its gate."""
    told = {
        "model": "grid-sentences", "version": "1", "language": "en", "kind": "sentences", "action": "promote",
        "data_version": "da7a" * 16, "evaluation_digest": "e7a1" * 16, "verdict": {"passed": True},
        "scores": {"seen wer": 0.02}, "by": "test", "why": "", "against_the_gate": "", "run": "", "at": 1e9,
    } | other  # fmt: skip
    return Promotion(digest=digest, replaces=replaces, **told)
