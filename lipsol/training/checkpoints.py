"""What a training leaves behind as it goes: checkpoints to go on from, and its curve.

A checkpoint is written in one step after each epoch and holds all that the next epoch depends on, so a training that
was killed and started again ends with the weights of one that was not. The curve is a JSON line an epoch; lines beyond
the checkpoint are cut off when a training goes on.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipsol.data.whole import write_whole

CURVE = ".curve.jsonl"  # ends the name of a member's curve


@dataclass(frozen=True)
class Keeper:
    """Keeps the checkpoint and curve of one part ("sentences" or "words") of a member in a folder."""

    folder: Path
    member: str
    part: str = "sentences"

    @property
    def file(self) -> Path:
        """The checkpoint."""
        return self.folder / f"{self.member}.{self.part}.checkpoint"

    @property
    def curve(self) -> Path:
        """The curve, which the parts of a member share."""
        return self.folder / f"{self.member}{CURVE}"

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep a checkpoint in place of the last one."""
        write(self.file, dict(state))

    def load(self) -> dict[str, Any] | None:
        """The last checkpoint, if there is one; the curve then ends where it was written."""
        if not self.file.exists():
            self._cut(0)
            return None
        import torch

        state: dict[str, Any] = torch.load(self.file, map_location="cpu", weights_only=True)
        self._cut(int(state["step"]))
        return state

    def tell(self, told: Mapping[str, float | int]) -> None:
        """Add a line to the curve."""
        with self.curve.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"part": self.part, **told}) + "\n")

    def _cut(self, step: int) -> None:
        """Leave the other parts' lines, and this one's up to `step`."""
        kept = [told for told in points(self.curve) if told["part"] != self.part or told["step"] <= step]
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.curve, "".join(json.dumps(told) + "\n" for told in kept).encode())


def points(curve: Path) -> list[dict[str, Any]]:
    """A curve's lines; a last one that is still being written is left out."""
    if not curve.exists():
        return []
    lines = curve.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]


def write(file: Path, held: object) -> None:
    """torch.save in one step: whoever is killed leaves the old file whole."""
    import torch

    part = file.with_suffix(f".{os.getpid()}")
    with part.open("wb") as out:
        torch.save(held, out)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
