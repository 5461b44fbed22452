"""Corrections -> a new version of a data set: checked, each clip once, for training alone.

- A correction is left out, by name and with the reason, if its language or its words are not the data set's, its words
  were not sayable in the time, its mouth can't be read, or its contributor floods. Those without a session share one
  bound, since they may all be one person's.
- A film counts once, however often it was sent: known by its bytes, or by moving alike throughout. What the data set
  has of its own stays as it is. Of what one contributor says of a film the newest holds; where two disagree, nobody is
  believed.
- A contributor is a speaker of the split `train`. Nobody knows a contributor again at the next visit, so one who was
  tested on might be trained on by another name.
- What was taken back is in no later version, whoever has learned it before.
- Nobody aligned these words: items have none, and only what needs no alignment (CTC) learns from them.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from scipy.sparse.csgraph import connected_components

from lipsol.clips.clip import FPS, MouthClip
from lipsol.clips.quality import MIN_FOUND
from lipsol.data.checks.copies import digest_of, likeness_of
from lipsol.data.checks.traits import Traits, traits
from lipsol.data.corrections import Correction, is_contributor
from lipsol.data.dataset import CLIPS, Dataset, Item, Split, open_dataset, save
from lipsol.data.mouths import MOUTH, Seen, seen, watch_all
from lipsol.errors import BadInput
from lipsol.text.alphabet import ALPHABETS, normalise
from lipsol.text.grammar import Grammar

CHARACTERS_A_S = 25.0  # at most: one a frame, which CTC needs, and more than anybody says
FLOOD, FLOOD_S = 20, 60.0  # more corrections of one contributor within so many seconds were not written by a person
MOST = 100  # clips of one contributor: nobody's face outweighs all others
ALIKE = 0.82  # likeness of movement above which two clips are one film (measured for `lipsol data check`)
GRAMMARS: Mapping[str, str] = {"en": "grid", "ur": "urdu"}  # of a data set of corrections alone
SPLIT: Split = "train"  # of every correction
LAW = "corrections: training alone"
LICENCE = "people's mouths, by their consent: for training, never to be published"

Mouths = Callable[[Correction], bytes]  # the mouth clip of a correction; BadInput if it is gone or altered


@dataclass(frozen=True)
class Summary:
    """What became of the corrections.

    taken     clips that they brought (anew, if the data set had them before), by split
    before    clips that the data set had
    removed   those of them that teach no more: taken back, or not to be believed
    left_out  clip id -> why it teaches nothing
    """

    taken: Mapping[str, int]
    before: int
    removed: Sequence[str]
    left_out: Mapping[str, str]

    def to_json(self) -> str:
        """For people and programs."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)


@dataclass(frozen=True)
class _Lesson:
    """What is said of a clip, and how its mouth moves; item: where it lies, if an earlier version has it already."""

    correction: Correction
    traits: Traits
    item: Item | None = None


def collect(
    corrections: Sequence[Correction],
    mouth: Mouths,
    previous: Path | None,
    out: Path,
    cache: Path,
    *,
    withdrawn: Collection[str] = (),
    language: str = "en",
    workers: int = 2,
    copy: bool = True,
) -> Summary:
    """Write a data set of corrections to `out`, a folder that is not there yet.

    previous   the data set that they are added to, which may hold earlier ones; None: they stand alone, in `language`
    cache      where the data set's own clips have been watched, or will be
    withdrawn  clips that were taken back since
    copy       take the data set's own clips along; else the manifest points to them

    Raises BadInput if nothing is left, or `out` holds something already.
    """
    if out.exists() and any(out.iterdir()):
        raise BadInput(f"{out} holds something already", "name a folder that is not there: a version is never changed")
    base = open_dataset(previous) if previous else _empty(language, out)
    newest = [each for each in _newest(corrections) if each.clip_id not in withdrawn]
    said = {each.clip_id for each in newest}
    own = [item for item in base.items if not is_contributor(item.speaker)]
    earlier = [item for item in base.items if is_contributor(item.speaker)]
    left_out: dict[str, str] = {}
    lessons = [
        *(_earlier(item, base.language) for item in earlier if item.id not in said and item.id not in withdrawn),
        *_calm(list(_sound(newest, mouth, base, left_out)), left_out),
    ]
    believed = _each_film_once(lessons, _films_of(own, lessons, cache, workers), left_out)
    stays = [replace(lesson.item, split=SPLIT) for lesson in believed if lesson.item is not None]
    new = [_taken(lesson.correction, mouth, out) for lesson in believed if lesson.item is None]
    if not own and not stays and not new:
        raise BadInput(
            "no correction can teach anything", "; ".join(sorted(set(left_out.values()))) or "there are none"
        )
    save(_joined(base, (*own, *stays, *new)), out, copy=copy)
    removed = sorted({item.id for item in earlier} - {item.id for item in (*stays, *new)})
    return Summary(dict(Counter(item.split for item in new)), len(base.items), removed, left_out)


def _newest(corrections: Sequence[Correction]) -> list[Correction]:
    """The newest of each clip, oldest first."""
    newest = {
        each.clip_id: each for each in sorted(corrections, key=lambda each: (each.consented_at, each.feedback_id))
    }
    return sorted(newest.values(), key=lambda each: (each.consented_at, each.clip_id))


def _sound(
    corrections: Sequence[Correction], mouth: Mouths, base: Dataset, left_out: dict[str, str]
) -> Iterator[_Lesson]:
    """The corrections that stand by themselves; of the others the reason."""
    grammar = Grammar.named(base.grammar) if base.grammar else None
    for each in corrections:
        try:
            if each.language != base.language:
                raise BadInput(f"it is in {each.language!r}, the data set in {base.language!r}")
            clip = MouthClip.from_bytes(mouth(each))
            _check(each, clip, grammar)
            yield _Lesson(replace(each, text=normalise(each.text, each.language)), traits(Seen(clip, {})))
        except BadInput as fault:
            left_out[each.clip_id] = fault.detail


def _check(correction: Correction, clip: MouthClip, grammar: Grammar | None) -> None:
    """Raise BadInput, without the words, for what nobody said in this clip."""
    text = normalise(correction.text, correction.language)
    if not text.strip():
        raise BadInput("it has no words")
    ALPHABETS[correction.language].encode(text)
    if grammar is not None and not grammar.accepts(text):
        raise BadInput(f"it is no sentence of the data set's grammar {grammar.name!r}")
    seconds = len(clip) / FPS
    if len(text) > CHARACTERS_A_S * seconds:
        raise BadInput(f"{len(text)} characters in {seconds:.1f} s, nobody says over {CHARACTERS_A_S:.0f} a second")
    if (found := float(clip.seen.mean())) < MIN_FOUND:
        raise BadInput(f"the face is seen in {found:.2f} of its frames, at least {MIN_FOUND} are needed")


def _calm(lessons: Sequence[_Lesson], left_out: dict[str, str]) -> list[_Lesson]:
    """All but those of contributors who flood; of each at most the newest `MOST`.

    Those without a session count as one contributor's, of whom only the flood is left out: they may be several people.
    """
    of: dict[str, list[_Lesson]] = {}
    for lesson in lessons:
        of.setdefault("" if lesson.correction.nameless else lesson.correction.contributor, []).append(lesson)
    calm: list[_Lesson] = []
    for contributor, own in of.items():
        flood = _flood([lesson.correction.consented_at for lesson in own])
        lost = set(range(len(own))) if flood and contributor else flood
        who = "its contributor" if contributor else "who names no session"
        for n in lost:
            left_out[own[n].correction.clip_id] = f"{who} sent over {FLOOD} within {FLOOD_S:.0f} s"
        rest = [lesson for n, lesson in enumerate(own) if n not in lost]
        for lesson in rest[:-MOST]:
            left_out[lesson.correction.clip_id] = f"{who} has {MOST} newer"
        calm += rest[-MOST:]
    return calm


def _flood(times: Sequence[float]) -> set[int]:
    """Which of the times, in their order, lie in a stretch of FLOOD_S that has over FLOOD of them."""
    starts = (n for n, (early, late) in enumerate(zip(times, times[FLOOD:], strict=False)) if late - early <= FLOOD_S)
    return {n for start in starts for n in range(start, start + FLOOD + 1)}


def _films_of(own: Sequence[Item], lessons: Sequence[_Lesson], cache: Path, workers: int) -> frozenset[str]:
    """The clip ids of the lessons whose films the data set's own clips are."""
    if not lessons or not own:
        return frozenset()
    faults = watch_all(own, cache, workers)
    moves = _moves(lessons)
    digests = np.array([lesson.correction.mouth for lesson in lessons])
    found = np.zeros(len(lessons), bool)
    for item in (item for item in own if item.name not in faults):
        held = [each[np.newaxis] for each in traits(seen(item, cache)).moves]
        found |= (likeness_of(moves, held)[:, 0] > ALIKE) | (digests == digest_of(item.path))
    return frozenset(lesson.correction.clip_id for lesson, known in zip(lessons, found, strict=True) if known)


def _each_film_once(lessons: Sequence[_Lesson], known: Collection[str], left_out: dict[str, str]) -> list[_Lesson]:
    """One lesson a film: none where contributors disagree, else the earliest clip with what is said now.

    None of a film that is `known` without them.
    """
    believed = []
    for film in _films(lessons):
        if any(lesson.correction.clip_id in known for lesson in film):
            new = (lesson.correction.clip_id for lesson in film if lesson.item is None)
            left_out.update(dict.fromkeys(new, "the data set has this film of its own"))
            continue
        newest = {lesson.correction.contributor: lesson for lesson in sorted(film, key=_time)}
        agreed = len({lesson.correction.text for lesson in newest.values()}) == 1
        chosen = min(newest.values(), key=_time) if agreed else None
        for lesson in film:
            if lesson is chosen:
                believed.append(lesson)
            elif lesson.item is None:
                of = "others say other words of the same film" if chosen is None else "the same film is there already"
                left_out[lesson.correction.clip_id] = of
    return sorted(believed, key=_time)


def _time(lesson: _Lesson) -> tuple[float, str]:
    return lesson.correction.consented_at, lesson.correction.clip_id


def _films(lessons: Sequence[_Lesson]) -> list[list[_Lesson]]:
    """Lessons of the same film together: the same bytes, or moving alike."""
    if not lessons:
        return []
    moves = _moves(lessons)
    alike = likeness_of(moves, moves) > ALIKE
    digests = np.array([lesson.correction.mouth for lesson in lessons])
    _, film = connected_components(alike | (digests[:, np.newaxis] == digests), directed=False)
    films: dict[int, list[_Lesson]] = {}
    for lesson, n in zip(lessons, film, strict=True):
        films.setdefault(int(n), []).append(lesson)
    return list(films.values())


def _moves(lessons: Sequence[_Lesson]) -> list[Float32[np.ndarray, "lessons _"]]:
    """Each movement of all of them."""
    return [np.stack(each) for each in zip(*(lesson.traits.moves for lesson in lessons), strict=True)]


def _earlier(item: Item, language: str) -> _Lesson:
    """A clip of an earlier version, as the correction that it once was."""
    data = item.path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    said = Correction(item.id, "", item.text, language, item.speaker, "", "", "", 0.0, digest)
    return _Lesson(said, traits(Seen(MouthClip.from_bytes(data), {})), item)


def _taken(correction: Correction, mouth: Mouths, out: Path) -> Item:
    """The item of a correction, its mouth in its place."""
    path = out / CLIPS / correction.contributor / f"{correction.clip_id}{MOUTH}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mouth(correction))
    return Item(path, correction.contributor, (), SPLIT, correction.text)


def _empty(language: str, folder: Path) -> Dataset:
    if language not in GRAMMARS:
        raise BadInput(
            f"no grammar for {language!r}", f"use one of {', '.join(GRAMMARS)}, or give a data set to add to"
        )
    return Dataset(
        name="corrections", language=language, grammar=GRAMMARS[language], home=(), items=(), licence="",
        attribution="", split="", corpus="", names="", synthetic=False, folder=folder,
    )  # fmt: skip


def _joined(base: Dataset, items: tuple[Item, ...]) -> Dataset:
    """The data set with corrections in it."""
    if not any(is_contributor(item.speaker) for item in items):
        return replace(base, items=items)
    return replace(
        base,
        items=items,
        licence=_also(base.licence, LICENCE),
        split=_also(base.split, LAW),
        corpus=base.corpus or "corrections",
    )


def _also(before: str, law: str) -> str:
    return before if law in before else f"{before}; {law}" if before else law
