"""The choice of a words model: the likeliest of the words it knows, or of those that may be said."""

import numpy as np

from lipsol.errors import BadInput
from lipsol.model.decoding.decoded import Decoded, Evidence, Hypothesis, Timed
from lipsol.model.emissions import Emissions
from lipsol.text.grammar import Grammar
from lipsol.text.wording import Wording


def choose(emissions: Emissions, frames: int, wording: Wording, most: int = 5) -> Decoded:
    """The likeliest words, of a board all of them with the share that it has; the one that hotwords prefer comes first.

    Raises BadInput if none of the words that may be said is known, or a board has a phrase that is no known word.
    """
    known = emissions.words
    grammar = wording.grammar if isinstance(wording.grammar, Grammar) else None
    if wording.board and grammar is not None:
        _check_board(grammar, known)
    allowed = [n for n, word in enumerate(known) if grammar is None or word in grammar.words]
    if not allowed:
        raise BadInput(
            f"the grammar {grammar.name if grammar else ''!r} has none of the model's {len(known)} words",
            "use a grammar of words that it knows",
        )
    logp = emissions.word_logp[0, 1:].astype(np.float64)
    logp -= np.logaddexp.reduce(logp)
    board = float(np.logaddexp.reduce(logp[allowed]))
    share = np.exp(logp[allowed] - board)
    order: list[int] = np.argsort(-share, kind="stable").tolist()
    if wording.hotwords:
        gains = [wording.hotwords.boost([known[n]]) for n in allowed]
        first = int((logp[allowed] + np.array(gains)).argmax())
        order = [first, *(n for n in order if n != first)]
    kept = order if wording.board else order[: most + 1]
    best, *others = [(known[allowed[n]], float(share[n])) for n in kept]
    timed = (Timed(best[0], 0, frames, best[1]),)
    evidence = Evidence(None, board) if wording.board else None
    return Decoded(best[0], best[1], timed, tuple(Hypothesis(*other) for other in others), evidence)


def _check_board(grammar: Grammar, known: tuple[str, ...]) -> None:
    strange = [phrase for phrase in grammar.sentences() if phrase not in known]
    if strange:
        raise BadInput(
            f"the model reads single words, and {strange[0]!r} is none of its {len(known)}",
            "use a model of sentences, or a board of words that it knows",
        )
