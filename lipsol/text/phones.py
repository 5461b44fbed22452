"""Words in phones (ARPAbet without stress): a packaged grammar's as a dictionary has them, others by rules of spelling.

The rules are an approximation: they are asked what a word looks like, not how it sounds, and most vowels look alike.
Urdu is given in the nearest English phones, its breath (ھ) as hh: so one table of visemes holds for both.
"""

import re
from collections.abc import Mapping

from lipsol.errors import NotFound

VOWELS = frozenset("aa ae ah ao aw ay eh er ey ih iy ow oy uh uw".split())

# After the CMU Pronouncing Dictionary; a letter is its name.
PHONES_OF: dict[str, tuple[str, ...]] = {
    word: tuple(phones.split())
    for word, phones in {
        "bin": "b ih n", "lay": "l ey", "place": "p l ey s", "set": "s eh t",
        "blue": "b l uw", "green": "g r iy n", "red": "r eh d", "white": "w ay t",
        "at": "ae t", "by": "b ay", "in": "ih n", "with": "w ih dh",
        "a": "ey", "b": "b iy", "c": "s iy", "d": "d iy", "e": "iy", "f": "eh f", "g": "jh iy", "h": "ey ch",
        "i": "ay", "j": "jh ey", "k": "k ey", "l": "eh l", "m": "eh m", "n": "eh n", "o": "ow", "p": "p iy",
        "q": "k y uw", "r": "aa r", "s": "eh s", "t": "t iy", "u": "y uw", "v": "v iy", "x": "eh k s", "y": "w ay",
        "z": "z eh d",
        "zero": "z ih r ow", "one": "w ah n", "two": "t uw", "three": "th r iy", "four": "f ao r", "five": "f ay v",
        "six": "s ih k s", "seven": "s eh v ah n", "eight": "ey t", "nine": "n ay n",
        "again": "ah g eh n", "now": "n aw", "please": "p l iy z", "soon": "s uw n",
    }.items()
}  # fmt: skip

# The words of the packaged Urdu grammar as espeak-ng's voice "ur" says each by itself.
URDU_PHONES_OF: Mapping[str, tuple[str, ...]] = {
    word: tuple(phones.split())
    for word, phones in {
        "آپ": "aa p", "میں": "m ey", "وہ": "w ow", "ہم": "hh ah m",
        "کتنے": "k ih t n ey", "کدھر": "k ih d hh ah r", "کونسا": "k ow n s aa", "کیسے": "k ey s ey",
        "تھا": "t hh aa", "تھے": "t hh ey", "ہوں": "hh uw n", "ہے": "hh eh",
        "جی": "jh iy", "نہیں": "n ah hh iy n", "ہاں": "hh aa",
        "کب": "k ah b", "کون": "k ow n", "کیوں": "k y uw",
        "ایک": "ey k", "دو": "d ow", "تین": "t iy n", "چار": "ch aa r", "پانچ": "p aa n ch", "چھ": "ch hh ey",
        "سات": "s aa t", "آٹھ": "aa t hh", "نو": "n ow",
    }.items()
}  # fmt: skip

# An Urdu letter mostly stands for one sound; short vowels are not written, and ع, ء and ں have no sound of their own.
URDU_LETTERS: Mapping[str, str] = {
    letter: phone
    for phone, letters in {
        "aa": "اآأ", "b": "ب", "p": "پ", "t": "تٹط", "s": "ثسص", "jh": "ج", "ch": "چ", "hh": "حہۂۃھ", "d": "دڈ",
        "z": "ذزضظ", "r": "رڑ", "zh": "ژ", "sh": "ش", "g": "غگ", "f": "ف", "k": "کقخ", "l": "ل", "m": "م", "n": "ن",
        "ow": "وؤ", "iy": "ی", "ey": "ےئۓ",
    }.items()
    for letter in letters
}  # fmt: skip
URDU_FIRST: Mapping[str, str] = {"و": "w", "ی": "y"}  # as the first letter of a word these two are consonants

# Spellings (regular expressions) and the sounds that they mostly have; of two that fit, the first holds.
RULES: tuple[tuple[str, str], ...] = (
    ("eigh", "ey"), ("igh", "ay"), ("tch", "ch"), ("dge", "jh"), ("^kn", "n"), ("^wr", "r"), ("mb$", "m"),
    ("tion", "sh ah n"), ("qu", "k w"), ("th", "th"), ("sh", "sh"), ("ch", "ch"), ("ph", "f"), ("wh", "w"),
    ("ck", "k"), ("ng", "ng"), ("gh", ""),
    ("ee", "iy"), ("ea", "iy"), ("ie", "iy"), ("oo", "uw"), ("ue", "uw"), ("ui", "uw"), ("ew", "uw"), ("ou", "aw"),
    ("ow", "aw"), ("oi", "oy"), ("oy", "oy"), ("oa", "ow"), ("ai", "ey"), ("ay", "ey"), ("ei", "ey"), ("au", "ao"),
    ("aw", "ao"), ("er", "er"), ("ir", "er"), ("ur", "er"), ("or", "ao r"), ("ar", "aa r"),
    ("c(?=[eiy])", "s"), ("(?<=[aeiouy][^aeiouy])e$", ""), ("^y", "y"), ("o$", "ow"), ("'", ""),
    ("a", "ae"), ("b", "b"), ("c", "k"), ("d", "d"), ("e", "eh"), ("f", "f"), ("g", "g"), ("h", "hh"), ("i", "ih"),
    ("j", "jh"), ("k", "k"), ("l", "l"), ("m", "m"), ("n", "n"), ("o", "aa"), ("p", "p"), ("q", "k"), ("r", "r"),
    ("s", "s"), ("t", "t"), ("u", "ah"), ("v", "v"), ("w", "w"), ("x", "k s"), ("y", "iy"), ("z", "z"),
)  # fmt: skip

_COMPILED = [(re.compile(spelling), tuple(sounds.split())) for spelling, sounds in RULES]
_DOUBLED = re.compile(r"([^aeiou])\1")


def phones_of(word: str, language: str = "en") -> list[str]:
    """Phones of a normalised word, by the language's dictionary or else by its rules.

    Raises NotFound for a language that has neither.
    """
    if language == "ur":
        return _urdu(word)
    if language != "en":
        raise NotFound(f"no sounds are known for {language!r}", "give en or ur, or add its words to lipsol.text.phones")
    if word in PHONES_OF:
        return list(PHONES_OF[word])
    single = _DOUBLED.sub(r"\1", word)
    said: list[str] = []
    at = 0
    while at < len(single):
        found = next(((fit, sounds) for rule, sounds in _COMPILED if (fit := rule.match(single, at))), None)
        if found is not None:
            said += found[1]
        at = found[0].end() if found is not None else at + 1
    return said


def _urdu(word: str) -> list[str]:
    if word in URDU_PHONES_OF:
        return list(URDU_PHONES_OF[word])
    rest = [URDU_LETTERS[letter] for letter in word[1:] if letter in URDU_LETTERS]
    first = URDU_FIRST.get(word[:1]) or URDU_LETTERS.get(word[:1])
    return [first, *rest] if first else rest
