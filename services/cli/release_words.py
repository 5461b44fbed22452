"""A rollout in words: what each measure says, on one screen, and the whole story with what to do next."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from lipsol.events import Told
from services.cli.times import moment, span
from services.operating.rollouts import GOOD, OPEN, Rollout, Step

SHOWN = 12  # digits of a digest
CLOCKS_S = 5.0  # that two clocks may differ by before that is told
MEANS = {
    "died": "clips given up",
    "empty": "readings without a word",
    "abstained": "readings in which it was not sure",
    "confidence": "mean confidence",
    "latency": "usual time of a reading",
    "wrong": "readings that people called wrong",
    "opposed": "clips on which both were sure, of other words",
}
LOOK = {
    "died": "What it gave up, and why: `lipsol dead-letters list --since 1d`.",
    "latency": "Slower: its model or image is, or its pods have less than stable's; the requests and limits are in the"
    " chart's values under `inference`.",
}
WARNINGS = ("silent", "policy", "clocks", "clock")  # words of what can be amiss
BY_READING = (
    "It reads otherwise: `lipsol models evaluate` and `lipsol models gate` tell on which clips; where only the image is"
    " new, look at what changed in it."
)


def screen(shown: Sequence[Rollout], others: Sequence[Rollout], now: float) -> str:
    """The rollouts that matter, a block each, and a line for each other release's last one."""
    blocks = ["\n".join(_block(each, now)) for each in shown]
    besides = [f"besides  {each.name}: {standing(each)}" for each in others]
    return "\n\n".join([*blocks, *(["\n".join(besides)] if besides else [])])


def none_yet(release: str) -> str:
    """That there is nothing to show, and how there would be."""
    whose = f"of a release {release!r}" if release else "of any release"
    return (
        f"no rollout {whose} is known here: none has begun in 90 days, or this is another platform than you mean\n"
        "`helm upgrade` with another bundle or image begins one (docs/releases.md);"
        " LIPSOL_BUS__KIND=kafka and LIPSOL_BUS__SERVERS lead to the platform of a broker"
    )


def standing(rollout: Rollout) -> str:
    """How it stands, in a line."""
    match rollout.state:
        case "under way":
            return f"under way for {span(rollout.looked_at - rollout.began_at)}: {place(rollout)}"
        case "silent":
            return f"silent for {span(rollout.silent_s)}, in {place(rollout)}"
        case "lost":
            return f"lost: its analyst told no verdict, and nothing since {_clock(rollout.looked_at)}"
        case "handed back":
            verdict = f"{rollout.verdict} at {_clock(rollout.ended_at)}; " if rollout.verdict else ""
            return f"{verdict}all was given back to stable at {_clock(rollout.handed_back_at)}"
    took = span(rollout.ended_at - rollout.began_at)
    where = "" if rollout.state in GOOD else f", in {place(rollout)}"
    return f"{rollout.state} at {_clock(rollout.ended_at)}, after {took}{where}"


def place(rollout: Rollout) -> str:
    """The step that it is in, or was in last."""
    if not rollout.steps:
        return "no step yet"
    return f"{title(rollout.steps[-1], rollout)}; {clips(rollout.steps[-1])}"


def title(step: Step, rollout: Rollout) -> str:
    """Which step, of how many, and what it is."""
    return f"step {step.number} of {rollout.planned} ({step.kind} {step.weight:g} %)"


def clips(step: Step) -> str:
    """How much evidence there is."""
    return f"{step.canary_clips} clips of the canary against {step.baseline_clips} of stable"


def tried(rollout: Rollout) -> str:
    """What is let in, and how."""
    what = f"bundle {rollout.bundle[:SHOWN]}" if rollout.bundle else "what the new image reads by"
    return f"{what}, by way {rollout.way}, in {rollout.planned} step{'s' * (rollout.planned != 1)}"


def warnings(rollout: Rollout, now: float) -> Iterator[tuple[str, str]]:
    """What is amiss beside the verdict, each with its word: silence, and clocks that differ."""
    if rollout.state in ("silent", "lost"):
        yield "silent", f"since {_clock(rollout.looked_at)}: its analyst ended, was killed, or lost the broker"
        runs = "runs" if now < rollout.expires_at else "ran"
        ends = f"{runs} out at {_clock(rollout.expires_at)} by itself: from then on all is read by stable"
        yield "policy", ends if rollout.expires_at else "none was set yet: all is read by stable"
    if abs(rollout.ahead_s) > CLOCKS_S:
        by = f"{span(abs(rollout.ahead_s))} {'ahead of' if rollout.ahead_s > 0 else 'behind'} the broker's"
        yield (
            "clocks",
            (
                f"the analyst's is {by}: its times are told as it has them, and a policy ends by each edge's own;"
                " set the machines' clocks"
            ),
        )
    if rollout.told_at - now > CLOCKS_S:
        yield "clock", "this machine's is behind the broker's: what is told of silence is not to be believed; set it"


def reason(rollout: Rollout) -> str:
    """What is waited for, or why it ended, as a line; "": nothing was said."""
    word = "waits" if rollout.state in OPEN else "because"
    return f"{word:<8} {rollout.reason}" if rollout.reason else ""


def finding(told: Told) -> str:
    """What one measure says, for people."""
    kind = _kind(told)
    what = f"{told.measure} ({MEANS[kind]})" if kind in MEANS else told.measure
    if told.canary is None:
        return f"{what}: nothing known"
    return f"{what}: {figures(told)}; {worse_by(told)} is let pass: {told.said}"


def figures(told: Told) -> str:
    """The canary's figure against stable's."""
    shown = _SHOWN.get(_kind(told), _percent)
    canary = "-" if told.canary is None else shown(told.canary)
    return canary if told.baseline is None else f"{canary} against {shown(told.baseline)}"


def worse_by(told: Told) -> str:
    """How much worse it is, as an interval, and what is let pass."""
    if told.low is None or told.high is None:
        return f"up to {_margin(told)}"
    if _kind(told) == "latency":
        return f"{1 + told.low:.2f} to {1 + told.high:.2f} times as long, up to {_margin(told)}"
    if _kind(told) == "confidence":
        return f"lower by {told.low:.3f} to {told.high:.3f}, up to {_margin(told)}"
    interval = f"{_percent(told.low)} to {_percent(told.high)}"
    return f"{interval if told.baseline is None else f'worse by {interval}'}, up to {_margin(told)}"


def story(rollout: Rollout, now: float) -> str:
    """All that is known of a rollout, in words."""
    where = f" in namespace {rollout.namespace}" if rollout.namespace else ""
    deadline = f"by {_clock(rollout.deadline_at)} at the latest"
    parts = [
        [f"{rollout.name}{where}: {standing(rollout)}"],
        [f"tried    {tried(rollout)}", f"began    at {_clock(rollout.began_at)}, to be through {deadline}"],
        *([*_step(step, rollout)] for step in rollout.steps),
        list(_end(rollout, now)),
        ["next     " + "\n         ".join(_next(rollout))],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def deciding(rollout: Rollout) -> tuple[Told, ...]:
    """The findings that spoke against it."""
    last = rollout.steps[-1].findings if rollout.steps else ()
    return tuple(told for told in last if told.said == "worse") if rollout.verdict == "aborted" else ()


def _block(rollout: Rollout, now: float) -> Iterator[str]:
    where = f", in namespace {rollout.namespace}" if rollout.namespace else ""
    yield f"release  {rollout.name}{where}"
    yield f"tried    {tried(rollout)}"
    yield f"state    {standing(rollout)}"
    if rollout.reason:
        yield reason(rollout)
    for word, said in warnings(rollout, now):
        yield f"{word:<8} {said}"
    if rollout.state in OPEN:
        yield f"till     {_clock(rollout.deadline_at)}: then it is aborted"
    else:
        yield f"story    lipsol release explain {rollout.release} --revision {rollout.revision}"


def _step(step: Step, rollout: Rollout) -> Iterator[str]:
    """A step of the story: when, how it ended, by how much evidence, and what each measure said."""
    if step.ended_at:
        times = f"{_clock(step.began_at)}, {span(step.ended_at - step.began_at)}"
    else:
        times = f"since {_clock(step.began_at)}"
    ended = "passed" if step.passed else rollout.verdict or rollout.state
    yield f"{title(step, rollout)}: {times}, {ended}; {clips(step)}"
    for told in step.findings:
        yield f"    {finding(told)}"


def _end(rollout: Rollout, now: float) -> Iterator[str]:
    """What decided, who ended it, and what is amiss."""
    for told in deciding(rollout):
        yield f"decided  {finding(told)}"
    by = {
        "passed": "its analyst let it in",
        "observed": "its analyst: nothing spoke against it, and way shadow lets nothing in",
        "aborted": "its analyst, which gave all to stable first",
        "stood down": "somebody else took over, and its analyst stood down",
    }
    if rollout.verdict:
        yield f"ended    {by[rollout.verdict]}"
    if rollout.reason:
        yield reason(rollout)
    if rollout.handed_back_at:
        why = f": {rollout.handed_back}" if rollout.handed_back else ""
        yield f"handed   back to stable at {_clock(rollout.handed_back_at)}{why}"
    for word, said in warnings(rollout, now):
        yield f"{word:<8} {said}"


def _next(rollout: Rollout) -> list[str]:
    """What a person should do now."""
    name, at = rollout.release, f" --namespace {rollout.namespace}" if rollout.namespace else ""
    history = f"`helm history {name}{at}`"
    back = f"`helm rollback {name} REVISION{at}`"
    pending = f"Where {history} says pending-upgrade, Helm's client died: {back}, to the last good one, cures it."
    match rollout.state:
        case "under way":
            return [
                f"`lipsol release watch {name}` shows it as it goes on.",
                f'`lipsol release abort {name} --reason "..."` ends it: all to stable, and the upgrade fails.',
            ]
        case "silent" | "lost":
            job = f"--selector app.kubernetes.io/component=analyst,app.kubernetes.io/instance={name}"
            return [f"Why: `kubectl describe job{at} {job}`.", pending, "Then begin the upgrade anew."]
        case "passed":
            return [f"Wait: Helm updates stable, then hands all back to it; {history} tells.", pending]
        case "observed":
            return [f"To let it in, upgrade with way canary or blueGreen. That {history} says failed is meant so."]
        case "handed back" if rollout.verdict == "passed":
            return [f"Nothing. {back} goes back, at any moment; {history} lists them."]
        case "handed back":
            return [f"See who ended it: {history} tells of a rollback, or of another upgrade."]
        case "stood down":
            return [f"See who took over, and why: `lipsol traffic show`, {history}.", pending, "Then begin anew."]
    advice = dict.fromkeys(LOOK.get(_kind(told), BY_READING) for told in deciding(rollout))
    return [
        f"Stable was never touched, and reads all. {history} has the reason too.",
        *advice,
        "Mend it, and begin the upgrade anew: a failed revision needs no rollback first.",
    ]


def _clock(at: float) -> str:
    """A time to the second, UTC."""
    return f"{moment(at)[:-4]} UTC"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _margin(told: Told) -> str:
    kind = _kind(told)
    if kind == "latency":
        return f"{1 + told.margin:g} times"
    return f"{told.margin:g}" if kind == "confidence" else f"{100 * told.margin:g} %"


def _kind(told: Told) -> str:
    """The measure, without the language that it was taken of."""
    return told.measure.partition(" ")[0]


def _milliseconds(ms: float) -> str:
    return f"{ms:.0f} ms"


def _mean(mean: float) -> str:
    return f"{mean:.3f}"


_SHOWN: Mapping[str, Callable[[float], str]] = {"latency": _milliseconds, "confidence": _mean}
