"""What was really said in the clips that are read, where a manifest tells."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from lipsol.text.alphabet import normalise
from services.cli.sources import Spoken, read_manifest


@dataclass(frozen=True)
class Truths:
    """True texts by clip: found by the clip's place, or else by its file name where that is the manifest's only one."""

    by_place: dict[Path, Spoken] = field(default_factory=dict)
    by_name: dict[str, Spoken] = field(default_factory=dict)

    @classmethod
    def of_file(cls, file: Path | None) -> Self:
        """The truths of a manifest; none at all without one. Raises BadInput as `read_manifest` does."""
        spoken = read_manifest(file) if file is not None else []
        names = [each.path.name for each in spoken]
        return cls(
            {each.path.resolve(): each for each in spoken},
            {each.path.name: each for each in spoken if names.count(each.path.name) == 1},
        )

    def of(self, path: Path) -> Spoken | None:
        """What was said in the clip at `path`, or None if nobody told."""
        return self.by_place.get(path.resolve()) or self.by_name.get(path.name)


def same(truth: str, reading: str, language: str) -> bool:
    """Do both say the same words, however they are written?"""
    return normalise(truth, language) == normalise(reading, language)
