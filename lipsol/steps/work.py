"""The work folder: what steps keep between attempts and between runs. On a Kubeflow it is a volume that all mount.

mouths/             watched clips, by the file's name, size and time, and by what cut the mouths
members/KEY/        a training's checkpoints and members; KEY names data, code and parameters
begun/KEY           the tracked run of that training
gathered/NAME/KEY/  a data set with its corrections; those of earlier runs go
passed/             what the pictures were like that passed last
"""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lipsol.steps.saying import say

KEY_DIGITS = 16  # of sha256; a work folder holds a few hundred at most


def mouths(work: str) -> Path:
    """Where watched clips are kept."""
    return Path(work) / "mouths"


def kept(work: str, what: str, *key: object) -> Path:
    """Where `what` is kept of that which `key` names: equal keys, equal place."""
    told = json.dumps(key, sort_keys=True).encode()
    return Path(work) / what / hashlib.sha256(told).hexdigest()[:KEY_DIGITS]


@contextmanager
def alone(folder: Path, who: str = "training", tell: Callable[[str], None] = say) -> Iterator[None]:
    """Hold a folder, which is made; wait for whoever has it, and `tell` which other `who` that is.

    A training whose run was killed may still be alive, and two may not write the same checkpoints.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"another {who} has {folder.name}: waiting for it to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
