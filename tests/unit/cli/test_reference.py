import click
import pytest

from lipsol.errors import BadInput
from services.cli.app import lipsol
from services.cli.reference import PAGE, block, renewed


def verbs(group=lipsol, above=""):
    """Every verb that does something, by its full name."""
    for name, verb in group.commands.items():
        if isinstance(verb, click.Group):
            yield from verbs(verb, f"{above}{name} ")
        else:
            yield above + name, verb


OPTIONS = [
    pytest.param(verb, parameter, id=f"{name}-{parameter.name}") for name, verb in verbs() for parameter in verb.params
]


def test_the_page_is_as_the_parser_is_now():
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page) == page, "stale: run `.venv/bin/python -m services.cli.reference`"


@pytest.mark.parametrize("verb", lipsol.commands)
def test_every_verb_is_told_of_by_hand_too(verb):
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {verb}\n")[1].split("\n## ")[0]
    assert f"lipsol {verb}" in section.split("```")[1]  # an example
    assert section.split("<!-- end -->")[1].strip()  # and what no table can say


@pytest.mark.parametrize(("verb", "parameter"), OPTIONS)
def test_every_option_has_a_help_text_and_a_row(verb, parameter):
    if isinstance(parameter, click.Option):
        assert parameter.help
        assert f"`{parameter.opts[0]}`" in block(verb)
    else:
        assert f"`{parameter.metavar}`" in block(verb)


def test_a_group_is_told_of_verb_by_verb():
    @click.group(help="Many things.")
    def things():
        pass

    @things.command("list", help="List them.")
    @click.option("--all", is_flag=True, help="Every one.")
    def listed(**_):
        pass

    told = block(things)
    assert "`lipsol things list [OPTIONS]`" in told
    assert "| `--all` | Every one. |" in told


def test_a_verb_without_a_section_is_told():
    page = PAGE.read_text(encoding="utf-8").replace("<!-- reference: doctor -->", "")
    with pytest.raises(BadInput, match="doctor"):
        renewed(page)


def test_a_changed_table_is_put_right():
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page.replace("`--model`", "`--modell`")) == page
