import time

import pytest

from lipsol.clips.video import frames
from tests.benchmarks.growth import _memory, exponent
from tests.benchmarks.length_program import Held
from tests.benchmarks.long_films import spoken


@pytest.mark.parametrize("power", [0.5, 1.0, 1.1, 2.0])
def test_the_exponent_of_a_power_law_is_its_power(power):
    sizes = [1, 3, 10, 30, 100, 300, 600]
    assert exponent(sizes, [0.2 * size**power for size in sizes]) == pytest.approx(power)


def test_a_constant_beside_what_grows_lowers_the_exponent():
    assert exponent([1, 10, 100], [1 + 5, 1 + 50, 1 + 500]) < 1


def test_memory_is_compared_with_that_of_half_a_minute():
    assert _memory({1: 50.0, 30: 100.0, 100: 100.0, 600: 130.0}).value == 1.3
    assert _memory({1: 50.0, 30: 100.0, 100: 100.0, 600: 130.0}).met is False


def test_memory_is_watched_at_its_most():
    until = time.monotonic() + 60
    with Held() as before:
        while not before.peak and time.monotonic() < until:
            time.sleep(0.01)
    with Held() as held:
        room = bytearray(b"x") * (64 << 20)
        while held.peak < before.peak + len(room) // 2 and time.monotonic() < until:
            time.sleep(0.01)
    assert before.peak and held.peak > before.peak + len(room) // 2


def test_films_repeat_their_pictures_for_as_long_as_asked(samples):
    short, long = spoken([samples[0].bytes()], [1, 5])
    assert [sum(len(part.frames) for part in frames(film)) for film in (short, long)] == [25, 125]
