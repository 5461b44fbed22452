"""The releases' part of the command line's grammar."""

import click

from services.cli.options import InOrder, json_option

release_argument = click.argument("release", default="", metavar="[RELEASE]")


@click.group(cls=InOrder)
def release() -> None:
    """A release that is let in step by step: how it stands, as it goes on, back to stable at once, its whole story."""


@release.command("status")
@release_argument
@json_option
def release_status(release: str, *, as_json: bool) -> int:
    """Show what rules the traffic, and the rollout that is under way or was the last: on one screen."""
    from services.cli.release import run_status

    return run_status(release, as_json=as_json)


@release.command("watch")
@release_argument
@click.option("--once", is_flag=True, help="Show how it stands now, and end.")
def release_watch(release: str, *, once: bool) -> int:
    """Watch a rollout until its verdict: steps, weights, evidence, what is waited for. 0: it passed, 1: it did not."""
    from services.cli.release_watch import run_watch

    return run_watch(release, once=once)


@release.command("abort")
@release_argument
@click.option("--reason", default="", metavar="TEXT", help="Why: it stands beside the policy and in the story.")
def release_abort(release: str, reason: str) -> int:
    """Send everything to stable at once, then see whether the release's analyst stands down."""
    from services.cli.release import run_abort

    return run_abort(release, reason)


@release.command("explain")
@release_argument
@click.option("--revision", type=click.IntRange(1), metavar="N", help="Helm's revision; without it the newest.")
@json_option
def release_explain(release: str, revision: int | None, *, as_json: bool) -> int:
    """Tell a rollout's whole story: what was tried, its steps and evidence, what decided, who ended it, what next."""
    from services.cli.release import run_explain

    return run_explain(release, revision or 0, as_json=as_json)
