"""Corrections -> a new version of a data set: checked, each clip once, a speaker in one split for ever.

- A correction is left out, by name and with the reason, if its language or its words are not the data set's, its words
  were not sayable in the time, its mouth can't be read, or its contributor floods.
- A film counts once, however often it was sent: known by its bytes, or by moving alike throughout. Of what one
  contributor says of it the newest holds; where two disagree, nobody is believed.
- A contributor is a speaker, and their name alone deals them to a split: so every version deals alike. Of unseen ones
  training hears nothing.
- What was taken back is in no later version, whoever has learned it before.
- Nobody aligned these words: items have none, and only what needs no alignment (CTC) learns from them.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import connected_components

from lipsol.clips.clip import FPS, MouthClip
from lipsol.clips.quality import MIN_FOUND
from lipsol.data.checks.traits import Traits, traits
from lipsol.data.corrections import Correction
from lipsol.data.dataset import CLIPS, Dataset, Item, Split, open_dataset, save
from lipsol.data.mouths import MOUTH, Seen
from lipsol.errors import BadInput
from lipsol.text.alphabet import ALPHABETS, normalise
from lipsol.text.grammar import Grammar

CHARACTERS_A_S = 25.0  # at most: one a frame, which CTC needs, and more than anybody says
FLOOD, FLOOD_S = 20, 60.0  # more corrections of one contributor within so many seconds were not written by a person
MOST = 100  # clips of one contributor: nobody's face outweighs all others
ALIKE = 0.82  # likeness of movement above which two clips are one film (measured for `lipsol data check`)
GRAMMARS: Mapping[str, str] = {"en": "grid", "ur": "urdu"}  # of a data set of corrections alone
SPLIT = "corrections by sha256(contributor)[0]: 0-25 unseen, 26-51 validation, the rest training"
LICENCE = "people's mouths, by their consent: for training, never to be published"

_CONTRIBUTOR = re.compile(r"c[0-9a-f]{16}")  # speakers of earlier versions that corrections brought

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
    *,
    withdrawn: Collection[str] = (),
    language: str = "en",
) -> Summary:
    """Write a data set of corrections to `out`, a folder that is not there yet.

    previous   the data set that they are added to, which may hold earlier ones; None: they stand alone, in `language`
    withdrawn  clips that were taken back since

    Raises BadInput if nothing is left, or `out` holds something already.
    """
    if out.exists() and any(out.iterdir()):
        raise BadInput(f"{out} holds something already", "name a folder that is not there: a version is never changed")
    base = open_dataset(previous) if previous else _empty(language, out)
    newest = [each for each in _newest(corrections) if each.clip_id not in withdrawn]
    said = {each.clip_id for each in newest}
    earlier = [item for item in base.items if _CONTRIBUTOR.fullmatch(item.speaker)]
    left_out: dict[str, str] = {}
    lessons = [
        *(_earlier(item, base.language) for item in earlier if item.id not in said and item.id not in withdrawn),
        *_calm(list(_sound(newest, mouth, base, left_out)), left_out),
    ]
    believed = _each_film_once(lessons, left_out)
    own = [item for item in base.items if not _CONTRIBUTOR.fullmatch(item.speaker)]
    stays = [lesson.item for lesson in believed if lesson.item is not None]
    new = [_taken(lesson.correction, mouth, out) for lesson in believed if lesson.item is None]
    if not own and not stays and not new:
        raise BadInput(
            "no correction can teach anything", "; ".join(sorted(set(left_out.values()))) or "there are none"
        )
    save(_joined(base, (*own, *stays, *new)), out, copy=True)
    removed = sorted({item.id for item in earlier} - {item.id for item in (*stays, *new)})
    return Summary(dict(Counter(item.split for item in new)), len(base.items), removed, left_out)


def split_of(contributor: str) -> Split:
    """Where a contributor belongs, for ever."""
    first = hashlib.sha256(contributor.encode()).digest()[0]
    return "unseen" if first < 26 else "validation" if first < 52 else "train"


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
    """All but those of contributors who flood; of each at most the newest `MOST`."""
    of: dict[str, list[_Lesson]] = {}
    for lesson in lessons:
        of.setdefault(lesson.correction.contributor, []).append(lesson)
    calm = []
    for own in of.values():
        times = [lesson.correction.consented_at for lesson in own]
        flood = any(late - early <= FLOOD_S for early, late in zip(times, times[FLOOD:], strict=False))
        surplus = own if flood else own[:-MOST]
        reason = (
            f"its contributor sent over {FLOOD} within {FLOOD_S:.0f} s"
            if flood
            else f"its contributor has {MOST} newer"
        )
        left_out.update(dict.fromkeys((lesson.correction.clip_id for lesson in surplus), reason))
        calm += own[len(surplus) :]
    return calm


def _each_film_once(lessons: Sequence[_Lesson], left_out: dict[str, str]) -> list[_Lesson]:
    """One lesson a film: none where contributors disagree, else the earliest clip with what is said now."""
    believed = []
    for film in _films(lessons):
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
    count = len(lessons)
    likeness, counted = np.zeros((count, count)), np.zeros((count, count))
    for n in range(len(lessons[0].traits.moves)):
        moves = np.stack([lesson.traits.moves[n] for lesson in lessons])
        moving = moves.any(1)
        likeness, counted = likeness + moves @ moves.T, counted + np.outer(moving, moving)
    alike = likeness / np.maximum(counted, 1) > ALIKE
    digests = np.array([lesson.correction.mouth for lesson in lessons])
    _, film = connected_components(alike | (digests[:, np.newaxis] == digests), directed=False)
    films: dict[int, list[_Lesson]] = {}
    for lesson, n in zip(lessons, film, strict=True):
        films.setdefault(int(n), []).append(lesson)
    return list(films.values())


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
    return Item(path, correction.contributor, (), split_of(correction.contributor), correction.text)


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
    """The data set with corrections in it; their files' names say nothing."""
    with_them = any(_CONTRIBUTOR.fullmatch(item.speaker) for item in items)
    if not with_them:
        return replace(base, items=items)
    return replace(
        base,
        items=items,
        names="",
        licence=_also(base.licence, LICENCE),
        split=_also(base.split, SPLIT),
        corpus=_also(base.corpus, "corrections"),
    )


def _also(before: str, law: str) -> str:
    return before if law in before else f"{before}; {law}" if before else law
