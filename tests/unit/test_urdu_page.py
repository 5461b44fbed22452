"""docs/models.md says of the Urdu models what their cards say: drawn mouths alone, never sure, and how well."""

import os
import re

import pytest

from lipsol.bundle import Bundle

MODELS = ("urdu-synthetic-sentences", "urdu-synthetic-words")
HEAD = f"| model | clips | decoding | n | WER (95 %) | CER | all right | top 3 | abstained |\n{'|---' * 9}|\n"
GRAMMAR_WER, FREE_CER = 0.05, 0.10  # at most, on speakers that training never met


@pytest.fixture(scope="module")
def bundles(top):
    paths = {name: top / "models" / f"{name}.lipsol" for name in MODELS}
    if not all(path.exists() for path in paths.values()):
        pytest.skip("no Urdu bundles in models/: make urdu")
    return {name: (path, Bundle.load(path)) for name, path in paths.items()}


def table(bundles) -> str:
    """A row for each model, group of clips and way of decoding."""
    rows = []
    for name, (_, bundle) in bundles.items():
        for group, ways in bundle.card["scores"].items():
            for way, told in ways.items():
                low, high = told["wer"]["interval"]
                wer = f"{told['wer']['value']:.4f} ({low:.4f}-{high:.4f})"
                rest = (told["cer"]["value"], told["sentence_accuracy"]["value"], told["top3"], told["abstained"])
                cells = (name, group, way, str(told["n"]), wer, *(f"{value:.4f}" for value in rest))
                rows.append(f"| {' | '.join(cells)} |\n")
    return HEAD + "".join(rows)


def test_the_table_is_the_cards(top, bundles):
    """LIPSOL_RENEW=1 writes it anew."""
    page = top / "docs" / "models.md"
    text = page.read_text(encoding="utf-8")
    kept = r"(<!-- urdu scores -->\n).*?(<!-- /urdu scores -->)"
    made = re.sub(kept, lambda found: found[1] + table(bundles) + found[2], text, flags=re.DOTALL)
    if os.environ.get("LIPSOL_RENEW") == "1":
        page.write_text(made, encoding="utf-8")
    assert made == page.read_text(encoding="utf-8")


def test_drawn_strangers_are_read_as_well_as_was_asked_for(bundles):
    unseen = bundles["urdu-synthetic-sentences"][1].card["scores"]["unseen speaker, all"]
    assert unseen["grammar"]["wer"]["value"] <= GRAMMAR_WER
    assert unseen["free"]["cer"]["value"] <= FREE_CER


@pytest.mark.parametrize("name", MODELS)
def test_it_says_that_nobody_real_was_filmed_and_is_never_sure(bundles, name):
    path, bundle = bundles[name]
    assert path.stat().st_size < 8_000_000
    assert bundle.card["synthetic"] is True and "nobody real" in bundle.card["attribution"]
    assert all(told["abstained"] == 1 for ways in bundle.card["scores"].values() for told in ways.values())
