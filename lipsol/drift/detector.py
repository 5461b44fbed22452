"""One group's clips, as they come: blocks, windows, looks."""

import base64
import json
from collections import deque

from lipsol.drift.budget import BLOCK, WINDOWS, Sensitivity
from lipsol.drift.compare import MEASURES, compare
from lipsol.drift.comparison import Comparison
from lipsol.drift.features import Observation, Told
from lipsol.drift.reference import Reference
from lipsol.drift.sketch import Block
from lipsol.drift.verdict import Verdict, judge
from lipsol.errors import BadInput

WINDOW = 8  # blocks of the window that figures are told of
Span = tuple[float, float]


class Detector:
    """Watches one group.

    `add` says whether it closed a block: then it is time to `look`. Of a clip nothing is kept but what it adds to its
    block's sums.

    reference    what the group is compared with; another one of the same layout (`Reference.accepted`) may take its
                 place at any time
    sensitivity  how sure a look must be
    clips        clips seen since it began
    """

    def __init__(self, reference: Reference, sensitivity: Sensitivity) -> None:
        self.reference = reference
        self.sensitivity = sensitivity
        self.clips = 0
        self._open = Block.empty(reference.layout)
        self._from = self._to = 0.0
        self._closed: deque[tuple[Block, Span]] = deque(maxlen=max(WINDOWS))
        self._compared: tuple[Comparison, ...] = ()

    def add(self, observation: Observation, at: float) -> bool:
        """Take a clip in; True: it closed a block. at: when it was read, Unix seconds."""
        if not self._open.clips:
            self._from = self._to = at
        self._from, self._to = min(self._from, at), max(self._to, at)
        self._open.add(observation, self.reference.layout)
        self.clips += 1
        if self._open.clips < BLOCK:
            return False
        self._closed.append((self._open, (self._from, self._to)))
        self._open = Block.empty(self.reference.layout)
        return True

    def tell(self, told: Told) -> None:
        """Take in what a person told of a clip; it counts in the block that is open now."""
        self._open.tell(told, self.reference.layout)

    @property
    def blocks(self) -> int:
        """Closed ones that are kept."""
        return len(self._closed)

    def window(self, blocks: int = WINDOW) -> Block:
        """The last closed blocks together."""
        return sum((block for block, _ in self._last(blocks)), Block.empty(self.reference.layout))

    def span(self, blocks: int = WINDOW) -> Span:
        """From when to when those blocks' clips were read, Unix seconds; (0.0, 0.0) without any."""
        spans = [span for _, span in self._last(blocks)]
        return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else (0.0, 0.0)

    def compared(self) -> tuple[Comparison, ...]:
        """Every measure of the last look, of that window in which it was the furthest over its threshold."""
        return self._compared

    def look(self, *, canary_against: tuple[Comparison, ...] = ()) -> Verdict | None:
        """Compare the last blocks with the reference; None: nothing is wrong, or there are too few of them.

        canary_against: as `judge` takes it.
        """
        alpha = self.sensitivity.alpha(MEASURES)
        strongest: dict[tuple[str, str], Comparison] = {}
        for blocks in WINDOWS:
            if blocks > len(self._closed):
                break
            for each in compare(self.window(blocks), self.reference, alpha):
                key = (each.measure, each.method)
                if key not in strongest or each.strength > strongest[key].strength:
                    strongest[key] = each
        self._compared = tuple(strongest.values())
        return judge(self._compared, canary_against=canary_against)

    def to_bytes(self) -> bytes:
        """All that it remembers, without the reference."""
        held = [self._open, *(block for block, _ in self._closed)]
        spans = [(self._from, self._to), *(span for _, span in self._closed)]
        blocks = [base64.b64encode(block.to_bytes()).decode() for block in held]
        return json.dumps({"clips": self.clips, "spans": spans, "blocks": blocks}).encode()

    @classmethod
    def from_bytes(cls, data: bytes, reference: Reference, sensitivity: Sensitivity) -> "Detector":
        """Undo `to_bytes`, with a reference of the layout that its blocks have.

        Raises BadInput if the bytes are no detector, or one of another layout.
        """
        detector = cls(reference, sensitivity)
        try:
            held = json.loads(data)
            blocks = [Block.from_bytes(base64.b64decode(each)) for each in held["blocks"]]
            spans = [(float(low), float(high)) for low, high in held["spans"]]
            detector.clips = int(held["clips"])
            detector._open, (detector._from, detector._to) = blocks[0], spans[0]
            detector._closed.extend(zip(blocks[1:], spans[1:], strict=True))
        except (KeyError, IndexError, TypeError, ValueError) as fault:
            raise BadInput(f"{len(data)} bytes that are no detector ({fault})") from fault
        if any(block.key != reference.layout.key for block in blocks):
            raise BadInput(f"blocks of another layout than {reference.layout.key}", "begin a new detector")
        return detector

    def _last(self, blocks: int) -> list[tuple[Block, Span]]:
        return list(self._closed)[-blocks:]
