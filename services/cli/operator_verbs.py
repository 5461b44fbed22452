"""The operators' part of the command line's grammar: topics, dead letters, a clip's story, traffic, releases,
drift, batches.
"""

from pathlib import Path
from typing import Literal, TypeAlias, get_args

import click

from services.cli.options import (
    A_PATH,
    InOrder,
    grammar_option,
    hotword_option,
    json_option,
    language_option,
    model_option,
    phrases_option,
)
from services.cli.release_verbs import release

Mode: TypeAlias = Literal["canary", "shadow", "blueGreen", "stable"]
MODES = get_args(Mode)


@click.group(cls=InOrder)
def topics() -> None:
    """The topics that services talk on: what each carries, and making them at the broker."""


replication_option = click.option(
    "--replication", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Copies of each message."
)


@topics.command("list")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "json", "markdown", "strimzi")),
    default="table",
    show_default=True,
    help="A table for people, JSON for programs, the table of the documents, or Strimzi's KafkaTopic manifests.",
)
@replication_option
def topics_list(form: str, replication: int) -> int:
    """List the topics: event, key, partitions, how long messages are kept, who writes and who reads."""
    from services.cli.topics import show

    return show(form, replication)


@topics.command("users")
def topics_users() -> int:
    """Print who may write and read which topic, and in which group: Strimzi's KafkaUser manifests."""
    from services.cli.users import users

    print(users())
    return 0


@topics.command("create")
@replication_option
@json_option
def topics_create(replication: int, *, as_json: bool) -> int:
    """Make the topics that are not there yet at the broker that LIPSOL_BUS__SERVERS names; the rest is compared."""
    from services.cli.topics import create

    return create(replication, as_json=as_json)


since_option = click.option(
    "--since", default="", metavar="WHEN", help="Only from then on: 15m, 6h, 2d ago, or a time as 2026-11-21T09:00."
)
kind_option = click.option(
    "--kind",
    default="",
    metavar="KIND",
    help="Only of that kind: bad-input, model-error, exhausted, too-late or unreadable.",
)
stage_option = click.option("--stage", default="", metavar="STAGE", help="Only what died there: inference, say.")


@click.group("dead-letters", cls=InOrder)
def dead_letters() -> None:
    """What the services could not handle: why, what it was, and sending it again once the cause is mended."""


@dead_letters.command("list")
@kind_option
@stage_option
@since_option
@json_option
def dead_letters_list(kind: str, stage: str, since: str, *, as_json: bool) -> int:
    """List the dead letters, oldest first: each with its id, its reason, and whether it was replayed."""
    from services.cli.dead_letters import run_list

    return run_list(kind, stage, since, as_json=as_json)


@dead_letters.command("show")
@click.argument("letter", metavar="ID")
@click.option("--event", is_flag=True, help="Print the event in it alone, whole, as JSON: a file to mend.")
@json_option
def dead_letters_show(letter: str, *, event: bool, as_json: bool) -> int:
    """Show one dead letter: why, what to do, where it came from, and the event in it, with all that it says."""
    from services.cli.dead_letters import run_show

    return run_show(letter, event=event, as_json=as_json)


@dead_letters.command("replay")
@click.argument("letters", nargs=-1, metavar="[ID...]")
@click.option("--all", "every", is_flag=True, help="Replay all that were not replayed yet and that the filters let by.")
@click.option(
    "--with",
    "mended",
    type=A_PATH,
    metavar="FILE",
    help="Send this event instead, a document of `show --event` that you mended; with exactly one ID.",
)
@kind_option
@stage_option
@since_option
@json_option
def dead_letters_replay(  # an argument for each option
    letters: tuple[str, ...], mended: Path | None, kind: str, stage: str, since: str, *, every: bool, as_json: bool
) -> int:
    """Send dead letters again to where they came from, as they were or mended; a repeat does no harm."""
    from services.cli.dead_letters import ReplayOptions, run_replay

    return run_replay(ReplayOptions(letters, every, mended, kind, stage, since, as_json))


@click.command()
@click.argument("clip", metavar="CLIP_ID")
@click.option(
    "--since",
    default="1d",
    show_default=True,
    metavar="WHEN",
    help="How far to look back: 15m, 6h, 2d ago, or to a time as 2026-11-21T09:00.",
)
@click.option("--words", is_flag=True, help="Tell the words too, unless the clip was deleted.")
@json_option
def explain(clip: str, since: str, *, words: bool, as_json: bool) -> int:
    """Tell a clip's whole story: who handled it, when, by which track and model, and why it was refused or died."""
    from services.cli.explain import run

    return run(clip, since, words=words, as_json=as_json)


reason_option = click.option("--reason", default="", metavar="TEXT", help="Why: it stands beside the policy.")


@click.group(cls=InOrder)
def traffic() -> None:
    """Which share of the clips a canary gets, until when, and how to take it all back."""


@traffic.command("show")
@json_option
def traffic_show(*, as_json: bool) -> int:
    """Show what rules the traffic now, for how long yet, and who said so."""
    from services.cli.traffic import run_show

    return run_show(as_json=as_json)


@traffic.command("set")
@click.option(
    "--mode",
    type=click.Choice(MODES),
    required=True,
    help="`canary` has a share read by the canary; `shadow` has copies of a share read by it, whose readings nobody"
    " sees; `blueGreen` has all or nothing read by it; `stable` is `abort`.",
)
@click.option(
    "--weight", type=float, metavar="PERCENT", help="The share of the sessions, 0 to 100; of blueGreen 0 or 100."
)
@click.option(
    "--canary",
    default="",
    metavar="DIGEST",
    help="Bundle that the canary reads with: a name or digest of `lipsol models`; without it the canary's own default.",
)
@click.option(
    "--for",
    "life",
    default="",
    metavar="SECONDS",
    help="How long it holds unless it is set again: 60, or 90s, 15m, 6h, a day at most. Then all goes to stable.",
)
@reason_option
def traffic_set(mode: Mode, weight: float | None, canary: str, life: str, reason: str) -> int:
    """Have a canary read a share of the clips, or copies of it, for a time."""
    from services.cli.traffic import SetOptions, run_set

    return run_set(SetOptions(mode, weight, canary, life, reason))


@traffic.command("abort")
@reason_option
def traffic_abort(reason: str) -> int:
    """Send everything to stable at once; it also reads what waits for the canary."""
    from services.cli.traffic import run_abort

    return run_abort(reason)


@click.group(cls=InOrder)
def drift() -> None:
    """What is no longer as the models know it: what the monitor found, what it did or proposes, and a person's yes."""


@drift.command("status")
@click.option("--all", "every", is_flag=True, help="Those that are over, too.")
@since_option
@json_option
def drift_status(since: str, *, every: bool, as_json: bool) -> int:
    """Show what the monitor finds to be otherwise than the reference: what kind of wrong, since when, and by what."""
    from services.cli.drift import run_status

    return run_status(since, every=every, as_json=as_json)


@drift.command("actions")
@since_option
@json_option
def drift_actions(since: str, *, as_json: bool) -> int:
    """List what was done about drift, and what is proposed and waits for `take`: the newest first."""
    from services.cli.drift import run_actions

    return run_actions(since, as_json=as_json)


@drift.command("take")
@click.argument("action", metavar="ACTION_ID")
def drift_take(action: str) -> int:
    """Take up what is proposed: a training is asked for, a canary is ended; of all else it is noted that you did it."""
    from services.cli.drift import run_take

    return run_take(action)


@drift.command("accept")
@click.option(
    "--track", type=click.Choice(("stable", "canary")), default="stable", show_default=True, help="Of which deployment."
)
@click.option("--model", default="", metavar="MODEL", help="A name or digest of `lipsol models`; else what drifts.")
@click.option("--language", default="", metavar="LANGUAGE", help="As BCP 47; without it all.")
@click.option("--reason", default="", metavar="TEXT", help="Why: it stands beside the action.")
def drift_accept(track: Literal["stable", "canary"], model: str, language: str, reason: str) -> int:
    """Let what is seen now be the new normal: the last windows become what later ones are compared with."""
    from services.cli.drift import run_accept

    return run_accept(track, model, language, reason)


wait_option = click.option("--wait", is_flag=True, help="Wait until every clip is settled, with a progress bar.")
report_option = click.option(
    "--report",
    type=A_PATH,
    metavar="FILE",
    help="Write a line for each clip there: .csv, or .jsonl for one JSON object a line.",
)


@click.group(cls=InOrder)
def batch() -> None:
    """Thousands of clips at once: sent, followed, and reported on."""


@batch.command("submit")
@click.argument("where", metavar="MANIFEST.csv|FOLDER|s3://BUCKET/PREFIX")
@click.option("--name", default="", metavar="BATCH", help="What the batch is called; without it by where it lies.")
@model_option
@grammar_option
@phrases_option
@hotword_option
@language_option
@click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Wait until every clip is settled, or only send them."
)
@report_option
@json_option
def batch_submit(  # an argument for each option
    where: str,
    name: str,
    model: str,
    grammar: str,
    phrases: Path | None,
    hotwords: tuple[str, ...],
    language: str,
    report: Path | None,
    *,
    wait: bool,
    as_json: bool,
) -> int:
    """Send clips to be read, and wait for all of them. Run again it goes on where it was: nothing is sent twice.

    A manifest has the column path, and text, speaker, language and session if they are known; a folder stands for all
    videos in it and in the folders in it.
    """
    from services.cli.batch import SubmitOptions, run_submit
    from services.cli.wordings import Wish

    wish = Wish(grammar, phrases, hotwords)
    return run_submit(SubmitOptions(where, name, model, wish, language, wait, report, as_json))


@batch.command("status")
@click.argument("name", metavar="BATCH")
@wait_option
@report_option
@json_option
def batch_status(name: str, report: Path | None, *, wait: bool, as_json: bool) -> int:
    """Say how a batch stands: clips by state, how fast it goes, how long it takes, and its error rates if known."""
    from services.cli.batch import run_status

    return run_status(name, wait=wait, report=report, as_json=as_json)


VERBS: tuple[click.Command, ...] = (topics, dead_letters, explain, traffic, release, drift, batch)
