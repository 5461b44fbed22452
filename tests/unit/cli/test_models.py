import json
from dataclasses import replace

import pytest

from lipsol.errors import NotFound
from lipsol.registry.port import ModelInfo
from services.cli.models import run, score_lines

SCORES = {"test": {"free": {"n": 9, "wer": {"value": 0.0215, "interval": [0.01, 0.03]}, "ece": 0.04}}}
CARD = {"scores": SCORES, "licence": "CC BY 4.0"}


class ShelfRegistry:
    """A registry of hand-made models; their files are as long as said."""

    keys = None

    def faults(self):
        return []

    def __init__(self, folder, *infos):
        self._folder = folder
        self._infos = infos

    def models(self):
        return list(self._infos)

    def find(self, name):
        for info in self._infos:
            if info.name == name:
                return info
        raise NotFound(f"no model {name!r}", f"there are {', '.join(info.name for info in self._infos)}")

    def path(self, digest):
        path = self._folder / digest
        path.write_bytes(b"x" * (3 * 2**20))
        return path


def info(name, kind, *, default):
    return ModelInfo(name, "2", f"{name[-1]}f" * 32, kind, "en", "grid" if default else "", default, CARD)


@pytest.fixture
def registry(tmp_path):
    sentences = info("grid-sentences", "sentences", default=True)
    return ShelfRegistry(tmp_path, sentences, info("grid-words", "words", default=False))


def test_the_table_has_a_line_a_model(registry, capsys):
    assert run("", as_json=False, registry=registry) == 0
    head, sentences, scores, words, _ = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "version", "kind", "language", "grammar", "digest", "size"]
    assert sentences.split()[:8] == ["grid-sentences", "*", "2", "sentences", "en", "grid", "sfsfsfsfsfsf", "3.0"]
    assert scores == "  test, free: WER 2.1 %"
    assert words.split()[:5] == ["grid-words", "2", "words", "en", "-"]


def test_json_tells_the_same_to_programs(registry, capsys):
    assert run("", as_json=True, registry=registry) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in told] == ["grid-sentences", "grid-words"]
    assert told[0]["digest"] == "sf" * 32
    assert told[0]["bytes"] == 3 * 2**20
    assert told[0]["scores"] == CARD["scores"]


def test_one_model_shows_its_whole_card(registry, capsys):
    assert run("grid-words", as_json=False, registry=registry) == 0
    assert json.loads(capsys.readouterr().out)["card"] == CARD


def test_a_model_of_drawn_mouths_is_told_as_one(tmp_path, capsys):
    drawn = replace(info("urdu-synthetic-sentences", "sentences", default=True), card=CARD | {"synthetic": True})
    assert run("", as_json=False, registry=ShelfRegistry(tmp_path, drawn)) == 0
    assert "drawn mouths alone" in capsys.readouterr().out.splitlines()[2]


def test_an_unknown_model_is_not_found(registry):
    with pytest.raises(NotFound, match="grid-words"):
        run("gird", as_json=False, registry=registry)


def test_an_empty_shelf_says_how_to_fill_it(tmp_path, capsys):
    assert run("", as_json=False, registry=ShelfRegistry(tmp_path)) == 0
    assert "make train" in capsys.readouterr().out


@pytest.mark.parametrize(
    "scores",
    [{}, None, {"wer": 0.5}, {"test": {"wer": 0.5}}, {"test": {"free": {"n": 3}}}, [1]],
    ids=["empty", "none", "flat", "one-level", "no-rates", "list"],
)
def test_scores_of_another_shape_are_left_to_the_card(scores):
    assert score_lines(scores) == []
