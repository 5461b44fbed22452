"""What a search found, as one HTML page: all trials beside the defaults, the winner, and its second seed."""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from lipsol.report.page import Note, Part, Picture, Section, Table, page
from lipsol.tuning.space import SPACE
from lipsol.tuning.study import Found, Tried


def write_page(found: Found, name: str, folder: Path) -> list[Path]:
    """Write `tuning.html` and the winner's `plan.json` into a folder, which is made; returns both."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tuning.html").write_text(shown(found, name), encoding="utf-8")
    (folder / "plan.json").write_text(found.plan + "\n", encoding="utf-8")
    return [folder / "tuning.html", folder / "plan.json"]


def shown(found: Found, name: str) -> str:
    """The page."""
    sections = [
        Section("Trials", (_plot(found), _verdict(found))),
        Section("The winner's parameters", (_parameters(found),)),
        Section("All trials", (_trials(found),)),
    ]
    return page(f"Search {name}", sections, lead=_lead(found))


def _lead(found: Found) -> str:
    tried = [each for each in found.trials if each.state in ("complete", "pruned")]
    given_up = sum(each.state == "pruned" for each in tried)
    return (
        f"{len(tried)} trials, {given_up} of them given up early. Best: trial {found.best.trial}, validation WER"
        f" {_rate(found.best)}; the defaults have {_rate(found.defaults)}."
    )


def _verdict(found: Found) -> Part:
    if not found.check:
        return Note("warn", "The winner was not tried from another seed: the best of many is lucky on its own.")
    best, defaults = found.check["best"], found.check["defaults"]
    told = f"From another seed the winner has {best:.4f}, the defaults {defaults:.4f}."
    return Note("good", told) if best < defaults else Note("bad", f"{told} Its lead was luck: keep the defaults.")


def _plot(found: Found) -> Picture:
    from lipsol.report.plots import Curve, Frame, line

    done = [each for each in found.trials if each.state == "complete" and each.value is not None]
    values = [each.value for each in done if each.value is not None]
    given_up = [each for each in found.trials if each.state == "pruned" and each.value is not None]
    ends = [0.0, float(max(1, len(found.trials) - 1))]
    curves = [
        Curve("tried to the end", _numbers(done), values, style="o"),
        Curve("given up early", _numbers(given_up), [each.value or 0.0 for each in given_up], style="x"),
        Curve("best so far", _numbers(done), list(accumulate(values, min)), style="-"),
        Curve("defaults", ends, [found.defaults.value or 0.0] * 2, style="--"),
    ]
    alt = f"Validation WER of {len(found.trials)} trials: {_lead(found)}"
    return line(Frame(alt, "trial", "validation WER", size=(6.4, 3.6)), [each for each in curves if each.x])


def _parameters(found: Found) -> Table:
    best, defaults = found.best.parameters, found.defaults.parameters
    rows = tuple(
        (each.name, f"{defaults[each.name]:.4g}", f"{best[each.name]:.4g}", f"{each.low:g} to {each.high:g}", each.why)
        for each in SPACE
    )
    return Table(("parameter", "default", "winner", "searched", "why there"), rows, numbers=(1, 2))


def _trials(found: Found) -> Table:
    names = tuple(each.name for each in SPACE)
    rows = tuple(
        (str(each.trial), each.state, _rate(each), *(f"{each.parameters[name]:.3g}" for name in names))
        for each in found.trials
        if each.parameters
    )
    numbers = (0, *range(2, 3 + len(names)))
    return Table(("trial", "state", "WER", *names), rows, "Every trial and its parameters", numbers, folded=True)


def _numbers(tried: Sequence[Tried]) -> list[float]:
    return [float(each.trial) for each in tried]


def _rate(tried: Tried) -> str:
    return "" if tried.value is None else f"{tried.value:.4f}"
