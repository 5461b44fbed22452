"""Real mouths without the cost of finding them: each sample is watched once by the real watcher and kept in `build/`.

A clip of the scenarios is a few bytes that name a mouth (`clip_bytes`), and `StoredWatcher` stands where the video
decoder and the face models stand otherwise. Most mouths are cut to a second, so that they ride inside their event;
every fourth is whole and goes by claim check.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from lipsol.clips.clip import MouthClip
from lipsol.clips.quality import Quality
from lipsol.clips.watch import Watched, Watcher
from lipsol.errors import BadInput
from tests.conftest import TOP, read_samples

FOLDER = TOP / "build" / "scenarios" / "mouths"
WHOLE_EVERY = 4  # of the clips, one is a whole mouth
SHORT = 25  # frames of the others
PREFIX = b"mouth:"
TIMINGS_MS = {"decode": 0.0, "face": 0.0, "mouth": 0.0, "quality": 0.0}


def clip_bytes(number: int, salt: str) -> bytes:
    """A clip that shows mouth `number`, counted round the mouths that there are; `salt` tells it from others."""
    return PREFIX + f"{number}:{salt}".encode()


def prepare(folder: Path = FOLDER) -> Path:
    """Watch the samples where that was not done before; returns the folder of their mouths."""
    paths = [sample.path for sample in read_samples()]
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
    if (folder / "stamp").exists() and (folder / "stamp").read_text() == stamp:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    watcher = Watcher()
    for number, path in enumerate(paths):
        watched = watcher.watch(path.read_bytes())
        (folder / f"{number}.npz").write_bytes(watched.mouth.to_bytes())
        (folder / f"{number}.json").write_text(json.dumps(watched.quality.as_dict()))
    (folder / "stamp").write_text(stamp)
    return folder


class StoredWatcher:
    """Gives the mouth that a clip names; refuses any other bytes, as the decoder does."""

    def __init__(self, folder: Path = FOLDER) -> None:
        files = sorted(folder.glob("*.npz"), key=lambda path: int(path.stem))
        self._mouths = [MouthClip.from_bytes(path.read_bytes()) for path in files]
        documents = (json.loads(path.with_suffix(".json").read_text()) for path in files)
        self._quality: Sequence[Quality] = [Quality(**document) for document in documents]

    def watch(self, data: bytes) -> Watched:
        """The mouth. Raises BadInput for bytes that name none."""
        if not data.startswith(PREFIX):
            raise BadInput(f"{len(data)} bytes that are no video", "send a clip")
        number = int(data.removeprefix(PREFIX).split(b":")[0])
        which = number % len(self._mouths)
        mouth = self._mouths[which]
        if number % WHOLE_EVERY:
            middle = len(mouth) // 2
            mouth = mouth.cut(middle - SHORT // 2, middle - SHORT // 2 + SHORT)
        return Watched(mouth, self._quality[which], 1, dict(TIMINGS_MS))
