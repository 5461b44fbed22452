"""docs/cli.md's tables of options, made from the parser: `python -m services.cli.reference` renews them.

The words around them are written by hand; each table stands between `<!-- reference: VERB -->` and `<!-- end -->`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from lipsol.errors import BadInput
from services.cli.app import lipsol

PAGE = Path("docs/cli.md")  # from the repository's root
BLOCK = re.compile(r"(?<=<!-- reference: )([\w-]+) -->\n.*?(?=<!-- end -->)", re.DOTALL)


def renewed(page: str) -> str:
    """The page with all its tables as the parser now is. Raises BadInput if a verb has no place in it, or none is."""
    named = BLOCK.findall(page)
    if sorted(named) != sorted(lipsol.commands):
        raise BadInput(
            f"{PAGE} tells of {', '.join(sorted(named))}; the verbs are {', '.join(sorted(lipsol.commands))}",
            "give each verb a section with its `<!-- reference: VERB -->` and `<!-- end -->`",
        )
    return BLOCK.sub(lambda found: f"{found[1]} -->\n{block(lipsol.commands[found[1]])}", page)


def block(verb: click.Command, above: str = "lipsol") -> str:
    """One verb: how it is called, what it does, and a table of what it takes; of a group, each of its verbs."""
    context = click.Context(verb, info_name=f"{above} {verb.name}")
    told = " ".join((verb.help or "").split())
    if isinstance(verb, click.Group):
        parts = (block(each, str(context.info_name)) for each in verb.commands.values())
        return "\n".join([f"{told}\n", *parts])
    usage = " ".join(verb.collect_usage_pieces(context))
    lines = [f"`{context.info_name} {usage}`", "", told, "", "| takes | meaning |", "|---|---|", *_rows(verb), ""]
    return "\n".join(lines)


def _rows(verb: click.Command) -> Iterator[str]:
    """A table row for each argument and option, in the order of the parser."""
    for parameter in verb.params:
        if isinstance(parameter, click.Option):
            yield f"| {_names(parameter)} | {_meaning(parameter)} |"
        else:
            yield f"| `{parameter.metavar}` | {'needed' if parameter.required else 'may be left out'} |"


def _names(option: click.Option) -> str:
    """`--name VALUE`, with its short form."""
    names = ", ".join(f"`{name}`" for name in option.opts)
    if option.is_flag:
        return names
    values = option.metavar or "|".join(getattr(option.type, "choices", ()))
    return f"{names} `{values}`".replace("|", r"\|")


def _meaning(option: click.Option) -> str:
    """The help text, whether it is needed, and what holds without it."""
    told = (option.help or "").replace("|", r"\|")
    if option.required:
        return f"{told} Needed."
    return f"{told} Default `{option.default}`." if option.show_default else told


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
