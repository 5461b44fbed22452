"""The command line's grammar: every verb with its arguments and options. What a verb does stands in its own module.

docs/cli.md is generated from this grammar (services/cli/reference.py), so a help text here is documentation.
"""

from pathlib import Path
from typing import Any

import click

from services.cli.data_verbs import data_sets
from services.cli.model_verbs import models
from services.cli.operator_verbs import VERBS
from services.cli.options import (
    A_PATH,
    InOrder,
    cache_option,
    grammar_option,
    hotword_option,
    json_option,
    language_option,
    model_option,
    phrases_option,
)
from services.cli.pipeline_verbs import pipeline

FORMATS = ("text", "json", "jsonl", "srt", "vtt")


@click.group(
    cls=InOrder,
    epilog="Exit codes: 0 done, 1 can't be done here, 2 bad input, 3 all read but sure of none,"
    " or stopped by the gate. LIPSOL_DEBUG=1 in the"
    " environment shows where a fault came from.",
)
def lipsol() -> None:
    """Read lips: a video of a person speaking goes in, the words come out, with how sure it is."""


@lipsol.command()
@click.argument("clips", nargs=-1, required=True, metavar="CLIP...")
@model_option
@grammar_option
@phrases_option
@hotword_option
@language_option
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
def read(  # an argument for each option
    clips: tuple[str, ...],
    model: str,
    grammar: str,
    phrases: Path | None,
    hotwords: tuple[str, ...],
    language: str,
    form: str,
    truth: Path | None,
    output: Path | None,
) -> int:
    """Read clips: the words of each, with how sure the reader is.

    A CLIP is a video of one speaking face; a folder or a quoted pattern ("clips/*.mp4") stands for all in it.
    """
    from services.cli.read import ReadOptions, run
    from services.cli.wordings import Wish

    return run(ReadOptions(clips, model, Wish(grammar, phrases, hotwords), language, form, truth, output))


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
@phrases_option
@hotword_option
@click.option(
    "--output",
    "-o",
    type=A_PATH,
    metavar="FILE.jsonl",
    help="Keep each reading with its truth there, one JSON object a line.",
)
@json_option
def evaluate(  # an argument for each option
    manifest: Path,
    model: str,
    grammar: str,
    phrases: Path | None,
    hotwords: tuple[str, ...],
    output: Path | None,
    *,
    as_json: bool,
) -> int:
    """Measure a model on clips whose words are known.

    Error rates with 95 % intervals, how often it abstains, how often it is sure and wrong; for each speaker too.
    """
    from services.cli.evaluate import EvaluateOptions, run
    from services.cli.wordings import Wish

    return run(EvaluateOptions(manifest, model, Wish(grammar, phrases, hotwords), output, as_json))


@lipsol.command()
@click.option(
    "--data",
    type=A_PATH,
    default=Path("../shared/data/grid"),
    show_default=True,
    metavar="DIR",
    help="A data set, or GRID's own folder; docs/data.md says how they lie.",
)
@click.option(
    "--out",
    type=A_PATH,
    default=Path("models"),
    show_default=True,
    metavar="DIR",
    help="Where the bundles are written.",
)
@cache_option
@click.option(
    "--seed", type=int, default=1, show_default=True, metavar="N", help="The same seed and data give the same scores."
)
@click.option(
    "--plan", default="full", show_default=True, metavar="PLAN", help="full, brief, drawn, a JSON file or JSON itself."
)
@click.option(
    "--limit", type=int, default=0, show_default=True, metavar="N", help="Clips of each speaker and split; 0: all."
)
@click.option("--shuffled-labels", "spoil", is_flag=True, help="Deal the labels anew, to see a worse model stopped.")
@click.option(
    "--like", default="", metavar="MODEL", help="Train again as that bundle's card tells; a file, a name or a digest."
)
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Where to compute."
)
@click.option(
    "--precision",
    type=click.Choice(["single", "bfloat16", "float16"]),
    help="What to compute in; without it single on a CPU, bfloat16 on a GPU.",
)
def train(data: Path, out: Path, cache: Path, **asked: Any) -> int:
    """Train both models and write their bundles (needs the extra `train`).

    The same command goes on where one was killed.
    """
    from services.cli.train import TrainOptions, run

    return run(TrainOptions(data, out, cache, **asked))


lipsol.add_command(data_sets)
lipsol.add_command(pipeline)
lipsol.add_command(models)


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


for verb in VERBS:
    lipsol.add_command(verb)
