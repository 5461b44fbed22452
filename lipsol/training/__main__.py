"""Members trained by several processes together: what `torchrun` starts.

    torchrun --nproc-per-node 2 -m lipsol.training --data DIR --out DIR

Ranks share out each batch, by gloo on CPUs and nccl on GPUs; rank 0 writes checkpoints, members and, at the end, the
bundles. The same command goes on where one was killed. Started without torchrun it trains alone.
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from lipsol.bundle import Bundle
from lipsol.errors import LipsolError
from lipsol.training.cards import unlike
from lipsol.training.corpus import unsaid
from lipsol.training.job import Job, job_of, like
from lipsol.training.packing import package
from lipsol.training.ranks import joined
from lipsol.training.train import train_members


def main() -> int:
    """Train as the command line says; returns the exit status."""
    try:
        job = replace(asked(sys.argv[1:]), workers=len(os.sched_getaffinity(0)))
        with joined(job.device) as ranks:
            report, together = _say if ranks.rank == 0 else unsaid, ranks if ranks.size > 1 else None
            members = train_members(replace(job, out=job.out / "members"), report, ranks=together)
            if ranks.rank == 0:
                for bundle in package(job, members, _say):
                    print(bundle)
            ranks.wait()
    except LipsolError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    return 0


def asked(arguments: list[str]) -> Job:
    """The job of a command line. Raises BadInput for one that can't be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data set's folder, or GRID's own")
    parser.add_argument("--out", type=Path, required=True, help="bundles; members and checkpoints in members/")
    parser.add_argument("--cache", type=Path, default=Path("build/training"), help="watched clips")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan", default="full", help="full, brief, a JSON file or JSON itself")
    parser.add_argument("--limit", type=int, default=0, help="clips of each speaker and split, 0: all")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--precision", help="single, bfloat16 or float16; else the device's own")
    parser.add_argument("--like", type=Path, help="a bundle's file: train again as its card tells")
    told = vars(parser.parse_args(arguments))
    model = told.pop("like")
    command = " ".join(["torchrun -m lipsol.training", *arguments])
    job = replace(job_of(**told, spoil=False), command=command, ranks=int(os.environ.get("WORLD_SIZE", "1")))
    if model is None:
        return job
    bundle = Bundle.load(model)
    card = {"name": bundle.name, "version": bundle.version, **bundle.card}
    again = like(card, job)
    for each in unlike(card, again) if os.environ.get("RANK", "0") == "0" else ():
        _say(each)
    return again


def _say(said: str) -> None:
    print(said, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
