"""`lipsol train`: from clips and alignments to bundles."""

import importlib.util
import sys
from pathlib import Path

from lipsol.errors import BadInput, LipsolError
from lipsol.runtime.cpus import available_cpus

NEEDED = ("torch", "onnx", "onnxscript")  # what the extra `train` brings


def missing() -> list[str]:
    """Packages of the extra `train` that are not here."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def run(data: Path, out: Path, cache: Path, seed: int) -> int:
    """Train both models and write their bundles to `out`. Raises LipsolError if the extra `train` is not installed."""
    if missing():
        raise LipsolError(
            f"training needs {', '.join(missing())}, which reading does without", "run `uv pip install 'lipsol[train]'`"
        )
    if not data.is_dir():
        raise BadInput(f"no folder {data}", "name the GRID clips' folder with --data (docs/data.md says where from)")
    from lipsol.training.train import Job, train

    job = Job(data, out, cache, seed, workers=available_cpus(), command=f"lipsol train --seed {seed}")
    for bundle in train(job, lambda said: print(said, file=sys.stderr, flush=True)):
        print(bundle)
    return 0
