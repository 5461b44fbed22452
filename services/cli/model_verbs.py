"""The grammar of `lipsol models`: bundles tried, signed, judged, promoted. What a verb does stands apart."""

from pathlib import Path

import click

from services.cli.options import A_PATH, InOrder, cache_option, json_option


class Models(InOrder):
    """`lipsol models` and `lipsol models NAME` mean `lipsol models show`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments with `show` before them, if they begin with no verb of the group."""
        known = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if args and args[0] in known else ["show", *args])


@click.group("models", cls=Models)
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


@models.command("reference")
@files_argument
@click.option(
    "--data",
    type=A_PATH,
    required=True,
    metavar="DATA",
    help="The data set that the models were trained on: its folder, its manifest.csv, or GRID's own folder.",
)
@cache_option
def models_reference(files: tuple[Path, ...], data: Path, cache: Path) -> int:
    """Give bundle files a reference: what clips are like when all is well, which the monitor compares with.

    It is learned from clips of the speakers that the model knows; what is read of them, from validation clips alone. A
    bundle that is changed by it loses its signature.
    """
    from services.cli.bundles import run_reference

    return run_reference(files, data, cache)


@models.command("evaluate")
@click.argument("bundle", type=A_PATH, metavar="BUNDLE")
@click.option(
    "--data",
    type=A_PATH,
    required=True,
    metavar="DATA",
    help="The data set, of which clips that training never saw are read: its folder, its manifest.csv, or GRID's own"
    " folder.",
)
@click.option(
    "--out",
    type=A_PATH,
    default=Path("build/evaluation"),
    show_default=True,
    metavar="DIR",
    help="Where evaluation.json and report.html are written.",
)
@cache_option
@click.option(
    "--champion",
    type=A_PATH,
    metavar="FILE.json",
    help="The evaluation.json of the model that it is to stand beside.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="CLIPS",
    help="Clips read of each speaker and split at most; 0: all.",
)
def models_evaluate(bundle: Path, data: Path, out: Path, cache: Path, champion: Path | None, limit: int) -> int:
    """Read all of a data set that training never saw, and write what was found: for the gate, and for people.

    Seen and unseen speakers side by side, beside guesses and the champion; what is read wrong, who fares worse, how far
    confidence can be believed, how fast. `lipsol evaluate` scores clips of your own instead.
    """
    from services.cli.evaluating import EvaluatingOptions, run

    return run(EvaluatingOptions(bundle, data, out, cache, champion, limit))


@models.command("gate")
@click.argument("evaluation", type=A_PATH, metavar="EVALUATION.json")
@click.option(
    "--champion",
    type=A_PATH,
    metavar="EVALUATION.json",
    help="The champion's evaluation on the same clips. Without it there is no champion.",
)
@click.option(
    "--rules",
    default="full",
    show_default=True,
    metavar="NAME|FILE.json",
    help="`full`, or `brief` for the few clips of a CI; or a file of your own bounds.",
)
@click.option("--out", type=A_PATH, metavar="FILE", help="Write the verdict there, as `--evidence` takes it.")
def models_gate(evaluation: Path, champion: Path | None, rules: str, out: Path | None) -> int:
    """Judge a candidate by its evaluation: every rule with its value, bound and evidence; 1 if it is stopped."""
    from services.cli.promoting import run_gate

    return run_gate(evaluation, champion, rules, out)


by_option = click.option("--by", default="", metavar="WHO", help="Who says so; without it user@machine.")
why_option = click.option("--why", default="", metavar="TEXT", help="Why, in your words: it stays in the history.")
key_option = click.option(
    "--key",
    type=A_PATH,
    metavar="FILE",
    help="Your private key, which signs the record. LIPSOL_REGISTRY__KEYS says whose signature counts.",
)


@models.command("promote")
@click.argument("model", metavar="MODEL")
@click.option(
    "--evidence",
    type=A_PATH,
    metavar="DIR",
    help="Register FILE with the evaluation.json, verdict.json and report.html that lie there.",
)
@click.option(
    "--against-the-gate",
    default="",
    metavar="REASON",
    help="Promote what did not pass, or was never judged; the reason stays in the history.",
)
@by_option
@why_option
@key_option
@passphrase_option
def models_promote(  # an argument for each option
    model: str,
    evidence: Path | None,
    against_the_gate: str,
    by: str,
    why: str,
    key: Path | None,
    passphrase_file: Path | None,
) -> int:
    """Let a bundle read for people: its name means it from now on.

    MODEL is a name, whose newest proposal is taken up; a candidate's digest; or a bundle's FILE, registered first.
    """
    from services.cli.keys import Passphrase
    from services.cli.promoting import Signing, run_promote

    return run_promote(model, evidence, against_the_gate, Signing(by, why, key, Passphrase(passphrase_file)))


@models.command("demote")
@click.argument("name", metavar="NAME")
@click.option("--to", default="", metavar="DIGEST", help="An earlier bundle of that name; without it the one before.")
@by_option
@why_option
@key_option
@passphrase_option
def models_demote(  # an argument for each option
    name: str, to: str, by: str, why: str, key: Path | None, passphrase_file: Path | None
) -> int:
    """Go back to the bundle that a name meant before; no gate is asked."""
    from services.cli.keys import Passphrase
    from services.cli.promoting import Signing, run_demote

    return run_demote(name, to, Signing(by, why, key, Passphrase(passphrase_file)))


@models.command("history")
@click.argument("name", required=False, default="", metavar="[NAME]")
@json_option
def models_history(name: str, *, as_json: bool) -> int:
    """Tell who promoted what, when and on which evidence, newest first."""
    from services.cli.promoting import run_history

    return run_history(name, as_json=as_json)


@models.command("proposals")
@json_option
def models_proposals(*, as_json: bool) -> int:
    """List the candidates that passed their gate and wait for a person's `promote`."""
    from services.cli.promoting import run_proposals

    return run_proposals(as_json=as_json)


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
