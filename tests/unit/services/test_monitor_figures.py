"""What the metrics tell of readings, and what they keep to themselves."""

from dataclasses import replace

import pytest

from lipsol.drift.budget import BLOCK
from lipsol.runtime.telemetry import Telemetry
from services.monitor.figures import CHARACTERS, WORDS, Figures
from tests.services_made import SAID, prediction_of

OTHER = "place red with k seven again"
VOCABULARY = frozenset((*SAID.split(), *OTHER.split()))
WHO = {"track": "stable", "model": "grid-sentences"}


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def figures(telemetry: Telemetry) -> Figures:
    return Figures(telemetry)


def read(figures: Figures, number: int, text: str = SAID, **changed: object) -> None:
    """One reading as a batch of its own, told at once: what a scrape between two readings sees."""
    figures.read(replace(prediction_of(f"{number:032x}", text), **changed), {}, {}, VOCABULARY)
    figures.tell()


def spelled(telemetry: Telemetry) -> list[str]:
    """The lines by which the metrics tell what was read."""
    return [line for line in telemetry.text().splitlines() if line.startswith((f"{WORDS}{{", f"{CHARACTERS}{{"))]


def test_of_a_few_readings_no_word_of_the_vocabulary_and_no_character_is_told(figures, telemetry):
    for number in range(BLOCK - 1):
        read(figures, number)
    assert telemetry.value("lipsol_predictions_total", **WHO) == BLOCK - 1
    assert spelled(telemetry) == []


def test_words_and_characters_are_told_of_a_whole_block_and_not_of_the_reading_after_it(figures, telemetry):
    for number in range(BLOCK):
        read(figures, number, (SAID, OTHER)[number % 2])
    told = spelled(telemetry)
    assert telemetry.value(WORDS, **WHO, word="place") == BLOCK // 2
    assert telemetry.value(CHARACTERS, **WHO, character="k") == BLOCK // 2
    read(figures, BLOCK)
    assert spelled(telemetry) == told


def test_each_model_and_track_has_a_block_of_its_own(figures, telemetry):
    for number in range(BLOCK):
        read(figures, number, track=("stable", "canary")[number % 2])
    assert spelled(telemetry) == []
