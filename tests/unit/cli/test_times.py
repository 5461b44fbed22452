import pytest

from lipsol.errors import BadInput
from services.cli.times import moment, since, span

NOW = 1_795_251_600.0  # 2026-11-21 09:00 UTC


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("", 0.0),
        ("90s", NOW - 90),
        ("15m", NOW - 900),
        ("1.5h", NOW - 5400),
        ("2d", NOW - 172800),
        ("2026-11-21T09:00", NOW),
        ("2026-11-21T10:00+01:00", NOW),
    ],
)
def test_since_is_a_span_or_a_time(told, meant):
    assert since(told, NOW) == meant


@pytest.mark.parametrize("told", ["yesterday", "15", "-5m", "1w"])
def test_what_is_neither_is_refused(told):
    with pytest.raises(BadInput, match=told):
        since(told, NOW)


def test_times_and_spans_are_written_for_people():
    assert moment(NOW + 0.25) == "2026-11-21 09:00:00.250"
    assert [span(seconds) for seconds in (0.2, 59.6, 61, 3600, 90061)] == ["0 s", "1 m", "1 m 1 s", "1 h", "1 d 1 h"]
