"""Homophenes: words that look the same on the lips, and so can't be told apart by anybody who only sees them.

Two words are homophenes if their sounds fall into the same viseme classes, one by one (`lipsol.text.visemes`). English
words are sounded by `lipsol.text.phones`; Urdu letters stand for one sound each, and its short vowels are not written.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from lipsol.text.phones import phones_of
from lipsol.text.visemes import visemes_of

# Urdu consonants by where they are made (the sounds are Hindi's of the International Phonetic Association's Handbook,
# 1999, and Arabic's loans), in the viseme classes of English. r is a tap of the tongue's tip. What is made in the
# throat or the nose (ح ع ہ ھ ء ں) has no look of its own.
_URDU: Mapping[str, str] = {
    "lips together": "بپم",
    "lip to teeth": "ف",
    "puckered": "وؤ",
    "lips forward": "جچشژ",
    "teeth together": "سصثزذضظ",
    "tongue up or down": "تٹطدڈنلرڑ",
    "tongue back": "کگقخغ",
    "relaxed": "اآأیےئۓ",
}
_LOOK_OF_LETTER: Mapping[str, str] = {letter: look for look, letters in _URDU.items() for letter in letters}
_UNSEEN = "حعہۂۃھءں"

Look = tuple[str, ...]


@lru_cache(maxsize=4096)
def look_of(text: str, language: str) -> Look:
    """What a normalised text looks like: its visemes. Of a language without a table each letter looks like itself."""
    if language == "en":
        return tuple(look for word in text.split() for look in visemes_of(phones_of(word)))
    letters = [letter for letter in text if letter != " "]
    if language == "ur":
        return tuple(_LOOK_OF_LETTER.get(letter, letter) for letter in letters if letter not in _UNSEEN)
    return tuple(letters)


def homophenes(word: str, others: Iterable[str], language: str) -> tuple[str, ...]:
    """Those of the others that look like the word, sorted, without itself."""
    look = look_of(word, language)
    return tuple(sorted({other for other in others if other != word and look_of(other, language) == look}))
