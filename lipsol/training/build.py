"""Trained members -> calibrated, scored bundles, each with its golden answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from lipsol import golden
from lipsol.bundle import Bundle, Golden
from lipsol.card import Confidence, Kind, Scale
from lipsol.clips import landmarks
from lipsol.data.dataset import Item, word_span
from lipsol.errors import ModelError
from lipsol.evaluation.scores import Said, score
from lipsol.model.networks import SentenceModel, WordHead, WordModel
from lipsol.reader import BUNDLE_GRAMMAR, Bound, Reader
from lipsol.text.grammar import Grammar
from lipsol.training.calibrate import FREE_WRONG, KNOWN_WRONG, Trial, confidence_of, never_sure
from lipsol.training.corpus import Corpus
from lipsol.training.examples import Example
from lipsol.training.export import export
from lipsol.training.fit import fit_familiarity
from lipsol.training.members import Trained
from lipsol.training.tasks import FAR, Task, tasks_of
from lipsol.training.words import cut_words

GOLDEN_AMONG = 20  # clips of a speaker among which the golden one is found
WORD_CONTEXT = 2  # frames kept on each side of a word where words are calibrated and scored
Cutter = Callable[[Corpus, Sequence[Item]], list[Said]]
_RAW = Scale(1.0, 0.0)
_PLAIN = Confidence(_RAW, _RAW, _RAW, _RAW, threshold=0.0, stranger_threshold=0.0)


def sentence_bundle(corpus: Corpus, trained: Mapping[str, Trained], version: str, card: Mapping[str, Any]) -> Bundle:
    """The character model with its confidences and scores."""
    near, second = trained["near"], trained["second"]
    known, others = (corpus.examples_of(items) for items in (corpus.known("train"), corpus.others("train")))
    familiarity = fit_familiarity(known, others, near.eye)
    models = {
        name: SentenceModel(near.eye, near.member, second.member, far.member, familiarity)
        for name, far in _far(corpus, trained).items()
    }
    readers = _readers("sentences", corpus, version, models, ("char_logp", "word_logp", "strangeness"))
    return _finish(corpus, readers, {"grammar": BUNDLE_GRAMMAR, "free": None}, _sentences, card)


def word_bundle(corpus: Corpus, trained: Mapping[str, Trained], version: str, card: Mapping[str, Any]) -> Bundle:
    """The word model with its confidences and scores."""
    near = trained["near"]
    known, others = (_cut(corpus, items) for items in (corpus.known("train"), corpus.others("train")))
    familiarity = fit_familiarity(known, others, near.eye)
    models = {
        name: WordModel(near.eye, _head(near), _head(far), familiarity) for name, far in _far(corpus, trained).items()
    }
    readers = _readers("words", corpus, version, models, ("word_logp", "strangeness"))
    return _finish(corpus, readers, {"words": BUNDLE_GRAMMAR}, _words, card)


def _far(corpus: Corpus, trained: Mapping[str, Trained]) -> dict[str, Trained]:
    """The far members, by name: the one that is served, and those that left speakers out."""
    names = [task.name for task in tasks_of(corpus.folds()) if task.kind == FAR]
    return {name: trained[name] for name in names if name in trained}


def _head(member: Trained) -> WordHead:
    if member.head is None:
        raise ModelError("a member came back without its word head", "train it again")
    return member.head


def _readers(
    kind: Kind, corpus: Corpus, version: str, models: Mapping[str, nn.Module], outputs: tuple[str, ...]
) -> dict[str, Reader]:
    """A reader of each model, that does not know how sure it is yet."""
    networks = export(list(models.values()), outputs)
    return {
        name: Reader(_bundle(kind, corpus, version, network)) for name, network in zip(models, networks, strict=True)
    }


def _finish(
    corpus: Corpus,
    readers: Mapping[str, Reader],
    ways: Mapping[str, Bound],
    said: Cutter,
    card: Mapping[str, Any],
) -> Bundle:
    """Calibrate each way of decoding on validation clips and on strangers, then score the whole.

    readers: by the name of the far member that each reads with.
    """
    raw = readers[FAR]
    known = _trials(raw, said(corpus, corpus.known("validation")), ways)
    strangers: dict[str, list[Trial]] = {way: [] for way in ways}
    for fold, speakers in corpus.folds().items():
        if (left_out := readers.get(Task(FAR, fold).name)) is not None:
            for way, trials in _trials(left_out, said(corpus, corpus.others("train", only=speakers)), ways).items():
                strangers[way] += trials
    confidence = {}
    for way in ways:
        wrong = FREE_WRONG if way == "free" else KNOWN_WRONG
        found = confidence_of(known[way], strangers[way], corpus.vocabulary, wrong)
        confidence[way] = never_sure(found) if corpus.dataset.synthetic else found
    whole = replace(raw.bundle, confidence=confidence)
    finished = Reader(whole)
    scores = score(finished, {name: said(corpus, items) for name, items in corpus.groups().items()}, ways)
    return replace(whole, card={**card, "scores": scores}, golden=_golden(finished, corpus, said))


def _golden(reader: Reader, corpus: Corpus, said: Cutter) -> Golden:
    """The golden answers: of a clip of a known speaker and one of another, both held back from training."""
    clips = {}
    for items in (corpus.known("test"), corpus.others("test")):
        held_back = {
            item.name if len(cuts) == 1 else f"{item.name} {each.text}": each.mouth
            for item in items[:GOLDEN_AMONG]
            for cuts in [said(corpus, [item])]
            for each in cuts
        }
        if held_back:
            best = golden.most_decisive(reader, held_back)
            clips[best] = held_back[best]
    return golden.make(reader, clips)


def _bundle(kind: Kind, corpus: Corpus, version: str, network: bytes) -> Bundle:
    """A bundle that reads but does not know how sure it is yet."""
    dataset = corpus.dataset
    grammar = Grammar.named(dataset.grammar).to_json() if kind == "sentences" else ""
    plain = dict.fromkeys(("grammar", "free", "words"), _PLAIN)
    name, characters = f"{dataset.name}-{kind}", corpus.labels.alphabet.characters
    return Bundle(
        name,
        version,
        kind,
        dataset.language,
        characters,
        corpus.vocabulary,
        grammar,
        landmarks.MODEL,
        plain,
        {},
        network,
    )


def _trials(reader: Reader, said: Sequence[Said], ways: Mapping[str, Bound]) -> dict[str, list[Trial]]:
    """Way of decoding -> each clip, read raw."""
    heard = reader.hear([each.mouth for each in said])
    return {
        way: [Trial(each.text, reader.decode_raw(clip, bound)) for each, clip in zip(said, heard, strict=True)]
        for way, bound in ways.items()
    }


def _sentences(corpus: Corpus, items: Sequence[Item]) -> list[Said]:
    return [Said(corpus.mouths[item.name], item.text) for item in items]


def _words(corpus: Corpus, items: Sequence[Item]) -> list[Said]:
    cuts: list[Said] = []
    for item in items:
        mouth = corpus.mouths[item.name]
        cuts.extend(
            Said(mouth.cut(*word_span(word, len(mouth), WORD_CONTEXT, WORD_CONTEXT)), word.text) for word in item.words
        )
    return cuts


def _cut(corpus: Corpus, items: Sequence[Item]) -> list[Example]:
    return [
        cut
        for item in items
        for cut in cut_words(item, corpus.examples[item.name], corpus.labels, WORD_CONTEXT, WORD_CONTEXT)
    ]
