"""The laws of a data set, as data: what each measures, from which value on it warns or stops, and what to do then.

A check measures and says which clips it is about (`Found`); the rules alone decide whether that is nothing, a warning
or an error (`Finding`). An error stops a training.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lipsol.errors import BadInput

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Rule:
    """One law.

    told        what its value is
    cure        what a person does about it
    each        bound on one clip, pair, word or slot, where something is measured on them
    warn, stop  the value above which it warns, and above which it stops; None: never
    source      where the bounds come from; "" where any is one too many
    """

    told: str
    cure: str
    each: float | None = None
    warn: float | None = None
    stop: float | None = None
    source: str = ""


RULES: Mapping[str, Rule] = {
    "table": Rule("faults that keep the table from being read", "write it as docs/data.md says", stop=0.0),
    "rows": Rule("share of rows that say nothing sensible", "mend the rows named", stop=0.0),
    "twice": Rule("share of clips that are listed twice", "list each once", stop=0.0),
    "file": Rule("share of clips whose file is not there", "bring the files back, or take their rows out", stop=0.0),
    "unreadable": Rule(
        "share of clips that can't be read", "record them again, or take them out", warn=0.0, stop=0.02,
        source="they are left out of training anyway; GRID has none",
    ),
    "empty": Rule("share of clips without a transcript", "write what is said, or take them out", stop=0.0),
    "letters": Rule("share of transcripts that the language's alphabet can't spell", "spell them with it", stop=0.0),
    "spelling": Rule("share of transcripts not in their language's one spelling", "write them as told", stop=0.0),
    "grammar": Rule("share of transcripts that are no sentence of the grammar", "mend them, or the grammar", stop=0.0),
    "names": Rule("share of transcripts that are not what the file's name says", "find out which is right", stop=0.0),
    "words": Rule("share of alignments that don't say what the transcript says", "find out which is right", stop=0.0),
    "unaligned": Rule(
        "share of clips without word times", "align them, or do without what is learned of times", warn=0.0, stop=0.5,
        source="corrections from the page come without; frame-wise learning needs most",
    ),
    "order": Rule("share of alignments whose words overlap or run backwards", "mend their times", stop=0.0),
    "inside": Rule("share of alignments that end after their clip", "mend their times, or find the rest", stop=0.0),
    "timing": Rule(
        "share of alignments that lie beside what the lips do", "mend their times", each=5.0, warn=0.0, stop=0.1,
        source="frames; 0.8 % of GRID's own lie farther; tests/data_faults.py finds one moved by 9",
    ),
    "copies": Rule("share of clips whose bytes another has too", "keep one of each", stop=0.0),
    "films": Rule(
        "share of clips that are another one encoded anew", "keep one of each", each=0.82, stop=0.0,
        source="likeness of movement; GRID's 518 000 pairs of takes: at most 0.79; copies of CRF 28: at least 0.89",
    ),
    "leaked clips": Rule("share of clips that are in two splits", "keep each in one", stop=0.0),
    "leaked speakers": Rule("unseen speakers who are in other splits too", "keep each speaker unseen or not", stop=0.0),
    "speaker": Rule(
        "share of clips that look like another speaker", "look whose they are", each=5.0, warn=0.0, stop=0.05,
        source="nearest mouths that all are of one other name; GRID: 1 of 1018, which begins with smeared frames",
    ),
    "person": Rule(
        "pairs of names that may be one person", "look at both; if so, give them one name and one split", each=1.5,
        warn=0.0, source="distance between names over that within; GRID: at least 2.1",
    ),
    "dark": Rule(
        "share of clips in which it is dark", "light the face from the front", each=40.0, warn=0.0, stop=0.05,
        source="mean gray of 255; twice what is refused; GRID: at least 113",
    ),
    "face": Rule(
        "share of clips in which the face is often not found", "look at them", each=0.9, warn=0.0, stop=0.05,
        source="share of frames; 1 % of GRID lies below",
    ),
    "frozen": Rule(
        "share of clips whose picture stands still", "record them again", each=10.0, warn=0.0, stop=0.02,
        source="frames one after the other that differ by under 0.1 gray; GRID: at most 4",
    ),
    "short": Rule(
        "share of clips too short for their words", "find the whole clip", each=4.0, warn=0.0, stop=0.02,
        source="frames a word; GRID: at least 12",
    ),
    "rate": Rule(
        "share of clips whose frame rate is another, or has gaps", "look at how they were recorded", each=0.1, warn=0.0,
        stop=0.1, source="off the median rate, or frames missing, as a share; GRID: 0",
    ),
    "balance": Rule(
        "slots of the grammar whose words are said unevenly in training", "record the rare ones", each=0.5, warn=0.0,
        source="Cohen's w less what chance brings; from 0.5 on large (Cohen 1988, chapter 7)",
    ),
    "unsaid": Rule(
        "share of the grammar's words that training never says", "record them, or use a smaller grammar",
        warn=0.0, stop=0.5,
    ),
    "shift": Rule(
        "measures of the picture that are not what they were in the previous version", "look at what is new", each=0.25,
        warn=0.0, source="population stability index; over 0.25 a major shift (Siddiqi 2006), if KS has p < 0.001",
    ),
    "contradicted": Rule(
        "share of clips that a model surely reads otherwise", "look which is right: transcripts may be swapped",
        each=0.95, warn=0.0, stop=0.05, source="its confidence, half of the words or more being others",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What a check measured: the rule's value, the clips it is about, and the whole of it in words."""

    rule: str
    value: float
    told: str
    clips: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a rule made of it. bound: the one that was crossed."""

    rule: str
    level: Level
    value: float
    bound: float
    told: str
    cure: str
    clips: tuple[str, ...]


class _Change(BaseModel):
    """What a file may change of a rule."""

    model_config = ConfigDict(extra="forbid")

    each: float | None = None
    warn: float | None = None
    stop: float | None = None


@dataclass(frozen=True)
class Rules:
    """All laws with their bounds."""

    held: Mapping[str, Rule]

    @classmethod
    def of(cls, spec: str | Path) -> "Rules":
        """`default`; `strict`, where each warning stops; or a JSON file {rule: {"each", "warn", "stop"}}, which changes
        what it names in the default; null there: never. Raises BadInput for a rule or bound that is none.
        """  # fmt: skip
        if str(spec) == "default":
            return cls(RULES)
        if str(spec) == "strict":
            return cls({name: replace(rule, stop=rule.stop if rule.warn is None else rule.warn)
                        for name, rule in RULES.items()})  # fmt: skip
        try:
            changes = TypeAdapter(dict[str, _Change]).validate_json(Path(spec).read_bytes())
        except (OSError, ValidationError) as fault:
            told = " ".join(str(fault).split())[:300]
            raise BadInput(
                f"{spec} holds no rules ({told})", "give default, strict, or a JSON file of bounds"
            ) from fault
        unknown = sorted(changes.keys() - RULES.keys())
        if unknown:
            raise BadInput(f"{spec} changes {', '.join(unknown)}", f"the rules are {', '.join(RULES)}")
        changed = {
            name: replace(RULES[name], **change.model_dump(exclude_unset=True)) for name, change in changes.items()
        }
        return cls({**RULES, **changed})

    def each(self, rule: str) -> float:
        """The bound on one clip, pair, word or slot of a rule that has one."""
        bound = self.held[rule].each
        if bound is None:
            raise BadInput(f"the rule {rule!r} has no bound on each", "give it a number")
        return bound

    def judged(self, found: Found) -> Finding | None:
        """A finding, if a bound is crossed."""
        rule = self.held[found.rule]
        levels: tuple[tuple[Level, float | None], ...] = (("error", rule.stop), ("warning", rule.warn))
        for level, bound in levels:
            if bound is not None and found.value > bound:
                return Finding(found.rule, level, found.value, bound, found.told, rule.cure, found.clips)
        return None


def share(rule: str, clips: Mapping[str, str], total: int) -> Found:
    """A finding about clips, each with what is wrong about it, as their share of all."""
    first = "; ".join(f"{name} {said}" for name, said in list(clips.items())[:3])
    more = f"; and {len(clips) - 3} more" if len(clips) > 3 else ""
    said = f"{len(clips)} of {total} clips: {first}{more}" if clips else "none"
    return Found(rule, len(clips) / max(total, 1), said, tuple(clips))
