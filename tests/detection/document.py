"""What was measured, as docs/monitoring.md tells it: no figure there is typed by hand."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

QUIET = "Quiet traffic: "  # begins what is told of false alarms
PLACE = re.compile(r"(<!-- detection -->\n).*?(<!-- end -->)", flags=re.DOTALL)


def placed(page: str, detected: Sequence[Mapping[str, Any]], quiet: Mapping[str, Any] | None) -> str:
    """The page with what was measured between its marks; what was not stays as it was. Raises ValueError where it has
    none."""
    found = PLACE.search(page)
    if not found:
        raise ValueError("the page has no `<!-- detection -->` ... `<!-- end -->`: put them where the figures belong")
    before, begins, after = found[0][len(found[1]) : -len(found[2])].partition(QUIET)
    parts = (
        _shifts(detected) if detected else before.rstrip("\n") + "\n" * bool(before.strip()),
        _quiet(quiet) if quiet else begins + after,
    )
    told = "\n".join(part for part in parts if part)
    return PLACE.sub(lambda marks: f"{marks[1]}{told}{marks[2]}", page)


def _shifts(detected: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        f"| {each['kind']} | {_clips(each['median_delay'])} | {each['detected']:.0%} | {each['right']} "
        f"| {each['named'] or 'nothing'} | {each['share_right']:.0%} |\n"
        for each in detected
    ]
    head = (
        "| what goes wrong | told after, clips (median) | within 200 clips | is | most often named | named right |\n"
        "|---|---|---|---|---|---|\n"
    )
    return f"{head}{''.join(rows)}\n{detected[0]['seeds']} seeds each; {_machine(detected[0])}.\n"


def _quiet(quiet: Mapping[str, Any]) -> str:
    rate = f"{quiet['a_month']:.2f} a month (95 % interval {quiet['low']:.2f} to {quiet['high']:.2f})"
    lasted = f"{quiet['weeks']:g} weeks, {quiet['clips']:,} clips in all"
    return f"{QUIET}{quiet['pages']} false pages in {lasted}, {rate}; {_machine(quiet)}.\n"


def _clips(delay: float | None) -> str:
    return "never" if delay is None else f"{delay:.0f}"


def _machine(entry: Mapping[str, Any]) -> str:
    return re.sub(r", load [\d.]+ at the start", "", str(entry["machine"]))
