"""An evaluation as a page that a person understands in two minutes: words first, then tables, then pictures."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from lipsol.clips.clip import MouthClip
from lipsol.evaluation import pictures
from lipsol.evaluation.records import SEEN, UNSEEN, ClipRead, Evaluation, Slice
from lipsol.evaluation.scores import SPEAKERS_TO_TRUST, error_rate
from lipsol.report.page import Cell, Note, Part, Section, Table, page

WORST = 20  # clips to look at
WORDS_SHOWN = 20  # words that are read wrong most
ALTERNATIVES = 3  # of each clip shown
WHOSE = {SEEN: "speakers that training heard", UNSEEN: "speakers that it never heard"}
FIGURES: Mapping[str, str] = {  # figure of the summary -> how a person calls it
    "wer": "word error rate",
    "cer": "character error rate",
    "word_accuracy": "words right",
    "sentence_accuracy": "clips all right",
    "top3": "right among the first three",
    "abstained": "not sure, so not answered",
    "answered_wer": "word error rate of the answered",
    "sure_wrong": "answered, and wrong",
    "ece": "calibration error (ECE)",
}


def worst(evaluation: Evaluation) -> list[ClipRead]:
    """The clips to look at: read in the way that is served, most words wrong first, of these the surest.

    As many of each group, and more of one where the others have fewer.
    """
    way = served(evaluation)
    wrong = sorted(
        (clip for clip in evaluation.clips if clip.way == way and not clip.right),
        key=lambda clip: (-clip.word_edits / max(1, clip.words), -clip.confidence, clip.name),
    )
    groups = [[clip for clip in wrong if clip.group == group] for group in WHOSE]
    chosen = [clip for turn in zip_longest(*groups) for clip in turn if clip is not None][:WORST]
    return [clip for clip in wrong if clip in chosen]


def served(evaluation: Evaluation) -> str:
    """The way in which the bundle is served: the first."""
    return evaluation.clips[0].way


def story(evaluation: Evaluation, mouths: Mapping[str, MouthClip], remarks: Sequence[str] = ()) -> str:
    """The page. mouths: of the clips in `worst`, by name; remarks: what must be known before any figure is read."""
    bundle, way = evaluation.bundle, served(evaluation)
    whole = [
        Section("How well it reads", tuple(_figures(evaluation, remarks))),
        Section("Who fares worse", tuple(_audit(evaluation))),
        Section("What is read wrong", tuple(_mistakes(evaluation, way))),
        Section("How far its confidence can be believed", tuple(_trust(evaluation, way))),
        Section("Speed and size", tuple(_costs(evaluation))),
        Section("The worst clips", tuple(_worst(evaluation, mouths))),
        Section("Confusions", ("Each row is what was said, each column what was read.",
                               *pictures.confusions(evaluation, way))),
        Section("How this was measured", tuple(_method(evaluation))),
    ]  # fmt: skip
    return page(f"{bundle['name']} {bundle['version']}: how well it reads", whole, lead=_lead(evaluation, way))


def _lead(evaluation: Evaluation, way: str) -> str:
    told = [
        f"{100 * held[way]['wer']['value']:.0f} from {WHOSE[group]}"
        for group, held in evaluation.summary.items()
        if group in WHOSE
    ]
    return f"Of 100 words it reads wrong {' and '.join(told)} ({_called(way)})."


def _called(way: str) -> str:
    return {"grammar": "bound by its grammar", "free": "free reading", "words": "single words, cut out"}[way]


def _figures(evaluation: Evaluation, remarks: Sequence[str]) -> Iterator[Part]:
    if evaluation.synthetic:
        yield Note("bad", "Nobody real was ever read here: every clip is synthetic. No figure tells of real people.")
    yield from (Note("warn", remark) for remark in remarks)
    if evaluation.unread:
        yield Note("warn", f"Clips that could not be read, and stand in no figure: {len(evaluation.unread)}.")
    for group in WHOSE:
        if group in evaluation.summary:
            speakers = len({clip.speaker for clip in evaluation.clips if clip.group == group})
            if speakers < SPEAKERS_TO_TRUST:
                yield Note("warn", f"The {group} clips are of {_people(speakers)}")
    first = served(evaluation)
    others = sorted({way for held in evaluation.summary.values() for way in held} - {first})
    yield _summary(evaluation, first)
    yield from _baselines(evaluation)
    yield pictures.rates(evaluation)
    yield from (_summary(evaluation, way) for way in others)


def _people(speakers: int) -> str:
    if speakers == 1:
        return "one speaker: the intervals tell of other clips of that speaker, not of other people."
    return f"{speakers} speakers: the intervals, drawn by speaker, are rough."


def _summary(evaluation: Evaluation, way: str) -> Table:
    """All figures of one way, the groups side by side."""
    held = {group: ways[way] for group, ways in evaluation.summary.items() if way in ways}
    head = [f"{group}: {told['n']} clips" for group, told in held.items()]
    rows = [(name, *(_lines(told[key]) for told in held.values())) for key, name in FIGURES.items()]
    drawn = ", ".join(f"{group} by {told['wer']['by']}" for group, told in held.items())
    return Table(
        ("", *head), tuple(rows), f"{_called(way).capitalize()}, with 95 % intervals ({drawn})",
        tuple(range(1, 1 + len(held))),
    )  # fmt: skip


def _baselines(evaluation: Evaluation) -> Iterator[Part]:
    groups = [group for group in WHOSE if group in evaluation.summary]
    rates = {
        ("this model", way, group): held["wer"]["value"]
        for group in groups
        for way, held in evaluation.summary[group].items()
    }
    rates |= {(each.name, each.way, each.group): each.wer for each in evaluation.baselines}
    notes = {(each.name, each.way): each.note for each in evaluation.baselines}
    first = served(evaluation)
    names = sorted(dict.fromkeys((name, way) for name, way, _ in rates), key=lambda name: (name[1] != first, name[1]))
    rows = [
        (name, way, *(_figure(rates.get((name, way, group))) for group in groups), notes.get((name, way), ""))
        for name, way in names
    ]
    head = ("who", "decoding", *groups, "how")
    yield Table(head, tuple(rows), "Word error rates beside others, on the same clips unless told otherwise", (2, 3))
    for source in dict.fromkeys(each.source for each in evaluation.baselines if each.source):
        yield f"Source of the human figure: {source}."


def _audit(evaluation: Evaluation) -> Iterator[Part]:
    way = served(evaluation)
    slices = [each for each in evaluation.slices if each.way == way]
    worse = [each for each in slices if each.found == "worse"]
    small = sum(each.found == "too small" for each in slices)
    for each in worse:
        told = f"{each.group}, {each.by} {each.name}: {_points(each)} are wrong than among the others"
        yield Note("warn", f"{told}, and chance does not explain it.")
    if not worse:
        yield Note("good", "No group is shown to fare worse than the others.")
    if small:
        yield f"{small} of {len(slices)} groups are too small to tell: the tables give their rates alone."
    yield _speakers(evaluation, way)
    head = ("reads", "by", "which", "clips", "speakers", "WER", "others", "difference (95 %)", "p (Holm)", "found")
    numbers = (3, 4, 5, 6, 7, 8)
    order = {"worse": 0, "better": 1, "no difference shown": 2, "too small": 3}
    rows = [_slice(each) for each in sorted(slices, key=lambda each: (order[each.found], each.group, each.by))]
    apart = sum(each.found in ("worse", "better") for each in slices)
    if apart:
        yield Table(head, tuple(rows[:apart]), f"Groups that differ from all other clips, {_called(way)}", numbers)
    yield Table(head, tuple(rows), f"All {len(rows)} groups", numbers, folded=True)


def _speakers(evaluation: Evaluation, way: str) -> Table:
    people: dict[tuple[str, str], list[ClipRead]] = {}
    for clip in evaluation.clips:
        if clip.way == way:
            people.setdefault((clip.group, clip.speaker), []).append(clip)
    rows = [
        (group, speaker, str(len(own)), _figure(error_rate(own)), str(sum(clip.right for clip in own)))
        for (group, speaker), own in sorted(people.items())
    ]
    return Table(("reads", "speaker", "clips", "WER", "all right"), tuple(rows), "Speaker by speaker", (2, 3, 4))


def _slice(each: Slice) -> tuple[Cell, ...]:
    apart = "-"
    if each.interval is not None and each.wer is not None and each.rest is not None:
        apart = f"{each.wer - each.rest:+.3f} ({each.interval[0]:+.3f} to {each.interval[1]:+.3f})"
    found: Cell = Note("warn", each.found) if each.found == "worse" else each.found
    held = "-" if each.adjusted is None else f"{each.adjusted:.3f}"
    return (each.group, each.by, each.name, str(each.clips), str(each.speakers), _figure(each.wer), _figure(each.rest),
            apart, held, found)  # fmt: skip


def _points(each: Slice) -> str:
    return f"{100 * ((each.wer or 0) - (each.rest or 0)):.0f} more words in 100"


def _mistakes(evaluation: Evaluation, way: str) -> Iterator[Part]:
    errors = {group: evaluation.errors[group][way] for group in evaluation.errors if group in WHOSE}
    names = dict.fromkeys(slot["name"] for told in errors.values() for slot in told["slots"])
    held = {(group, slot["name"]): (slot["wrong"], slot["said"]) for group in errors for slot in errors[group]["slots"]}
    rows = [(name, *(_share(*held.get((group, name), (0, 0))) for group in errors)) for name in names]
    yield Table(("place", *errors), tuple(rows), "Words wrong, by place in the sentence", (1, 2))
    looks = {group: _looks(told["visemes"]) for group, told in errors.items()}
    classes = sorted({look for told in looks.values() for look in told})
    if classes:
        rows = [(look, *(_share(*told.get(look, (0, 0))) for told in looks.values())) for look in classes]
        yield Table(("look on the lips", *looks), tuple(rows), "Looks read as another, by viseme class", (1, 2))
    for group, told in errors.items():
        wrong = [
            (word, f"{missed} of {said}", taken or "left out") for word, said, missed, taken in told["words"] if missed
        ]
        caption = f"Words most often wrong, {group}"
        yield Table(("word", "wrong", "mostly read as"), tuple(wrong[:WORDS_SHOWN]), caption, (1,), folded=True)


def _looks(pairs: Sequence[Sequence[Any]]) -> dict[str, tuple[int, int]]:
    """Look -> how often it was read as another, and how often it was there."""
    counts: dict[str, tuple[int, int]] = {}
    for truth, read, times in pairs:
        if truth:
            wrong, there = counts.get(truth, (0, 0))
            counts[truth] = wrong + times * (truth != read), there + times
    return counts


def _trust(evaluation: Evaluation, way: str) -> Iterator[Part]:
    yield ("A confidence is to be believed where the dots lie on the line: of readings that say 0.8, eight in ten are "
           "right. The second picture tells how wrong the answers are if only the surest are given.")  # fmt: skip
    yield pictures.reliability(evaluation, way)


def _costs(evaluation: Evaluation) -> Iterator[Part]:
    latency, machine = evaluation.latency, evaluation.machine
    ways = [name.removesuffix("_p50_ms") for name in latency if name.endswith("_p50_ms")]
    rows = [(_called(way), f"{latency[f'{way}_p50_ms']:.1f}", f"{latency[f'{way}_p95_ms']:.1f}") for way in ways]
    yield Table(("decoding", "p50 ms a clip", "p95 ms a clip"), tuple(rows), numbers=(1, 2))
    yield (f"{latency['clips']:.0f} clips, one after another on {machine['threads']} thread of {machine['processor']}, "
           "from the mouth to the words; finding the face is not in it. "
           f"The bundle has {evaluation.size_bytes / 2**20:.1f} MiB.")  # fmt: skip


def _worst(evaluation: Evaluation, mouths: Mapping[str, MouthClip]) -> Iterator[Part]:
    clips = worst(evaluation)
    if not clips:
        yield "Every clip was read right."
        return
    yield "Most words wrong first, of these the surest: what to look at before anything is changed."
    rows = [
        (
            pictures.mouth(mouths[clip.name], clip.truth) if clip.name in mouths else "",
            clip.truth, clip.reading, clip.alternatives[:ALTERNATIVES],
            (f"{clip.confidence:.2f}", "not sure" if clip.abstained else "answered"),
            (clip.name, clip.group),
        )
        for clip in clips
    ]  # fmt: skip
    yield Table(("mouth", "said", "read", "or", "sure", "clip"), tuple(rows), numbers=(4,))


def _method(evaluation: Evaluation) -> Iterator[Part]:
    bundle, data = evaluation.bundle, evaluation.data
    yield (f"Bundle {bundle['name']} {bundle['version']}, digest {bundle['digest']}. Data {data['name']}, version "
           f"{data['sha256']}; only clips of its test and unseen splits were read, which no training or calibration "
           "uses.")  # fmt: skip
    if evaluation.unread:
        yield Table(("what could not be read",), tuple((each,) for each in evaluation.unread), "Not read", folded=True)
    if evaluation.limit:
        yield f"At most {evaluation.limit} clips of each speaker and split were read."
    yield ("Rates count every clip, answered or not. Intervals are percentile bootstraps of 2000 draws of whole "
           "speakers; of one speaker's clips where the group has no more. A group of clips is compared with all others "
           "by a permutation test, all tests of a table together corrected after Holm.")  # fmt: skip


def _lines(value: Any) -> Cell:
    """A figure, and under it its interval if it has one."""
    if not isinstance(value, Mapping):
        return _figure(value)
    held = value["interval"]
    return (_figure(value["value"]), f"{held[0]:.3f}-{held[1]:.3f}") if held else _figure(value["value"])


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _share(wrong: int, said: int) -> Cell:
    return (f"{wrong / said:.3f}", f"{wrong} of {said}") if said else "-"
