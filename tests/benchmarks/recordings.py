"""What a recording costs as it grows: the memory of one minute and of ten, and how well its sentences are read.

Every recording is made of GRID's clips, one behind the other, and read by a process of its own as `lipsol read` reads
it; its memory is the most that it and the decoder held, shared pages once, less the file's own bytes: those are held
for as long as it is read, as whoever sends a file expects.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from lipsol.data.dataset import Item, open_dataset
from lipsol.text.scoring import word_error_rate
from tests.benchmarks.figures import Figure
from tests.benchmarks.ground import Ground
from tests.clips_made import spliced

TOP = Path(__file__).resolve().parents[2]
DATA = TOP.parent / "shared" / "data" / "grid"
MINUTES = (1, 10)
SENTENCES = 20  # a minute of GRID
GROWTH = 1.1  # times the memory of a minute that ten minutes may take
LOOK_S = 0.1


def measure(_: Ground) -> list[Figure]:
    """Peak memory, speed, and word error rate; nothing where GRID is not here."""
    if not DATA.is_dir():
        return []
    known = [item for item in open_dataset(DATA).items if item.speaker == "s1" and item.split == "test"][:SENTENCES]
    figures, peaks = [], []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in MINUTES:
            film = Path(folder) / f"{minutes}.mp4"
            film.write_bytes(spliced([item.path for item in known], times=minutes))
            began = time.perf_counter()
            told, peak = _read(film)
            took_s = time.perf_counter() - began
            peak -= film.stat().st_size
            peaks.append(peak)
            figures += [
                Figure(f"recording_{minutes}_min_memory", round(peak / 2**20, 1), "MiB"),
                Figure(f"recording_{minutes}_min_speed", round(60 * minutes / took_s, 2), "times as fast as speech"),
                Figure(f"recording_{minutes}_min_wer", round(_wer(known * minutes, told), 4), "WER"),
            ]
    return [*figures, Figure("recording_memory_growth", round(peaks[1] / peaks[0], 3), "times", GROWTH, below=True)]


def _wer(items: Sequence[Item], sentences: Sequence[str]) -> float:
    """Of all words in order, however they were parted into sentences."""
    return word_error_rate([" ".join(item.text for item in items)], [" ".join(sentences)])


def _read(film: Path) -> tuple[list[str], int]:
    """What is read of it, and the most bytes that reading held."""
    command = [sys.executable, "-m", "services.cli", "read", "--format", "json", str(film)]
    process = subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE, env=os.environ | {"LIPSOL_DEBUG": "1"})
    peak = [0]
    watching = threading.Thread(target=_watch, args=(process.pid, peak))
    watching.start()
    out, _ = process.communicate()
    watching.join()
    return [each["text"] for each in json.loads(out)["sentences"] if each["problem"] is None], peak[0]


def _watch(pid: int, peak: list[int]) -> None:
    """Note the most memory of a process and its descendants, until it ends: shared pages by their share."""
    try:
        own = psutil.Process(pid)
        while own.status() != psutil.STATUS_ZOMBIE:
            peak[0] = max(peak[0], sum(_held(each) for each in (own, *own.children(recursive=True))))
            time.sleep(LOOK_S)
    except psutil.NoSuchProcess:
        return


def _held(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0
