"""docs/models.md says of the models what their cards say."""

import pytest

from lipsol.bundle import Bundle

MODELS = ("grid-sentences", "grid-words")


@pytest.fixture(scope="module")
def page(top):
    return (top / "docs" / "models.md").read_text()


@pytest.mark.parametrize("name", MODELS)
def test_every_score_of_the_card_stands_in_the_table(page, top, name):
    rows = {
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in page.splitlines()
        if line.startswith("| grid-")
    }
    card = Bundle.load(top / "models" / f"{name}.lipsol").card
    for group, ways in card["scores"].items():
        for way, scores in ways.items():
            low, high = scores["wer"]["interval"]
            answered = scores["answered_wer"]
            expected = (
                name,
                group,
                way,
                str(scores["n"]),
                f"{scores['wer']['value']:.4f} ({low:.4f}-{high:.4f})",
                f"{scores['cer']['value']:.4f}",
                f"{scores['sentence_accuracy']['value']:.4f}",
                f"{scores['top3']:.4f}",
                f"{scores['abstained']:.4f}",
                "-" if answered is None else f"{answered:.4f}",
                f"{scores['sure_wrong']:.4f}",
                f"{scores['ece']:.4f}",
            )
            assert expected in rows


def test_the_risk_coverage_curve_is_the_cards(page, top):
    card = Bundle.load(top / "models" / "grid-sentences.lipsol").card
    for coverage, risk, bound in card["scores"]["known speaker, test"]["grammar"]["risk_coverage"]["points"]:
        assert f"| {coverage:.4f} | {risk:.4f} | {bound:.4f} |" in page


@pytest.mark.parametrize("name", MODELS)
def test_a_shipped_bundle_is_small_and_never_saw_what_is_held_back(top, name):
    path = top / "models" / f"{name}.lipsol"
    clips = Bundle.load(path).card["data"]["clips"]
    assert path.stat().st_size < 8_000_000
    assert clips["training, known speaker"] == 675 and clips["known speaker, test"] == 111
    assert clips["unseen speaker, spread"] == 49
