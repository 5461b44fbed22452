"""Clips as sums: what a window needs of them to be compared, and nothing by which one of them could be known again."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from lipsol.drift.features import Observation, Told
from lipsol.drift.layout import FEATURES, SURE, Layout, values_of
from lipsol.errors import BadInput

if TYPE_CHECKING:
    from lipsol.drift.reference import Reference

KEY_BYTES = 16
MAX_BYTES = 1 << 20  # unpacked
FEATURE = np.arange(len(FEATURES))


@dataclass(frozen=True, eq=False)
class Block:
    """Some clips' counts and sums, laid out as a reference asks; two of the same layout add up.

    key   of the layout (`Layout.key`)
    sums  float64, shape (layout.size,)
    """

    key: str
    sums: Float[np.ndarray, "size"]

    @classmethod
    def of(cls, observations: Iterable[Observation], told: Iterable[Told], reference: "Reference") -> "Block":
        """The sums of these clips and of what was told."""
        layout = reference.layout
        block = cls.empty(layout)
        for observation in observations:
            block.add(observation, layout)
        for each in told:
            block.tell(each, layout)
        return block

    @classmethod
    def empty(cls, layout: Layout) -> "Block":
        """A block of no clips."""
        return cls(layout.key, np.zeros(layout.size))

    def part(self, name: str, layout: Layout) -> np.ndarray:
        """One of the layout's sections: a view, of its shape."""
        where, shape = layout.sections[name]
        return self.sums[where].reshape(shape)

    def parts(self, layout: Layout) -> Mapping[str, np.ndarray]:
        """All sections by name."""
        return {name: self.part(name, layout) for name in layout.sections}

    @cached_property
    def _first(self) -> Float[np.ndarray, "3"]:
        return self.sums[:3]

    @property
    def clips(self) -> int:
        """How many it is made of."""
        return int(self._first[0])

    @property
    def abstained(self) -> int:
        """Of how many the reader was not sure."""
        return int(self._first[1])

    @property
    def told(self) -> int:
        """Of how many a person told."""
        return int(self._first[2])

    def __add__(self, other: "Block") -> "Block":
        if self.key != other.key:
            raise BadInput(f"a block laid out by {other.key} does not add to one laid out by {self.key}")
        return Block(self.key, self.sums + other.sums)

    def add(self, observation: Observation, layout: Layout) -> None:
        """Take a clip in, in place."""
        self.part("clips", layout)[...] += 1
        self.part("abstained", layout)[...] += observation.abstained
        self.part("read", layout)[...] += bool(observation.outputs)
        values = values_of(observation)
        known = np.isfinite(values)
        np.add.at(self.part("bins", layout), (FEATURE[known], layout.binned(values)[known]), 1)
        self.part("sums", layout)[known] += values[known]
        if len(observation.embedding) == len(layout.middle) > 0:
            embedding = np.array(observation.embedding)
            self.part("embedded", layout)[...] += 1
            numbers = self.part("numbers", layout)
            numbers[0] += embedding
            numbers[1] += embedding**2
            self.part("waves", layout)[...] += layout.features(embedding)
        if observation.words:
            self.part("spoke", layout)[...] += 1
            self.part("words", layout)[...] += layout.counts(observation.words)

    def tell(self, told: Told, layout: Layout) -> None:
        """Take in what a person told of a clip, in place."""
        self.part("told", layout)[...] += 1
        if told.confidence is not None:
            own = self.part("calibration", layout)[min(SURE - 1, int(told.confidence * SURE))]
            own += (1, told.confidence, told.right)
        errors = self.part("errors", layout)
        pairs = ((told.word_edits, told.words), (told.character_edits, told.characters))
        for row, (edits, length) in zip(errors, pairs, strict=True):
            row += (edits, length, edits**2, length**2, edits * length)

    def to_bytes(self) -> bytes:
        """Some KB; the same block gives the same bytes."""
        return self.key.encode() + zlib.compress(self.sums.astype("<f8").tobytes(), 6)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Block":
        """Undo `to_bytes`. Raises BadInput if the bytes are no block."""
        try:
            packed = zlib.decompressobj()
            unpacked = packed.decompress(data[KEY_BYTES:], MAX_BYTES)
            if not packed.eof:
                raise ValueError("torn, or larger than any block")
            return cls(data[:KEY_BYTES].decode("ascii"), np.frombuffer(unpacked, "<f8").astype(np.float64))
        except (zlib.error, ValueError) as fault:
            raise BadInput(
                f"{len(data)} bytes that are no block ({fault})", "send what Block.to_bytes wrote"
            ) from fault
