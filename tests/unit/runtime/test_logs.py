"""Logging: one event a line, on standard error, whoever logs."""

import json
import logging

import pytest
import structlog

from lipsol.runtime.envelope import Trace, following
from lipsol.runtime.logs import set_up_logging
from lipsol.runtime.settings import TelemetrySettings


@pytest.fixture(autouse=True)
def logging_put_back():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()


def lines(capsys) -> list[dict[str, object]]:
    said = capsys.readouterr()
    assert said.out == ""
    return [json.loads(line) for line in said.err.splitlines()]


def test_events_are_json_lines_on_standard_error_with_their_trace(capsys):
    set_up_logging(TelemetrySettings(log_format="json"))
    with following(Trace("a" * 32, "b" * 16)):
        structlog.get_logger("lipsol.test").info("clip-refused", reason="پانی")
    [line] = lines(capsys)
    assert line["event"] == "clip-refused"
    assert (line["level"], line["reason"], line["trace_id"]) == ("info", "پانی", "a" * 32)
    assert str(line["timestamp"]).endswith("Z")


def test_libraries_come_out_in_the_same_form(capsys):
    set_up_logging(TelemetrySettings(log_format="json"))
    logging.getLogger("uvicorn.error").warning("a port of %d", 8080)
    [line] = lines(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("a port of 8080", "warning", "uvicorn.error")


def test_what_is_less_grave_than_asked_stays_unsaid(capsys):
    set_up_logging(TelemetrySettings(log_format="json", log_level="warning"))
    structlog.get_logger("lipsol.test").info("started")
    logging.getLogger("other").info("started")
    assert lines(capsys) == []


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_tells_no_local_variables(capsys, form):
    set_up_logging(TelemetrySettings(log_format=form))
    try:
        transcript = "bin blue at f two now"
        raise ValueError(len(transcript))
    except ValueError:
        structlog.get_logger("lipsol.test").exception("handler-failed")
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "transcript =" not in said.replace('transcript = "bin blue', "")
    assert "f two now'" not in said


def test_setting_up_twice_says_nothing_twice(capsys):
    for _ in range(2):
        set_up_logging(TelemetrySettings(log_format="json"))
    structlog.get_logger("lipsol.test").warning("once")
    assert len(lines(capsys)) == 1
