"""`lipsol data synthesise`: a data set of drawn mouths, for a language without a corpus."""

import sys
from pathlib import Path

from lipsol.runtime.cpus import available_cpus


def synthesise(language: str, out: Path, speakers: int, sentences: int, seed: int) -> int:
    """Write the data set into `out`, a line a speaker on the way, and print its folder."""
    from lipsol.data.synthetic.making import Wish
    from lipsol.data.synthetic.making import synthesise as make

    make(
        Wish(language, speakers, sentences, seed),
        out,
        available_cpus(),
        lambda said: print(said, file=sys.stderr, flush=True),
    )
    print(out)
    return 0
