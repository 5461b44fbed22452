"""`lipsol models evaluate`: a bundle on a data set's held-back clips, for the gate and for people."""

import sys
from dataclasses import dataclass
from pathlib import Path

from lipsol.errors import BadInput
from lipsol.evaluation.evaluate import REPORT, evaluate
from lipsol.evaluation.records import Evaluation
from lipsol.runtime.cpus import available_cpus
from services.cli.hush import greet_unheard
from services.cli.report import columns


@dataclass(frozen=True)
class EvaluatingOptions:
    """What was asked for on the command line, as it stood there."""

    bundle: Path
    data: Path
    out: Path
    cache: Path
    champion: Path | None = None
    limit: int = 0


def run(options: EvaluatingOptions) -> int:
    """Evaluate, print the error rates and where the rest stands. Raises BadInput for a bundle or data not there."""
    if not options.bundle.is_file():
        raise BadInput(f"no bundle {options.bundle}", "name a bundle file, such as models/grid-sentences.lipsol")
    greet_unheard()
    file = evaluate(
        options.bundle, options.data, options.cache, options.out, options.champion, options.limit,
        workers=available_cpus(), report=lambda said: print(said, file=sys.stderr, flush=True),
    )  # fmt: skip
    print(told(Evaluation.load(file)))
    print(f"\n{file}\n{options.out / REPORT}")
    return 0


def told(evaluation: Evaluation) -> str:
    """Each group's error rates with their intervals, a line each way."""
    rows: list[tuple[str, ...]] = []
    for group, ways in evaluation.summary.items():
        for way, held in ways.items():
            low, high = held["wer"]["interval"]
            rate = f"{held['wer']['value']:.4f} ({low:.4f}-{high:.4f})"
            rows.append((group, way, str(held["n"]), rate, held["wer"]["by"], f"{held['cer']['value']:.4f}"))
    return "\n".join(columns(("clips", "decoding", "n", "WER (95 %)", "drawn by", "CER"), rows))
