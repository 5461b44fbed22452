"""The grammar of `lipsol data`: data sets checked, brought in, versioned and made. What a verb does stands apart."""

from pathlib import Path

import click

from services.cli.options import A_PATH, InOrder, cache_option, json_option


@click.group("data", cls=InOrder)
def data_sets() -> None:
    """Data sets: clips with what is said in them, who says it, and what they may be used for."""


where_argument = click.argument("where", type=A_PATH, metavar="MANIFEST")


@data_sets.command("check")
@where_argument
@click.option(
    "--out",
    type=A_PATH,
    default=Path("build/checks"),
    show_default=True,
    metavar="DIR",
    help="Where checks.json and report.html are written.",
)
@cache_option
@click.option(
    "--rules",
    default="default",
    show_default=True,
    metavar="NAME|FILE.json",
    help="The bounds, and which of them stop: a packaged set of rules, or a file that changes some of them.",
)
@click.option(
    "--previous",
    type=A_PATH,
    metavar="MANIFEST",
    help="The data set's last version, to which its pictures are compared.",
)
@click.option(
    "--model",
    type=A_PATH,
    metavar="FILE.lipsol",
    help="A bundle that reads the clips too: what it surely reads otherwise is told as a swapped transcript.",
)
@json_option
def data_check(  # an argument for each option
    where: Path, out: Path, cache: Path, rules: str, previous: Path | None, model: Path | None, *, as_json: bool
) -> int:
    """Look for what would spoil a training: faults in the table, the pictures, the transcripts and the split.

    MANIFEST is a data set's folder, its manifest.csv, or GRID's own folder. Ends with 2 if a fault stops it.
    """
    from services.cli.data import CheckOptions, run_check

    return run_check(CheckOptions(where, out, cache, rules, previous, model, as_json))


@data_sets.command("import")
@click.argument("source", type=A_PATH, metavar="SOURCE")
@click.option("--out", type=A_PATH, required=True, metavar="FOLDER", help="Where the data set is written.")
@click.option("--copy", is_flag=True, help="Copy the clips too; without it the manifest names them where they lie.")
def data_import(source: Path, out: Path, *, copy: bool) -> int:
    """Write a source of clips as a data set: GRID's own folder, or another data set."""
    from services.cli.data import run_import

    return run_import(source, out, copy=copy)


@data_sets.command("push")
@click.argument("folder", type=A_PATH, metavar="FOLDER")
@click.option("--name", default="", metavar="NAME", help="What it is called; without it the data set's own name.")
@click.option("--message", "-m", default="", metavar="TEXT", help="What is new in it.")
def data_push(folder: Path, name: str, message: str) -> int:
    """Keep a data set, or a folder of bundles, as a version where LIPSOL_DATA__REMOTE says; print its revision."""
    from services.cli.versions import push

    return push(folder, name, message)


@data_sets.command("versions")
@click.argument("name", default="", metavar="[NAME]")
@json_option
def data_versions(name: str, *, as_json: bool) -> int:
    """List the versions that are kept, newest first."""
    from services.cli.versions import show

    return show(name, as_json=as_json)


@data_sets.command("pull")
@click.argument("name", metavar="NAME")
@click.option("--rev", default="latest", show_default=True, metavar="REV", help="Which version: six characters do.")
@click.option("--to", type=A_PATH, required=True, metavar="FOLDER", help="Where it is brought to: no folder yet.")
def data_pull(name: str, rev: str, to: Path) -> int:
    """Bring a version back, checked by its digest."""
    from services.cli.versions import bring

    return bring(name, rev, to)


@data_sets.command("synthesise")
@click.option("--language", required=True, metavar="TAG", help="What the made-up speakers say: ur.")
@click.option("--out", type=A_PATH, required=True, metavar="FOLDER", help="Where the data set is written.")
@click.option("--speakers", type=int, default=24, show_default=True, metavar="N", help="How many are made up, 4 up.")
@click.option("--sentences", type=int, default=60, show_default=True, metavar="M", help="How many each one says.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="S", help="Where all chance comes from.")
def data_synthesise(language: str, out: Path, speakers: int, sentences: int, seed: int) -> int:
    """Draw mouths that say what nobody said, for a language without a corpus. Marked as synthetic wherever it goes."""
    from services.cli.synthesise import synthesise

    return synthesise(language, out, speakers, sentences, seed)


@data_sets.command("corrections")
@click.option(
    "--withdraw", multiple=True, metavar="CLIP_ID", help="Take back what this clip teaches; may be given often."
)
@json_option
def data_corrections(withdraw: tuple[str, ...], *, as_json: bool) -> int:
    """List what people let LipSol learn from, or take some of it back for them. The store is LIPSOL_STORE__...'s."""
    from services.cli.feedback import corrections

    return corrections(withdraw, as_json=as_json)


@data_sets.command("from-feedback")
@click.option("--out", type=A_PATH, required=True, metavar="FOLDER", help="Where the new version is written.")
@click.option(
    "--with", "previous", type=A_PATH, metavar="DATASET", help="The data set that the corrections are added to."
)
@cache_option
@click.option(
    "--language", default="en", show_default=True, metavar="CODE", help="Of a data set of corrections alone: en or ur."
)
def data_from_feedback(out: Path, previous: Path | None, cache: Path, language: str) -> int:
    """Make a new version of a data set of what people corrected and let LipSol learn from.

    What is spam, can't have been said, is contradicted, or is in the data set already is left out, and told. The rest
    is for training alone: nobody knows who sent it.
    """
    from services.cli.feedback import from_feedback

    return from_feedback(out, previous, cache, language)
