"""Lips for tests: two rings of twenty points that open and close, about where a sample's mouth is."""

import math

CENTRE = (0.425, 0.78)  # of the picture
HALF_WIDTH = 0.065


def mouth_of_frame(frame: int) -> list[tuple[float, float]]:
    """The mouth of one frame at 25 fps: 20 outer points, then 20 inner, as shares of the picture."""
    opening = 0.5 + 0.5 * math.sin(frame / 2.5)
    return _ring(HALF_WIDTH, 0.03 + 0.02 * opening) + _ring(0.75 * HALF_WIDTH, 0.004 + 0.02 * opening)


def _ring(half_width: float, half_height: float) -> list[tuple[float, float]]:
    turns = [2 * math.pi * point / 20 for point in range(20)]
    x, y = CENTRE
    return [(round(x + half_width * math.cos(turn), 4), round(y + half_height * math.sin(turn), 4)) for turn in turns]
