"""`lipsol models keys`: the keys that bundles are signed and verified with; passphrases, from a file or a person."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from lipsol.errors import BadInput
from lipsol.signing import Keys, SigningKey, is_locked


@dataclass(frozen=True)
class Passphrase:
    """Where a passphrase comes from: a file's first line, or, without one, whoever sits at the terminal."""

    file: Path | None = None

    def ask(self, for_what: str, *, twice: bool = False) -> bytes:
        """The passphrase. Raises BadInput for an empty one, and where there is neither file nor terminal."""
        if self.file is not None:
            return _first_line(self.file)
        if not sys.stdin.isatty():
            raise BadInput(f"no passphrase for {for_what}, and nobody to ask", "name a file with --passphrase-file")
        said = click.prompt(f"Passphrase of {for_what}", hide_input=True, confirmation_prompt=twice, err=True)
        return str(said).encode()


def run_new(path: Path, passphrase: Passphrase, *, unencrypted: bool) -> int:
    """Make a key: the private half at `path`, the public one beside it. Raises BadInput if either is there already."""
    public = path.with_suffix(".pub.pem")
    if public.exists():
        raise BadInput(f"{public} is there already", "name another file: a key is never overwritten")
    key = SigningKey.new()
    key.save(path, b"" if unencrypted else passphrase.ask(str(path), twice=True))
    public.write_bytes(key.public_pem())
    print(f"{key.id}\n  private  {path}  sign with it (`lipsol models sign`), and show it to nobody")
    print(f"  public   {public}  name it in LIPSOL_REGISTRY__KEYS where models are read with")
    return 0


def run_show(path: Path, *, as_json: bool) -> int:
    """Print the ids of the public keys in a file or folder. Raises BadInput for what no service would start with."""
    ids = sorted(Keys.load(path).public)
    print(json.dumps(ids, indent=2) if as_json else "\n".join(ids))
    return 0


def opened(path: Path, passphrase: Passphrase) -> SigningKey:
    """The private key of a file; its passphrase is asked for where there is one."""
    return SigningKey.load(path, passphrase.ask(str(path)) if is_locked(path) else b"")


def _first_line(file: Path) -> bytes:
    try:
        line = file.read_bytes().split(b"\n")[0].rstrip(b"\r")
    except OSError as fault:
        raise BadInput(f"{file} can't be read ({fault.strerror})", "name a file that holds the passphrase") from fault
    if not line:
        raise BadInput(f"{file} begins with no passphrase", "write it into the first line")
    return line
