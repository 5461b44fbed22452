"""The command line's grammar: every verb with its arguments and options. What a verb does stands in its own module.

docs/cli.md is generated from this module (services/cli/reference.py), so a help text here is documentation.
"""

from pathlib import Path
from typing import Literal, TypeAlias, get_args

import click

Mode: TypeAlias = Literal["canary", "shadow", "blueGreen", "stable"]
MODES = get_args(Mode)
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
@phrases_option
@hotword_option
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


class Models(InOrder):
    """`lipsol models` and `lipsol models NAME` mean `lipsol models show`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments with `show` before them, if they begin with no verb of the group."""
        known = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if args and args[0] in known else ["show", *args])


@lipsol.group(cls=Models)
def models() -> None:
    """The models that are here; and bundle files: tried, signed, given golden answers."""


@models.command("show")
@click.argument("name", required=False, default="", metavar="[NAME]")
@json_option
def models_show(name: str, *, as_json: bool) -> int:
    """List the models that are here; with a NAME or digest, show that one's card. `show` itself may be left out."""
    from services.cli.models import run

    return run(name, as_json=as_json)


files_argument = click.argument("files", nargs=-1, required=True, type=A_PATH, metavar="FILE...")
passphrase_option = click.option(
    "--passphrase-file",
    type=A_PATH,
    metavar="FILE",
    help="The key's passphrase is this file's first line; without it you are asked.",
)


@models.command("verify")
@files_argument
@click.option(
    "--keys",
    type=A_PATH,
    metavar="PATH",
    help="Public keys, one of which must have signed: a PEM file, or a folder of them. Without it"
    " LIPSOL_REGISTRY__KEYS; without that a bundle may be unsigned.",
)
@json_option
def models_verify(files: tuple[Path, ...], keys: Path | None, *, as_json: bool) -> int:
    """Try bundle files as a service does when it starts.

    Whole, signed, of this format, landmark model and alphabet; and their golden clips read as when they were packed.
    """
    from services.cli.bundles import run_verify

    return run_verify(files, keys, as_json=as_json)


@models.command("sign")
@files_argument
@click.option("--key", type=A_PATH, required=True, metavar="FILE", help="Your private key, a PEM file.")
@passphrase_option
def models_sign(files: tuple[Path, ...], key: Path, passphrase_file: Path | None) -> int:
    """Sign bundle files where they lie, in place of any other signature; each has another digest then."""
    from services.cli.bundles import run_sign
    from services.cli.keys import Passphrase

    return run_sign(files, key, Passphrase(passphrase_file))


@models.command("gild")
@files_argument
@click.option(
    "--clip",
    "clips",
    type=A_PATH,
    multiple=True,
    metavar="VIDEO",
    help="A clip that the model was not trained on, in the place of those that it has; may be given again.",
)
def models_gild(files: tuple[Path, ...], clips: tuple[Path, ...]) -> int:
    """Give bundle files golden answers as this LipSol reads them now; one that is changed by it loses its signature."""
    from services.cli.bundles import run_gild

    return run_gild(files, clips)


@models.group("keys", cls=InOrder)
def models_keys() -> None:
    """Keys that bundles are signed and verified with."""


@models_keys.command("new")
@click.argument("file", type=A_PATH, metavar="FILE.pem")
@passphrase_option
@click.option(
    "--unencrypted", is_flag=True, help="Keep the private key without a passphrase: for a machine's own vault."
)
def models_keys_new(file: Path, passphrase_file: Path | None, *, unencrypted: bool) -> int:
    """Make an Ed25519 key: the private half is FILE.pem, the public one FILE.pub.pem beside it."""
    from services.cli.keys import Passphrase, run_new

    return run_new(file, Passphrase(passphrase_file), unencrypted=unencrypted)


@models_keys.command("show")
@click.argument("path", type=A_PATH, metavar="PATH")
@json_option
def models_keys_show(path: Path, *, as_json: bool) -> int:
    """Print the ids of the public keys in a PEM file or a folder of them."""
    from services.cli.keys import run_show

    return run_show(path, as_json=as_json)


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


@lipsol.group(cls=InOrder)
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


@lipsol.group("dead-letters", cls=InOrder)
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


@lipsol.command()
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


@lipsol.group(cls=InOrder)
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


wait_option = click.option("--wait", is_flag=True, help="Wait until every clip is settled, with a progress bar.")
report_option = click.option(
    "--report",
    type=A_PATH,
    metavar="FILE",
    help="Write a line for each clip there: .csv, or .jsonl for one JSON object a line.",
)


@lipsol.group(cls=InOrder)
def batch() -> None:
    """Thousands of clips at once: sent, followed, and reported on."""


@batch.command("submit")
@click.argument("where", metavar="MANIFEST.csv|FOLDER|s3://BUCKET/PREFIX")
@click.option("--name", default="", metavar="BATCH", help="What the batch is called; without it by where it lies.")
@model_option
@grammar_option
@phrases_option
@hotword_option
@click.option(
    "--language", default="", metavar="CODE", help="Language that is spoken, en or ur; without it the model's."
)
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
