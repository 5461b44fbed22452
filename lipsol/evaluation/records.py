"""What an evaluation found, as one file that a gate, a registry and the next evaluation read.

`Evaluation.to_json` is the file's only form: the same evaluation gives the same bytes, and its digest is the SHA-256 of
the file. Clips stand in it one by one, so that two models can be compared clip by clip: a clip and a way of decoding
(`ClipRead.key`) stand in it once. A share, a rate or a confidence lies in [0, 1], but that error rates can pass 1; what
could not be measured is None, never a number that stands for nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from lipsol.errors import BadInput
from lipsol.validation import told

FORMAT = 1  # of the file; another one is refused
SEEN, UNSEEN = "seen", "unseen"  # groups that every evaluation has clips of, where its data does

CUT = " word "  # in the name of a word that was cut out: between the clip's name and the word's place

Found = Literal["worse", "better", "no difference shown", "too small"]


@dataclass(frozen=True)
class ClipRead:
    """One clip that training never saw, read one way.

    name          the clip's, the same in every evaluation of the same data; of a word cut out of it "CLIP word 3"
    group         SEEN: training heard the speaker in other clips; UNSEEN: it never did
    way           "grammar", "free" or "words"
    alternatives  other readings, most probable first
    confidence    calibrated probability that all of `reading` is right
    word_edits, character_edits   edits that make the reading of the truth, which has `words` and `characters`
    right_words   words of the truth that stand in the reading at their place
    facts         what the picture was like (lipsol/clips/quality.py), by name
    """

    name: str
    speaker: str
    group: str
    way: str
    truth: str
    reading: str
    alternatives: tuple[str, ...]
    confidence: float
    abstained: bool
    word_edits: int
    words: int
    right_words: int
    character_edits: int
    characters: int
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same clip in another model's evaluation."""
        return self.name, self.way

    @property
    def recording(self) -> str:
        """The clip that it is, or was cut out of: what comes from one goes wrong together, so it is drawn together."""
        return self.name.partition(CUT)[0]

    @property
    def right(self) -> bool:
        """Every word is right."""
        return self.reading == self.truth


@dataclass(frozen=True)
class Slice:
    """How clips with something in common fare against all others of their group, read the same way.

    by, name    what they have in common: "speaker" and "s2", "brightness" and "below 93"
    wer, rest   word error rate of the slice and of the others; None: they hold no word
    interval    95 % bootstrap interval of wer - rest; None where `found` is "too small"
    p           two-sided permutation test of no difference, None where `found` is "too small"
    adjusted    the same after Holm's correction over all slices of the group and way that were tested
    found       "too small": fewer clips than a test can say something of, here or among the others
    """

    by: str
    name: str
    group: str
    way: str
    clips: int
    speakers: int
    wer: float | None
    rest: float | None
    interval: tuple[float, float] | None
    p: float | None
    adjusted: float | None
    found: Found


@dataclass(frozen=True)
class Baseline:
    """What something other than this model would get on the same clips, or got on others (then `source` says whose)."""

    name: str
    group: str
    way: str
    wer: float
    note: str
    source: str = ""


@dataclass(frozen=True)
class Evaluation:
    """All that was found out about one bundle on one version of the data.

    bundle       "name", "version", "digest", "kind", "language"
    data         "name", "sha256": the dataset and its version
    summary      group -> way -> figures (lipsol/evaluation/scores.py)
    errors       group -> way -> what was wrong: by slot, word and viseme (lipsol/evaluation/mistakes.py)
    latency      milliseconds a clip on one thread, from its mouth to its words: "p50_ms" and "p95_ms" of the way that
                 is served, "free_p50_ms" and so on of each, and how many "clips"
    machine      where latency was measured: "processor", "threads", ...
    synthetic    nobody real was ever read
    unread       clips that could not be read, each with its reason: they stand in no figure
    limit        clips read of a speaker at most; 0: all
    code         version of the code that read them (lipsol/steps/versions.py), "" outside a pipeline
    """

    bundle: Mapping[str, str]
    data: Mapping[str, str]
    clips: tuple[ClipRead, ...]
    summary: Mapping[str, Mapping[str, Mapping[str, Any]]]
    latency: Mapping[str, float]
    size_bytes: int
    slices: tuple[Slice, ...]
    baselines: tuple[Baseline, ...]
    machine: Mapping[str, str]
    synthetic: bool = False
    limit: int = 0
    code: str = ""
    unread: tuple[str, ...] = ()
    errors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> bytes:
        """The file: UTF-8, a clip a line, the same bytes for the same evaluation."""
        held = asdict(self)
        clips = ",\n".join(_line(each) for each in held.pop("clips"))
        head = json.dumps(held, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
        return f'{head[:-2]},\n "clips": [\n{clips}\n]}}\n'.encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Evaluation":
        """Undo `to_json`. Raises BadInput for what is no evaluation, or one of another format."""
        try:
            held = _ADAPTER.validate_json(data)
        except ValidationError as fault:
            raise BadInput(f"this is no evaluation ({told(fault, 3)})", "give a file that `evaluate` wrote") from fault
        if held.format != FORMAT:
            raise BadInput(f"the evaluation has format {held.format}, this LipSol reads {FORMAT}", "evaluate again")
        return held

    @classmethod
    def load(cls, path: Path) -> "Evaluation":
        """Read a file. Raises BadInput naming it."""
        try:
            return cls.from_json(path.read_bytes())
        except OSError as fault:
            raise BadInput(f"{path.name} can't be read ({fault.strerror})", "give an evaluation.json") from fault
        except BadInput as fault:
            raise BadInput(f"{path.name}: {fault.detail}", fault.cure) from fault

    def digest(self) -> str:
        """SHA-256 of the file, in hexadecimal: what a signed promotion names."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def of(self, group: str, way: str) -> tuple[ClipRead, ...]:
        """The clips of a group, read one way."""
        return tuple(each for each in self.clips if each.group == group and each.way == way)


_ADAPTER = TypeAdapter(Evaluation)


def _line(clip: Mapping[str, Any]) -> str:
    return json.dumps(clip, ensure_ascii=False, sort_keys=True, allow_nan=False)
