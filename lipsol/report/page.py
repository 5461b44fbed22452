"""Reports for people: one HTML file that needs nothing but itself, light or dark, left to right or right to left.

A section reads from top to bottom: words, tables and pictures in the order given. Everything that is shown is escaped,
and each text finds its own direction (`dir="auto"`), so a clip's transcript can be of any language. The only door to
Jinja.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined

Mood = Literal["good", "warn", "bad"]

_TEMPLATE = "page.html"


@dataclass(frozen=True)
class Picture:
    """A picture that carries its own bytes. alt: what it shows, for who can't see it; `width` in CSS pixels, 0: own."""

    data: bytes
    media: Literal["image/svg+xml", "image/png"]
    alt: str
    caption: str = ""
    width: int = 0

    @property
    def src(self) -> str:
        """The picture as a data URI."""
        return f"data:{self.media};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True)
class Row:
    """Pictures side by side, under each other where there is no room."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Note:
    """A sentence that must not be overlooked."""

    mood: Mood
    text: str


Cell: TypeAlias = str | Picture | Note | tuple[str, ...]  # several strings stand under each other


@dataclass(frozen=True)
class Table:
    """Rows of cells under their heads; `numbers`: columns, counted from 0, whose figures stand right-aligned.

    folded  shown only to who opens it, under the caption
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    numbers: tuple[int, ...] = ()
    folded: bool = False


Part: TypeAlias = str | Note | Table | Picture | Row  # a string is a paragraph


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: tuple[Part, ...]

    @property
    def anchor(self) -> str:
        """Where the contents lead to."""
        return "".join(each if each.isalnum() else "-" for each in self.title.lower())


def page(title: str, sections: Sequence[Section], *, lead: str = "", language: str = "en") -> str:
    """The whole file. lead: what a person who reads one sentence should read."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.tests.update({name: lambda part, kind=kind: isinstance(part, kind) for name, kind in _KINDS.items()})
    return environment.get_template(_TEMPLATE).render(title=title, lead=lead, language=language, sections=sections)


_KINDS = {"picture": Picture, "row": Row, "note": Note, "table": Table, "words": str, "lines": tuple}
