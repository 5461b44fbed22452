"""What one member alone reads: raw, on validation clips, never on test clips."""

from collections.abc import Sequence
from functools import cache

import torch

from lipsol.data.dataset import Item
from lipsol.model.decoding import decode_beam, decode_grammar
from lipsol.model.emissions import Emissions
from lipsol.model.networks import Eye, Member, time_mask
from lipsol.text.grammar import Grammar
from lipsol.text.scoring import character_error_rate, word_error_rate
from lipsol.training.corpus import Corpus


def validation_wer(member: Member, eye: Eye, corpus: Corpus) -> float:
    """Word error rate on the home speakers' validation clips, bound by the grammar."""
    items = corpus.known("validation")
    grammar = _grammar(corpus.dataset.grammar)
    read = [decode_grammar(_emissions(member, eye, corpus, item), grammar).text for item in items]
    return round(word_error_rate([item.text for item in items], read), 5)


def scores(member: Member, eye: Eye, corpus: Corpus, items: Sequence[Item]) -> dict[str, float]:
    """Error rates of raw readings, bound by the grammar and free."""
    grammar, truths = _grammar(corpus.dataset.grammar), [item.text for item in items]
    said = [_emissions(member, eye, corpus, item) for item in items]
    bound = [decode_grammar(each, grammar).text for each in said]
    free = [decode_beam(each).text for each in said]
    return {
        "n": len(items),
        "grammar_wer": round(word_error_rate(truths, bound), 4),
        "free_wer": round(word_error_rate(truths, free), 4),
        "free_cer": round(character_error_rate(truths, free), 4),
    }


@cache
def _grammar(name: str) -> Grammar:
    return Grammar.named(name)


def _emissions(member: Member, eye: Eye, corpus: Corpus, item: Item) -> Emissions:
    example, device = corpus.examples[item.name], next(member.parameters()).device
    length = torch.tensor([len(example.words)])
    with torch.no_grad():
        components = eye(eye.look(example.mouth[None]), time_mask(length, len(example.words)))
        points = example.points.flatten(1)[None]
        chars, words = (each[0].cpu().numpy() for each in member(*(x.to(device) for x in (components, points, length))))
    return Emissions(chars, words, corpus.labels.alphabet.characters, corpus.vocabulary)
