"""What clips are like when all is well: a layout, and the sums of the clips that it was made of."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from lipsol.drift.features import Observation, Told
from lipsol.drift.layout import FEATURES, Layout, layout_of, values_of
from lipsol.drift.sketch import Block
from lipsol.errors import BadInput

FORMAT = 1
LEAST = 50  # clips of a reference
ARRAYS = ("edges", "spreads", "middle", "waves", "mmd", "mix", "weights")  # of a layout
Learned = Literal["bundle", "accepted"]


@dataclass(frozen=True, eq=False)
class Reference:
    """What a group's clips are compared with.

    layout          how clips become sums
    block           the sums of its own clips
    table           float32, shape (clips, features): its clips' own numbers, for reports; of no clips where it was
                    made of sums
    learned         "bundle": from held-out clips, when the bundle was packed; "accepted": from a site's own window
    digest_of_data  what it was made of, as whoever made it names it
    """

    layout: Layout = field(repr=False)
    block: Block = field(repr=False)
    table: Float32[np.ndarray, "clips features"] = field(repr=False)
    learned: Learned
    digest_of_data: str

    @classmethod
    def of(
        cls,
        observations: Sequence[Observation],
        told: Sequence[Told],
        *,
        digest_of_data: str,
        seed: int = 1,
        learned: Learned = "bundle",
    ) -> "Reference":
        """Learn what these clips are like; a clip without outputs and words teaches what comes in alone.

        Raises BadInput for too few.
        """
        if len(observations) < LEAST:
            raise BadInput(f"{len(observations)} clips for a reference, at least {LEAST} are needed", "give it more")
        rows = np.array([values_of(each) for each in observations])
        layout = layout_of(observations, rows, seed)
        block = Block.empty(layout)
        for observation in observations:
            block.add(observation, layout)
        for each in told:
            block.tell(each, layout)
        return cls(layout, block, rows.astype(np.float32), learned, digest_of_data)

    def accepted(self, window: Block, digest_of_data: str) -> "Reference":
        """The same layout with a site's own window in place of the clips. Raises BadInput for one of too few clips."""
        if window.clips < LEAST:
            raise BadInput(
                f"{window.clips} clips in the window, at least {LEAST} are needed", "wait until there are more"
            )
        none = np.zeros((0, len(FEATURES)), np.float32)
        return Reference(self.layout, Block.empty(self.layout) + window, none, "accepted", digest_of_data)

    @property
    def clips(self) -> int:
        """How many it was made of."""
        return self.block.clips

    def rows(self) -> Mapping[str, np.ndarray]:
        """Feature -> float32, shape (clips,): the reference clips' own numbers; NaN where not known.

        Of one that was made of sums: as many numbers as clips, each in the middle of its bin.
        """
        if len(self.table):
            return {name: self.table[:, n] for n, name in enumerate(FEATURES)}
        bins = self.block.part("bins", self.layout).astype(int)
        middles = _middles(self.layout.edges)
        rows = {name: np.repeat(middles[n], bins[n]).astype(np.float32) for n, name in enumerate(FEATURES)}
        return {name: _filled(values, self.clips) for name, values in rows.items()}

    def to_bytes(self) -> bytes:
        """Some hundred KB, no pickle; the same reference gives the same bytes."""
        head = {
            "format": FORMAT, "features": FEATURES, "words": self.layout.words, "learned": self.learned,
            "digest_of_data": self.digest_of_data,
        }  # fmt: skip
        told = np.frombuffer(json.dumps(head, sort_keys=True, ensure_ascii=False).encode(), np.uint8)
        arrays: dict[str, Any] = {name: getattr(self.layout, name) for name in ARRAYS}
        out = io.BytesIO()
        np.savez(out, head=told, table=self.table, sums=self.block.sums, **arrays)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Reference":
        """Undo `to_bytes`. Raises BadInput if the bytes are no reference of this format."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as held:
                head = json.loads(held["head"].tobytes())
                if head["format"] != FORMAT or tuple(head["features"]) != FEATURES:
                    raise ValueError(f"format {head['format']} of features {', '.join(head['features'])}")
                layout = Layout(words=tuple(head["words"]), **{name: held[name] for name in ARRAYS})
                if held["sums"].shape != (layout.size,):
                    raise ValueError(f"{held['sums'].shape} sums, its layout has {layout.size}")
                block = Block(layout.key, held["sums"])
                return cls(layout, block, held["table"], head["learned"], head["digest_of_data"])
        except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as fault:
            raise BadInput(
                f"{len(data)} bytes that are no reference ({fault})", "make it anew: `lipsol models reference`"
            ) from fault


def _middles(edges: np.ndarray) -> np.ndarray:
    """The middle of each bin; of an endless one its edge, of one between infinities NaN."""
    low = np.concatenate([np.full((len(edges), 1), -np.inf), edges], axis=1)
    high = np.concatenate([edges, np.full((len(edges), 1), np.inf)], axis=1)
    with np.errstate(invalid="ignore"):
        middle = (low + high) / 2
    middle = np.where(np.isfinite(high) & ~np.isfinite(low), high, middle)
    return np.where(np.isfinite(low) & ~np.isfinite(high), low, np.where(np.isfinite(middle), middle, np.nan))


def _filled(values: np.ndarray, clips: int) -> np.ndarray:
    """As many as there are clips, NaN behind what is known."""
    full = np.full(clips, np.nan, np.float32)
    full[: min(clips, len(values))] = values[:clips]
    return full
