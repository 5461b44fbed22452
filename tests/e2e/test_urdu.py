"""An Urdu bundle differs from an English one by data alone: made here from an untrained network, read by the reader."""

from dataclasses import replace

import pytest
import torch

from lipsol import golden
from lipsol.bundle import Bundle
from lipsol.card import Confidence, Scale
from lipsol.clips import face
from lipsol.clips.watch import Watcher
from lipsol.model.networks import EYE_PX, Eye, Familiarity, Member, SentenceModel, Sizes
from lipsol.reader import Reader
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import Grammar
from lipsol.training.export import export

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # torch's exporter warns of its own doings
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, sample):
    """Saved and loaded: Urdu's alphabet and grammar around a network with as many outputs."""
    torch.manual_seed(0)
    grammar, characters = Grammar.named("urdu"), ALPHABETS["ur"].characters
    sizes = Sizes(components=8, width=16, conv=16, hidden=8, words=len(grammar.words), characters=len(characters))
    eye = Eye(torch.zeros(EYE_PX**2), torch.randn(EYE_PX**2, 8) / EYE_PX)
    known = Familiarity(torch.zeros(120), torch.eye(120), torch.tensor(1.0))
    network = export(
        SentenceModel(eye, Member(sizes), Member(sizes), Member(sizes), known),
        ("char_logp", "word_logp", "strangeness"),
    )
    even = Scale(1.0, 0.0)
    held = Confidence(even, even, even, even, threshold=0.5, stranger_threshold=0.5)
    path = tmp_path_factory.mktemp("urdu") / "urdu-untrained.lipsol"
    made = Bundle(
        "urdu-untrained",
        "0.0.1",
        "sentences",
        "ur",
        characters,
        grammar.words,
        grammar.to_json(),
        face.MODEL,
        {"grammar": held, "free": held},
        {},
        network,
    )
    mouth = Watcher().watch(sample.bytes()).mouth
    replace(made, golden=golden.make(Reader(made), {"anyone": mouth})).save(path)
    return Bundle.load(path)


def test_an_urdu_bundle_reads_a_sentence_of_its_own_grammar(bundle, sample):
    read = Reader(bundle).read(Watcher().watch(sample.bytes()).mouth)
    assert read.language == "ur" and read.grammar == "urdu"
    assert Grammar.named("urdu").accepts(read.text)
    assert len(read.words) == 6 and len(read.alternatives) >= 3


def test_it_reads_its_golden_clip_as_when_it_was_packed(bundle):
    golden.check(Reader(bundle))


def test_an_untrained_reader_is_not_sure(bundle, sample):
    assert Reader(bundle).read(Watcher().watch(sample.bytes()).mouth).abstained
