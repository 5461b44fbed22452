"""An evaluation in pictures: error rates side by side, confusions, calibration, and mouths over time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lipsol.clips.clip import MouthClip
from lipsol.evaluation.records import Evaluation
from lipsol.report.page import Picture, Row
from lipsol.report.plots import Curve, Frame, bars, heat, line, strip

OTHER = "other"  # a reading from outside the slot, or none
NONE = "none"  # a look that was left out or added
MOUTH_COLUMNS, MOUTH_ROWS = 6, 2  # frames of a mouth over time
MOUTH_PX = 48  # how high they are
MANY = 12  # words of a slot from which on its picture stands by itself


def rates(evaluation: Evaluation) -> Picture:
    """Word error rates of the model and its baselines, group by group, with the model's own intervals."""
    ways = _ways(evaluation)
    groups = _groups(evaluation)
    names = [f"this model, {way}" for way in ways]
    names += list(dict.fromkeys(f"{each.name}, {each.way}" for each in evaluation.baselines))
    others = {(f"{each.name}, {each.way}", each.group): each.wer for each in evaluation.baselines}
    own = {(f"this model, {way}", group): evaluation.summary[group][way]["wer"] for group in groups for way in ways}
    values, ends = {}, {}
    for group in groups:
        figures = [own.get((name, group)) for name in names]
        values[group] = [
            held["value"] if held else others.get((name, group), float("nan"))
            for name, held in zip(names, figures, strict=True)
        ]
        ends[group] = [tuple(held["interval"]) for held in figures if held and held["interval"]]
    told = "; ".join(f"{name}, {group}: {values[group][n]:.2f}" for group in groups for n, name in enumerate(names))
    size = (7.0, 0.5 + 0.42 * len(names))
    return bars(Frame(f"Word error rates: {told}", x="word error rate", size=size), names, values, ends)


def confusions(evaluation: Evaluation, way: str) -> list[Row | Picture]:
    """Slot by slot, and last the looks: what was said (rows) and what was read (columns), seen and unseen abreast."""
    held = {group: evaluation.errors[group][way] for group in _groups(evaluation)}
    slots = list(dict.fromkeys(slot["name"] for told in held.values() for slot in told["slots"]))
    rows: list[Row | Picture] = []
    for name in slots:
        own = {group: next((s for s in told["slots"] if s["name"] == name), None) for group, told in held.items()}
        drawn = [_slot(slot, group) for group, slot in own.items() if slot is not None]
        wide = any(len(slot["words"]) > MANY for slot in own.values() if slot is not None)
        rows += drawn if wide else [Row(tuple(drawn))]
    looks = {group: told["visemes"] for group, told in held.items() if told["visemes"]}
    if looks:
        rows.append(Row(tuple(_looks(pairs, group) for group, pairs in looks.items())))
    return rows


def reliability(evaluation: Evaluation, way: str) -> Row:
    """How often a confidence was right, and how wrong the answers are if only the surest are given."""
    groups = _groups(evaluation)
    figures = {group: evaluation.summary[group][way] for group in groups}
    points = [Curve(group, *_columns(held["reliability"]), style="o-") for group, held in figures.items()]
    ideal = Curve("as it says", [0.0, 1.0], [0.0, 1.0], style=":")
    risks = [Curve(group, *_columns(held["risk_coverage"]["points"])) for group, held in figures.items()]
    told = "; ".join(f"{group}: calibration error {held['ece']:.3f}" for group, held in figures.items())
    area = "; ".join(f"{group}: area {held['risk_coverage']['area']:.3f}" for group, held in figures.items())
    unit = (0.0, 1.02)
    return Row((
        line(Frame(f"Reliability. {told}", "confidence", "share that is right", f"Reliability. {told}.", unit, unit),
             [*points, ideal]),
        line(Frame(f"Risk and coverage. {area}", "share answered", "share of these that is wrong",
                   f"Risk and coverage. {area}.", unit, unit), risks),
    ))  # fmt: skip


def mouth(clip: MouthClip, text: str) -> Picture:
    """A mouth over time."""
    return strip(clip.mouth, f"The mouth that says: {text}", columns=MOUTH_COLUMNS, rows=MOUTH_ROWS, height=MOUTH_PX)


def _slot(slot: Mapping[str, Any], group: str) -> Picture:
    """Of one slot: each truth's readings as shares of how often it was said."""
    pairs = {(truth, read): times for truth, read, times in slot["pairs"]}
    said = [word for word in slot["words"] if any(truth == word for truth, _ in pairs)]
    said += sorted({truth for truth, _ in pairs} - set(said))
    known = list(slot["words"]) or sorted({read for _, read in pairs} & set(said))
    table = np.zeros((len(said), len(known) + 1))
    for (truth, read), times in pairs.items():
        table[said.index(truth), known.index(read) if read in known else -1] += times
    rate = slot["wrong"] / slot["said"]
    frame = Frame(
        f"Confusions of slot {slot['name']}, {group}: {rate:.2f} wrong", "read", "said",
        f"{slot['name']}, {group}: {100 * rate:.1f} % of {slot['said']} wrong. In percent of the row.",
        size=(1.6 + 0.34 * (len(known) + 1), 1.2 + 0.3 * len(said)),
    )  # fmt: skip
    return heat(frame, said, [*known, OTHER], _shares(table))


def _looks(pairs: Sequence[Sequence[Any]], group: str) -> Picture:
    """Of viseme classes: what each was read as."""
    held = {(truth or NONE, read or NONE): times for truth, read, times in pairs}
    classes = sorted({look for pair in held for look in pair} - {NONE})
    table = np.zeros((len(classes) + 1, len(classes) + 1))
    place = {look: n for n, look in enumerate([*classes, NONE])}
    for (truth, read), times in held.items():
        table[place[truth], place[read]] = times
    frame = Frame(
        f"Confusions of viseme classes, {group}", "read", "said",
        f"Looks on the lips, {group}: what each was read as, in percent of the row; the last row is what was added.",
        size=(5.6, 4.4),
    )  # fmt: skip
    return heat(frame, list(place), list(place), _shares(table))


def _shares(table: np.ndarray) -> np.ndarray:
    shares: np.ndarray = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return shares


def _columns(points: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
    return [point[0] for point in points], [point[1] for point in points]


def _groups(evaluation: Evaluation) -> list[str]:
    return [group for group in ("seen", "unseen") if group in evaluation.summary]


def _ways(evaluation: Evaluation) -> list[str]:
    return list(dict.fromkeys(clip.way for clip in evaluation.clips))
