"""The pages of `docs/runbooks/`, as a browser shows them: what to do when something is wrong, where it is told.

They lie beside the code in a checkout and in the images; where they are not, nothing links to them. The one door to
Markdown; what looks like HTML in a page is shown as text.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path

from lipsol.errors import NotFound

FOLDER = Path(__file__).parents[2] / "docs" / "runbooks"
LINK = re.compile(r'<a href="(?!#|https?://)([^"]*)">(.*?)</a>', flags=re.DOTALL)  # to a file of the repository
PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>{title} – LipSol</title>
  <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/assets/board.css">
</head>
<body>
  <nav><a href="/">The board</a></nav>
  <main class="prose">
{body}  </main>
</body>
</html>
"""


class Runbooks:
    """The runbooks that are here."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    @cached_property
    def names(self) -> Sequence[str]:
        """Their names, sorted."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.md")))

    def page(self, name: str) -> str:
        """One of them as HTML. Raises NotFound if there is no such."""
        from markdown_it import MarkdownIt

        if name not in self.names:
            raise NotFound(f"no runbook {name[:80]!r}", f"there are {', '.join(self.names) or 'none'}")
        text = (self._folder / f"{name}.md").read_text(encoding="utf-8")
        body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
        title = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
        return PAGE.format(title=escape(title[1] if title else name), body=LINK.sub(self._link, body))

    def _link(self, found: re.Match[str]) -> str:
        """A link to another runbook leads there; one to what is not served is its words alone."""
        name, mark, part = found[1].partition("#")
        stem = name.removesuffix(".md").removeprefix("./")
        known = name.endswith(".md") and stem in self.names
        return f'<a href="/runbooks/{stem}{mark}{part}">{found[2]}</a>' if known else found[2]
