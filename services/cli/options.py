"""What verbs of the command line share: options that mean the same everywhere, and how groups list their verbs."""

from pathlib import Path

import click

A_PATH = click.Path(path_type=Path)

model_option = click.option(
    "--model",
    default="",
    metavar="NAME",
    help="Model to read with: a name or digest of `lipsol models`; without it the language's own.",
)
grammar_option = click.option(
    "--grammar",
    default="",
    metavar="NAME|FILE|none",
    help="What can be said: a packaged grammar's name, a file of"
    " slots or phrases, or `none` to read freely; without it the model's own.",
)
phrases_option = click.option(
    "--phrases",
    type=A_PATH,
    metavar="FILE",
    help="A board instead of a grammar: read only these phrases (one a line), and tell how sure it is that it was none"
    " of them.",
)
hotword_option = click.option(
    "--hotword",
    "hotwords",
    multiple=True,
    metavar="WORD[:TIMES]",
    help="A word or short phrase that is likelier than usual, TIMES (1 to 1000, without it 10) as likely; may be given"
    " often. It decides what is offered first, never how sure that is.",
)
language_option = click.option(
    "--language", default="", metavar="CODE", help="Language that is spoken, en or ur; without it the model's."
)
cache_option = click.option(
    "--cache",
    type=A_PATH,
    default=Path("build/training"),
    show_default=True,
    metavar="DIR",
    help="Where watched clips are kept, so that nothing need watch them again.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


class InOrder(click.Group):
    """A group that lists its verbs in the order in which a person meets them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order in which they were added."""
        del ctx
        return list(self.commands)
