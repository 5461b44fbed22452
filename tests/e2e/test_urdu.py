"""An Urdu bundle differs from an English one by data alone: made here from an untrained network, read by the reader.

The shipped one learnt from drawn mouths: whatever real person it reads, it is not sure.
"""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from lipsol import golden
from lipsol.bundle import Bundle
from lipsol.card import Confidence, Scale
from lipsol.clips import landmarks
from lipsol.clips.watch import Watcher
from lipsol.model.networks import EYE_PX, Eye, Familiarity, Member, SentenceModel, Sizes
from lipsol.reader import BUNDLE_GRAMMAR, Reader
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import Grammar
from lipsol.text.wording import Wording
from lipsol.training.export import export
from services.cli import NOT_SURE

SHIPPED = "urdu-synthetic-sentences"

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
    (network,) = export(
        [SentenceModel(eye, Member(sizes), Member(sizes), Member(sizes), known)],
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
        landmarks.MODEL,
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


@pytest.fixture(scope="module")
def shipped(top):
    path = top / "models" / f"{SHIPPED}.lipsol"
    if not path.exists():
        pytest.skip(f"no {SHIPPED} in models/: make urdu")
    return Bundle.load(path)


def test_whoever_is_real_is_not_read_for_sure_by_a_model_of_drawn_mouths(shipped, samples):
    reader, watcher = Reader(shipped), Watcher()
    for each in samples[:3]:
        mouth = watcher.watch(each.bytes()).mouth
        board = Wording.of_phrases("mine", "ur", ["ہم کون", "آپ کب"])
        for bound in (BUNDLE_GRAMMAR, None, board):
            read = reader.read(mouth, bound)
            assert read.abstained and read.language == "ur"


def test_the_command_line_says_perhaps(shipped, sample, top):
    command = [sys.executable, "-m", "services.cli", "read", str(sample.path), "--model", SHIPPED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=top, check=False)
    assert done.returncode == NOT_SURE
    assert "not sure; perhaps: " in done.stdout
