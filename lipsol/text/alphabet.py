"""Text <-> class ids, and the one spelling that each language is scored, trained and read in.

What a language does to text is data, one row of LANGUAGES: which characters it is spelled with, what is folded to
what, what is dropped and what separates words. A character that no rule knows is kept by `normalise` and refused by
`Alphabet.encode`: it is never dropped silently. Text stays in logical order; showing it right to left is the page's.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lipsol.errors import BadInput, NotFound


@dataclass(frozen=True)
class Alphabet:
    """The characters of a model in class order. Data alone: a bundle carries these two fields, whatever the language.

    Class 0 is CTC's blank; class i + 1 is characters[i]. Raises BadInput for no or repeated characters.
    """

    language: str
    characters: str

    def __post_init__(self) -> None:
        repeated = sorted({c for c in self.characters if self.characters.count(c) > 1})
        if not self.characters or repeated:
            said = f"repeats {', '.join(map(described, repeated))}" if repeated else "has no characters"
            raise BadInput(f"the alphabet of {self.language!r} {said}", "give each character once")

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> list[int]:
        """Class ids (1 and up) of normalised text. Raises BadInput naming the first unknown character and its place."""
        ids = {character: n for n, character in enumerate(self.characters, start=1)}
        for place, character in enumerate(text, start=1):
            if character not in ids:
                said = f"{described(character)}, character {place} of {len(text)},"
                raise BadInput(
                    f"{said} is not in the alphabet {self.language!r}",
                    f"spell it with these, numbers as words: {self.characters.strip()}",
                )
        return [ids[character] for character in text]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of class ids. Raises BadInput for the blank or an id that no character has."""
        for place, n in enumerate(ids, start=1):
            if not 1 <= n <= len(self.characters):
                raise BadInput(
                    f"class {n}, number {place} of {len(ids)}, is no character",
                    f"give ids from 1 to {len(self.characters)}, blanks left out",
                )
        return "".join(self.characters[n - 1] for n in ids)


@dataclass(frozen=True)
class Language:
    """How one language is written.

    characters  all that its normalised text is made of
    lower       capitals are folded to small letters
    folds       one character -> the character that it stands for
    joins       a letter and a mark that NFC leaves apart -> the letter that they make
    dropped     marks that don't change which word is meant
    separators  characters that stand between words, beside white space: lips don't show punctuation
    spellings   a word -> the usual spelling of the same word
    """

    characters: str
    lower: bool = False
    folds: Mapping[str, str] = field(default_factory=dict)
    joins: Mapping[str, str] = field(default_factory=dict)
    dropped: str = ""
    separators: str = ""
    spellings: Mapping[str, str] = field(default_factory=dict)


def _span(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last + 1)))


# Characters that show nothing: soft hyphen, zero-width joiner, word joiner, byte order mark, and the bidi controls
# of Unicode Standard Annex 9 (marks, embeddings, overrides, isolates).
INVISIBLE = "\u00ad\u200d\u2060\ufeff\u061c\u200e\u200f" + _span(0x202A, 0x202E) + _span(0x2066, 0x2069)
PUNCTUATION = '.,;:!?"()[]-\u2010\u2011\u2013\u2014\u2026\u00ab\u00bb\u201c\u201d'
ZERO_WIDTH_SPACES = "\u200b\u200c"  # the second is ZWNJ: Urdu writes it inside what are two words when counted

# Harakat and their Urdu and Quranic kin, the superscript alef, the honorific signs.
HARAKAT = _span(0x064B, 0x0652) + _span(0x0656, 0x0658) + "\u0670" + _span(0x0610, 0x0614)
TATWEEL = "\u0640"
HAMZA_ABOVE = "\u0654"
URDU_DIGITS = _span(0x06F0, 0x06F9)

LANGUAGES: Mapping[str, Language] = {
    # The apostrophe tells words apart (we're, were) and can't join later: every bundle's class ids would move.
    "en": Language(
        characters=" abcdefghijklmnopqrstuvwxyz'",
        lower=True,
        folds={"\u2019": "'", "\u02bc": "'"},
        dropped=INVISIBLE,
        separators=PUNCTUATION + ZERO_WIDTH_SPACES,
    ),
    # Letters after the Urdu rows of Unicode's Arabic block. ھ (aspiration) and ہ (h) are two letters and stay two.
    "ur": Language(
        characters=" اآأبپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنںوؤہۂۃھءیئےۓ" + URDU_DIGITS,
        folds={
            "ي": "ی",
            "ى": "ی",
            "ك": "ک",
            "ه": "ہ",
            "ە": "ہ",
            "ة": "ۃ",
            "ۀ": "ۂ",
            **dict(zip(_span(0x0660, 0x0669) + "0123456789", URDU_DIGITS * 2, strict=True)),
        },
        joins={"ی" + HAMZA_ABOVE: "ئ"},
        dropped=INVISIBLE + HARAKAT + TATWEEL,
        separators=PUNCTUATION + ZERO_WIDTH_SPACES + "۔،؛؟٪٫٬",
        spellings={"پانچھ": "پانچ"},
    ),
}

ALPHABETS: Mapping[str, Alphabet] = {name: Alphabet(name, row.characters) for name, row in LANGUAGES.items()}


def normalise(text: str, language: str) -> str:
    """The one spelling of a text in a language: NFC, folded, single spaces. Doing it twice changes nothing more.

    Characters that no rule knows stay where they are. Raises NotFound for a language without rules.
    """
    if language not in LANGUAGES:
        raise NotFound(f"no language {language!r} is known", f"give one of {', '.join(sorted(LANGUAGES))}")
    rules = LANGUAGES[language]
    composed = unicodedata.normalize("NFC", text)
    if rules.lower:
        composed = composed.lower()
    table = str.maketrans({**rules.folds, **dict.fromkeys(rules.separators, " "), **dict.fromkeys(rules.dropped, "")})
    folded = unicodedata.normalize("NFC", composed.translate(table))
    for apart, joined in rules.joins.items():
        folded = folded.replace(apart, joined)
    return " ".join(rules.spellings.get(word, word) for word in folded.split())


def described(character: str) -> str:
    """A character as a person can find it, also one that can't be seen: 'ي' (U+064A ARABIC LETTER YEH)."""
    return f"{character!r} (U+{ord(character):04X} {unicodedata.name(character, 'without a name')})"
