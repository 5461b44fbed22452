"""What a training is told to do: how long each part trains, how fast, and how far clips may stray from what was filmed.

A plan goes by a name or as JSON, which needs to say no more than what it changes: `{"base": "brief", "near": {"rate":
0.002}, "light": {"shift_px": 1.0}}`. Needs no torch.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lipsol.errors import BadInput, NotFound


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    rate: float = 3e-3
    batch: int = 16
    warm_up: float = 0.05  # share of all steps
    decay: float = 0.02
    clip: float = 2.0
    average: float = 0.998


@dataclass(frozen=True)
class Augmentation:
    """How far a training clip may stray from what was filmed."""

    shift_px: float = 0.4  # standard deviation, of the 48-pixel picture
    scale: float = 0.01  # standard deviation
    turn_deg: float = 0.75  # standard deviation
    speed: float = 0.1
    mask_frames: int = 6  # longest stretch blanked out in time
    gray: float = 0.1  # change of gamma
    noise: float = 0.0  # of the points, mouth widths
    flip: bool = False
    trimmed: float = 0.85  # share of clips cut to their speech and a little around it
    margin: tuple[int, int] = (2, 10)  # frames around the speech that are kept


LIGHT = Augmentation()
SECOND = replace(LIGHT, shift_px=0.75, scale=0.02, turn_deg=1.5)
DRAWN = Augmentation(shift_px=1.0, scale=0.04, turn_deg=2.5, speed=0.12, gray=0.2, noise=0.003)
HEAVY = Augmentation(shift_px=2.5, scale=0.1, turn_deg=8.0, speed=0.2, mask_frames=8, gray=0.3, noise=0.004, flip=True)


@dataclass(frozen=True)
class Plan:
    """How each part trains.

    near, second, far  members, on whole sentences; left_out: the far ones that calibrate on strangers
    word               word heads; left_out_word: those of the left-out ones
    light, light_too, heavy   augmentation of near, of second and of far
    dropout            share of the features that are dropped
    whitening          0 leaves the principal components as they are, 1 makes all equally large
    folds              groups of other speakers that are left out by turns, a far member each; three at most
    check_every        epochs between two measurements of the validation WER; 0: none
    patience           measurements without a better one after which a member stops and its best is kept; 0: never
    """

    near: Schedule = Schedule(epochs=80)
    second: Schedule = Schedule(epochs=45)
    far: Schedule = Schedule(epochs=50)
    left_out: Schedule = Schedule(epochs=12)
    word: Schedule = Schedule(epochs=8, rate=1e-3, batch=64)
    left_out_word: Schedule = Schedule(epochs=2, rate=1e-3, batch=64)
    light: Augmentation = LIGHT
    light_too: Augmentation = SECOND
    heavy: Augmentation = HEAVY
    dropout: float = 0.25
    whitening: float = 0.5
    folds: int = 3
    check_every: int = 0
    patience: int = 0

    @classmethod
    def named(cls, asked: str) -> "Plan":
        """The plan of a name ("full", "brief"), of a JSON text or of a JSON file.

        Raises NotFound for another name, BadInput for JSON that is no plan.
        """
        if asked in PLANS:
            return PLANS[asked]
        text = asked if asked.lstrip().startswith("{") else _text(asked)
        try:
            told = json.loads(text)
            base = cls.named(told.pop("base", "full"))
            return TypeAdapter(cls).validate_python(_over(TypeAdapter(cls).dump_python(base), told))
        except (ValueError, ValidationError, AttributeError) as fault:
            raise BadInput(f"the plan {asked!r} makes no sense ({fault})", "docs/models.md shows one") from fault


PLANS = {
    "full": Plan(),
    "brief": Plan(
        near=Schedule(epochs=26, batch=8),
        second=Schedule(epochs=8, batch=8),
        far=Schedule(epochs=10, batch=8),
        left_out=Schedule(epochs=2, batch=8),
        word=Schedule(epochs=4, rate=1e-3, batch=16),
        left_out_word=Schedule(epochs=1, rate=1e-3, batch=16),
        folds=1,
    ),
    # for many drawn speakers (docs/data.md): what they have in common is learnt from many, not from straying far
    "drawn": Plan(
        near=Schedule(epochs=40),
        second=Schedule(epochs=24),
        far=Schedule(epochs=34),
        left_out=Schedule(epochs=3),
        word=Schedule(epochs=3, rate=1e-3, batch=64),
        left_out_word=Schedule(epochs=1, rate=1e-3, batch=64),
        light=DRAWN,
        light_too=DRAWN,
        heavy=replace(DRAWN, flip=True),
    ),
}


def _text(asked: str) -> str:
    if not Path(asked).is_file():
        raise NotFound(f"no plan {asked!r}", f"name one of {', '.join(PLANS)}, a JSON file, or give JSON itself")
    return Path(asked).read_text(encoding="utf-8-sig")


def _over(base: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """`base` with what is told in its place. Raises ValueError for a name that no plan has."""
    unknown = sorted(set(told) - set(base))
    if unknown:
        raise ValueError(f"nothing is called {', '.join(unknown)}; there are {', '.join(base)}")
    return {
        name: _over(value, told[name])
        if isinstance(value, dict) and isinstance(told.get(name), dict)
        else told.get(name, value)
        for name, value in base.items()
    }
