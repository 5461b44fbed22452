"""Visemes: classes of English sounds that look the same on the lips.

They tell errors that no lip reader can avoid (b for p) from those that a better one would not make.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from lipsol.errors import BadInput
from lipsol.text.scoring import Step, align

NOTHING = ""  # stands for the missing side where a sound was added or left out

# Classes of J. Jeffers and M. Barley, "Speechreading (lipreading)" (Thomas, 1971), in ARPAbet as given with TCD-TIMIT
# (Harte and Gillen 2015). /hh/ is made in the throat and has no look of its own, so it stands in none of them.
VISEMES: Mapping[str, frozenset[str]] = {
    "lip to teeth": frozenset("f v".split()),
    "puckered": frozenset("er ow r w uh uw".split()),
    "lips together": frozenset("b p m".split()),
    "relaxed to puckered": frozenset("aw".split()),
    "tongue between teeth": frozenset("dh th".split()),
    "lips forward": frozenset("ch jh sh zh".split()),
    "rounded": frozenset("oy ao".split()),
    "teeth together": frozenset("s z".split()),
    "relaxed": frozenset("aa ae ah ay eh ey ih iy y".split()),
    "tongue up or down": frozenset("d l n t".split()),
    "tongue back": frozenset("g k ng".split()),
}
VISEME_OF: Mapping[str, str] = {phone: viseme for viseme, phones in VISEMES.items() for phone in phones}


def visemes_of(phones: Sequence[str]) -> list[str]:
    """The looks of phones (ARPAbet without stress), those without one left out. Raises BadInput if one is unknown."""
    for phone in phones:
        if phone not in VISEME_OF and phone != "hh":
            raise BadInput(f"{phone!r} is no phone that is known", f"give ARPAbet: {' '.join(sorted(VISEME_OF))} hh")
    return [VISEME_OF[phone] for phone in phones if phone in VISEME_OF]


def viseme_confusions(steps: Iterable[Step[str]], phones_of: Mapping[str, Sequence[str]]) -> Counter[tuple[str, str]]:
    """How often each viseme was read as each, (true, read) -> count, over the words of an alignment.

    phones_of: the phones of each word. Word pairs are aligned viseme by viseme. Raises BadInput for one without.
    """
    found: Counter[tuple[str, str]] = Counter()
    for step in steps:
        said, read = _looks(step.truth, phones_of), _looks(step.reading, phones_of)
        found.update((each.truth or NOTHING, each.reading or NOTHING) for each in align(said, read))
    return found


def _looks(word: str | None, phones_of: Mapping[str, Sequence[str]]) -> list[str]:
    if word is None:
        return []
    if word not in phones_of:
        raise BadInput(f"the word {word!r} has no phones", "add its pronunciation")
    return visemes_of(phones_of[word])
