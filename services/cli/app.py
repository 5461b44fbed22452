"""The command line's grammar: every verb with its arguments and options. What a verb does stands in its own module.

docs/cli.md is generated from this module (services/cli/reference.py), so a help text here is documentation.
"""

from pathlib import Path

import click

FORMATS = ("text", "json", "jsonl", "srt", "vtt")
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
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


class InOrder(click.Group):
    """A group that lists its verbs in the order in which a person meets them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs as they stand in this module."""
        del ctx
        return list(self.commands)


@click.group(
    cls=InOrder,
    epilog="Exit codes: 0 done, 1 can't be done here, 2 bad input, 3 all read but sure of none. LIPSOL_DEBUG=1 in the"
    " environment shows where a fault came from.",
)
def lipsol() -> None:
    """Read lips: a video of a person speaking goes in, the words come out, with how sure it is."""


@lipsol.command()
@click.argument("clips", nargs=-1, required=True, metavar="CLIP...")
@model_option
@grammar_option
@click.option(
    "--language", default="", metavar="CODE", help="Language that is spoken, en or ur; without it the model's."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="Lines for people, JSON for programs, or captions.",
)
@click.option(
    "--truth",
    type=A_PATH,
    metavar="FILE.csv",
    help="What was really said (columns path and text): shown beside each reading, and each is marked.",
)
@click.option(
    "--output",
    "-o",
    type=A_PATH,
    metavar="PATH",
    help="Write there instead of to the terminal: a file; for captions of several clips a folder, one file a clip.",
)
def read(
    clips: tuple[str, ...], model: str, grammar: str, language: str, form: str, truth: Path | None, output: Path | None
) -> int:
    """Read clips: the words of each, with how sure the reader is.

    A CLIP is a video of one speaking face; a folder or a quoted pattern ("clips/*.mp4") stands for all in it.
    """
    from services.cli.read import ReadOptions, run

    return run(ReadOptions(clips, model, grammar, language, form, truth, output))


@lipsol.command()
@click.option(
    "--manifest",
    type=A_PATH,
    required=True,
    metavar="FILE.csv",
    help="Clips and what was said in them:"
    " columns path (relative to the file) and text; speaker and language if there are any.",
)
@model_option
@grammar_option
@click.option(
    "--output",
    "-o",
    type=A_PATH,
    metavar="FILE.jsonl",
    help="Keep each reading with its truth there, one JSON object a line.",
)
@json_option
def evaluate(manifest: Path, model: str, grammar: str, output: Path | None, *, as_json: bool) -> int:
    """Measure a model on clips whose words are known.

    Error rates with 95 % intervals, how often it abstains, how often it is sure and wrong; for each speaker too.
    """
    from services.cli.evaluate import EvaluateOptions, run

    return run(EvaluateOptions(manifest, model, grammar, output, as_json))


@lipsol.command()
@click.option(
    "--data",
    type=A_PATH,
    default=Path("../shared/data/grid"),
    show_default=True,
    metavar="DIR",
    help="GRID clips and alignments; docs/data.md says how they lie.",
)
@click.option(
    "--out",
    type=A_PATH,
    default=Path("models"),
    show_default=True,
    metavar="DIR",
    help="Where the bundles are written.",
)
@click.option(
    "--cache",
    type=A_PATH,
    default=Path("build/training"),
    show_default=True,
    metavar="DIR",
    help="Where watched clips are kept, so that a second training need not watch them again.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, metavar="N", help="The same seed and data give the same scores."
)
def train(data: Path, out: Path, cache: Path, seed: int) -> int:
    """Train both models and write their bundles (needs the extra `train`)."""
    from services.cli.train import run

    return run(data, out, cache, seed)


@lipsol.command()
@click.argument("name", required=False, default="", metavar="[NAME]")
@json_option
def models(name: str, *, as_json: bool) -> int:
    """List the models that are here; with a NAME or digest, show that one's card."""
    from services.cli.models import run

    return run(name, as_json=as_json)


@lipsol.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on; 0.0.0.0 lets other machines in.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Port of the page and the API, 0 for any free one; without it LIPSOL_PREPROCESS__PORT, or 8080.",
)
def serve(host: str, port: int | None) -> int:
    """Serve the page and the API: the whole platform in one process."""
    from services.cli.serve import run

    return run(host, port)


@lipsol.command()
@json_option
def doctor(*, as_json: bool) -> int:
    """Say what works on this machine, what does not, and how to mend it."""
    from services.cli.doctor import run

    return run(as_json=as_json)
