"""The command line's grammar: every verb with its arguments and options. What a verb does stands in its own module.

docs/cli.md is generated from this grammar (services/cli/reference.py), so a help text here is documentation.
"""

from pathlib import Path

import click

from services.cli.operator_verbs import VERBS
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

FORMATS = ("text", "json", "jsonl", "srt", "vtt")


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


for verb in VERBS:
    lipsol.add_command(verb)
