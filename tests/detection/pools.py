"""What flows: real clips as the monitor would be told of them, clean and under each of ten shifts, to be drawn from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lipsol.drift.features import Observation, Told
from lipsol.drift.verdict import Kind
from lipsol.events import FeedbackGiven, PredictionMade
from services.monitor.observing import judged, observation
from tests.detection.reading import AS_SHIPPED, Read, Way, read_all
from tests.detection.watching import CLEAN, held_out, watch_all

NOISE = 1.3  # of the worse network: its word error rate is several times that of the shipped one
CLIPS = 100  # of a distorted pool
LETTERS = 8  # of the alphabet's 25, drawn by the seed, that alone are said where other words are
LETTER = 3  # place of the letter among a GRID sentence's words
Report = Callable[[str], None]


@dataclass(frozen=True)
class Seen:
    """One clip as the detector takes it, and what a user who tells would tell of it."""

    observed: Observation
    told: Told | None
    speaker: str
    letter: str


@dataclass(frozen=True)
class Shift:
    """One thing that goes wrong.

    kind   what it has to be named
    pools  clips by what they share: a seed's stream is drawn from one of them, by turns (two faults, four speakers)
    mix    drawn so that few letters are said
    """

    name: str
    kind: Kind
    pools: tuple[tuple[Seen, ...], ...]
    mix: bool = False

    def weights(self, pool: Sequence[Seen], chance: np.random.Generator) -> np.ndarray:
        """How probable each clip of a pool is to be drawn."""
        if not self.mix:
            return np.full(len(pool), 1 / len(pool))
        said = np.array([seen.letter for seen in pool])
        kept = np.isin(said, chance.choice(np.unique(said), LETTERS, replace=False))
        return np.asarray(kept / kept.sum())


@dataclass(frozen=True)
class Pools:
    """validation: s1's, of which the reference is made; clean: s1's test clips, of which quiet traffic is drawn."""

    validation: tuple[Seen, ...]
    clean: tuple[Seen, ...]
    shifts: tuple[Shift, ...]


PICTURES: Mapping[str, str] = {  # the shift's name -> the distortion of its pictures; all are the camera's
    "brightness -30 %": "darker",
    "Gaussian blur": "blurred",
    "mouth at half size": "halved",
    "10 % of frames dropped": "gappy",
    "15 frames a second": "slow",
    "head turned": "turned",
}


def pools(report: Report) -> Pools:
    """All of them, from what is kept where it is."""
    validation, test, others = held_out()
    mouths = watch_all(test, CLEAN, report)
    clean = seen(read_all(mouths, AS_SHIPPED, report))
    strangers = seen(read_all(watch_all(others, CLEAN, report), AS_SHIPPED, report))
    speakers = sorted({each.speaker for each in strangers})

    def made(distortion: str) -> tuple[Seen, ...]:
        return seen(read_all(watch_all(test[:CLIPS], distortion, report), AS_SHIPPED, report))

    def faulty(way: Way) -> tuple[Seen, ...]:
        return seen(read_all(mouths[:CLIPS], way, report))

    shifts = (
        *(Shift(name, "camera", (made(distortion),)) for name, distortion in PICTURES.items()),
        Shift("a new speaker", "speaker", tuple(tuple(e for e in strangers if e.speaker == who) for who in speakers)),
        Shift("other words (8 of 25 letters)", "mix", (clean,), mix=True),
        Shift("broken preprocessing", "software", (faulty(Way("mirrored")), faulty(Way("shifted")))),
        Shift("a worse model", "model", (faulty(Way(noise=NOISE)),)),
    )
    return Pools(seen(read_all(watch_all(validation, CLEAN, report), AS_SHIPPED, report)), clean, shifts)


def seen(reads: Sequence[Read]) -> tuple[Seen, ...]:
    """Clips by the monitor's own conversion."""
    return tuple(Seen(observation(read.made), _told(read), read.speaker, read.truth.split()[LETTER]) for read in reads)


def _told(read: Read) -> Told | None:
    """What comes of it when a user gives the right words."""
    said = judged(given(read.made, read.truth))
    return None if said is None else said.told()


def given(made: PredictionMade, truth: str) -> FeedbackGiven:
    """A user's correction, as the edge publishes it."""
    bare = FeedbackGiven(made.clip_id, f"told-{made.clip_id}", truth, None, made.text, made.model.digest, made.made_at)
    return replace(
        bare, track=made.track, model=made.model.name, language=made.language, confidence=made.confidence,
        abstained=made.abstained, read_at=made.made_at,
    )  # fmt: skip
