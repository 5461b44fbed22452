"""The grammar of `lipsol pipeline`: graphs run here, compiled, or handed to a Kubeflow."""

from pathlib import Path

import click

from services.cli.options import A_PATH, InOrder, json_option

NAMES = ("train", "tune", "daily")


@click.group(cls=InOrder)
def pipeline() -> None:
    """From data to a promoted model: pipelines run on this machine or on a Kubeflow."""


name_argument = click.argument("name", type=click.Choice(NAMES), metavar="train|tune|daily")
set_option = click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="An argument of the pipeline, `NAME=@FILE` for what a file holds; may be given often. docs/delivery.md lists"
    " them.",
)
host_option = click.option(
    "--host", required=True, metavar="URL", help="Where the Kubeflow Pipelines answers, http://... or https://..."
)


@pipeline.command("run")
@name_argument
@click.option("--local", is_flag=True, help="On this machine: the only place where `run` runs.")
@set_option
@json_option
def pipeline_run(name: str, given: tuple[str, ...], *, local: bool, as_json: bool) -> int:
    """Run a pipeline on this machine: the same graph as on a Kubeflow. Run again it goes on where it was.

    Ends with 3 if a gate stopped a model: that one was not promoted, while another of the same run may have been.
    """
    from services.cli.pipeline import run_here

    return run_here(name, given, local=local, as_json=as_json)


@pipeline.command("compile")
@click.option("--out", type=A_PATH, metavar="DIR", help="Where the files are written; without it pipelines/compiled.")
@click.option("--check", is_flag=True, help="Write nothing; fail if a file is not what its pipeline compiles to.")
def pipeline_compile(out: Path | None, *, check: bool) -> int:
    """Write every pipeline as Kubeflow reads it (IR YAML), one file each."""
    from services.cli.pipeline import compile_all

    return compile_all(out, check=check)


@pipeline.command("submit")
@name_argument
@host_option
@set_option
@json_option
def pipeline_submit(name: str, host: str, given: tuple[str, ...], *, as_json: bool) -> int:
    """Hand a pipeline to a Kubeflow and have it run there once."""
    from services.cli.pipeline import submit

    return submit(name, host, given, as_json=as_json)


@pipeline.command("schedule")
@name_argument
@host_option
@click.option(
    "--cron",
    default="",
    metavar="CRON",
    help="When, in six fields with seconds first; without it LIPSOL_PIPELINES__CRON, or 02:00 UTC every day.",
)
@set_option
@json_option
def pipeline_schedule(name: str, host: str, cron: str, given: tuple[str, ...], *, as_json: bool) -> int:
    """Hand a pipeline to a Kubeflow and have it run there by a schedule, in place of the one before."""
    from services.cli.pipeline import schedule

    return schedule(name, host, cron, given, as_json=as_json)
