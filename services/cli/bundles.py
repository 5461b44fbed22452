"""`lipsol models sign`, `verify`, `gild`, `reference`: bundle files vouched for, tried, given what they lack."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lipsol import golden
from lipsol.archive import Archive, write
from lipsol.bundle import Bundle
from lipsol.clips.watch import Watcher
from lipsol.data.dataset import Item, open_dataset
from lipsol.data.mouths import Seen, seen, watch_all
from lipsol.drift.reference import LEAST
from lipsol.errors import BadInput, LipsolError, ModelError
from lipsol.evaluation.normal import with_reference
from lipsol.reader import Reader
from lipsol.runtime.cpus import available_cpus
from lipsol.runtime.settings import Settings
from lipsol.signing import Keys
from services.cli import FAULT, reason, tell
from services.cli.environment import quiet
from services.cli.hush import greet_unheard
from services.cli.keys import Passphrase, opened
from services.cli.sources import clip_bytes


@dataclass(frozen=True)
class Verdict:
    """What a bundle file was found to be. fault: why it would be refused, "" if it would not.

    signed_by  id of the key that signed it, "" for none; whether a trusted key did is `verified`
    golden     how many golden answers it gave as it did when it was packed
    """

    file: str
    name: str = ""
    version: str = ""
    digest: str = ""
    signed_by: str = ""
    verified: bool = False
    golden: int = 0
    fault: str = ""


def run_sign(files: Sequence[Path], key_file: Path, passphrase: Passphrase) -> int:
    """Sign bundles where they lie. Raises ModelError, and signs none, if one of them could not be read with."""
    key = opened(key_file, passphrase)
    greet_unheard()
    for file in files:
        golden.check(Reader(Bundle.load(file)))  # a signature says that somebody vouches for it
    for file in files:
        held = Archive.read(file)
        digest = write(file, held.signed(key))
        print(f"{file} signed by {key.id}: it is {digest[:12]} now, and was {held.digest[:12]}")
    return 0


def run_verify(files: Sequence[Path], keys_at: Path | None, *, as_json: bool) -> int:
    """Try each bundle as a service would, and print what was found; 1 if any would be refused."""
    keys_at = keys_at or quiet(Settings).registry.keys
    keys = None if keys_at is None else Keys.load(keys_at)
    greet_unheard()
    verdicts = [verdict(file, keys) for file in files]
    if as_json:
        print(json.dumps([asdict(each) for each in verdicts], ensure_ascii=False, indent=2))
    else:
        print("\n".join(line(each) for each in verdicts))
    return FAULT if any(each.fault for each in verdicts) else 0


def verdict(file: Path, keys: Keys | None) -> Verdict:
    """All that opening a bundle looks at."""
    try:
        bundle = Bundle.load(file, keys)
        signature = Archive.read(file).signature()
        golden.check(Reader(bundle))
    except LipsolError as fault:
        return Verdict(str(file), fault=reason(fault))
    signed_by = "" if signature is None else signature.key
    answers = sum(len(clip.answers) for clip in bundle.golden)
    verified = keys is not None  # or it would not have been loaded
    return Verdict(str(file), bundle.name, bundle.version, bundle.digest, signed_by, verified, answers)


def line(found: Verdict) -> str:
    """A verdict for people."""
    if found.fault:
        return f"✗ {found.file}: {found.fault}"
    signed = f"signed by {found.signed_by}" if found.signed_by else "unsigned"
    checked = "" if found.verified or not found.signed_by else " (not checked: no key is set)"
    told = f"{found.name} {found.version}, {found.digest[:12]}, {signed}{checked}, {found.golden} golden answers given"
    return f"✓ {found.file}: {told}"


def run_gild(files: Sequence[Path], clips: Sequence[Path]) -> int:
    """Give bundles golden answers: of these clips, or, without any, of those that each has already, read anew.

    A bundle that reads those as it did is left alone. Raises BadInput for a bundle that has none where no clip is
    named, and for a clip that can't be read.
    """
    greet_unheard()
    watcher = Watcher()
    watched = {clip.stem: watcher.watch(clip_bytes(clip)).mouth for clip in clips}
    for file in files:
        bundle = Bundle.load_ungilded(file)
        reader = Reader(bundle)
        if not watched and holds(reader):
            print(f"{file} gives its golden answers: it stays {bundle.digest[:12]}")
            continue
        if not watched and not bundle.golden:
            raise BadInput(f"{file} has no golden clips yet", "name one or two with --clip that it was not trained on")
        gilded = replace(bundle, golden=golden.make(reader, watched) if watched else golden.renewed(reader))
        renew(file, bundle, gilded)
        print("\n".join(f"  {told}" for told in answers(gilded, bundle)))
    return 0


def renew(file: Path, was: Bundle, now: Bundle) -> None:
    """Write a bundle in another's place, and say so; a signature is of what was."""
    signed = Archive.read(file).signature() is not None
    print(f"{file} is {now.save(file)[:12]} now, and was {was.digest[:12]}")
    if signed:
        tell(BadInput("what was signed is no more, so the signature is gone", "`lipsol models sign`"), str(file))


def run_reference(files: Sequence[Path], data: Path, cache: Path) -> int:
    """Give bundles a reference from a data set; one that has that very reference is left alone.

    Raises BadInput for a bundle of another language than the data's, and for data of too few clips.
    """
    greet_unheard()
    dataset = open_dataset(data)
    faults = watch_all(dataset.items, cache, available_cpus())

    def look(item: Item) -> Seen | None:
        return None if item.name in faults else seen(item, cache)

    for file in files:
        bundle = Bundle.load(file)
        if bundle.language != dataset.language:
            raise BadInput(
                f"{bundle.name} reads {bundle.language!r}, the data set {dataset.name} is in {dataset.language!r}",
                "give it a reference from data of its language",
            )
        now = with_reference(bundle, dataset, look)
        if not now.reference:
            raise BadInput(
                f"{dataset.name} has fewer than {LEAST} clips of its home speakers", "take a larger data set"
            )
        if now.reference == bundle.reference:
            print(f"{file} has this reference: it stays {bundle.digest[:12]}")
        else:
            renew(file, bundle, now)
    return 0


def holds(reader: Reader) -> bool:
    """Whether the reader's bundle has golden answers, and gives them."""
    try:
        golden.check(reader)
    except ModelError:
        return False
    return True


def answers(now: Bundle, before: Bundle) -> list[str]:
    """A line for each golden answer, with what it was before if that was another."""
    old = {(clip.name, each.way): each for clip in before.golden for each in clip.answers}
    lines = []
    for clip in now.golden:
        for each in clip.answers:
            was = old.get((clip.name, each.way), each)
            changed = "" if was == each else f", was {was.text!r} at {was.confidence:.4f}"
            lines.append(f"{clip.name} ({each.way}): {each.text!r} at {each.confidence:.4f}{changed}")
    return lines
