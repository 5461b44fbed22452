"""How unsure a network is of a frame."""

import numpy as np
import pytest

from lipsol.model.emissions import Emissions

FRAMES, WORDS = 4, ("bin", "lay", "place")


def said(*rows: list[float], words: tuple[str, ...] = WORDS) -> Emissions:
    """What a network says whose every frame is one of these rows of probabilities."""
    with np.errstate(divide="ignore"):
        logp = np.log(np.array([*rows] * FRAMES, np.float32))
    chars = np.log(np.full((len(logp), 3), 1 / 3, np.float32))
    return Emissions(chars, logp, "ab", words)


@pytest.mark.parametrize(
    ("emissions", "entropy"),
    [
        (said([0.0, 1.0, 0.0, 0.0]), 0.0),
        (said([0.25] * 4), 1.0),
        (said([0.0, 0.5, 0.5, 0.0], [0.25] * 4), 0.75),
        (said([0.0, 1 / 3, 1 / 3, 1 / 3]), 1.0),
        (said([1.0], words=()), 1.0),
    ],
    ids=["sure", "no idea", "the mean of its frames", "a words model has no silence", "by characters without words"],
)
def test_the_entropy_of_a_frame_is_a_share_of_what_it_can_be(emissions, entropy):
    assert emissions.entropy == pytest.approx(entropy, abs=1e-4)


def test_a_network_that_knows_one_thing_alone_is_sure_of_it():
    assert said([1.0], words=("bin",)).entropy == 0.0
