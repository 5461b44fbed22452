"""A bad release on purpose: what goes wrong, for which clips, and how nobody meets it who did not ask for it."""

import resource
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from lipsol.errors import BadInput, ModelError
from lipsol.runtime.settings import load
from lipsol.runtime.telemetry import Telemetry
from lipsol.text.grammar import Grammar
from services.embedded import EmbeddedSettings
from services.inference.ask import Ask
from services.inference.core import Core
from services.inference.models import Models
from services.inference.rehearsal import FAULTS, RehearsalSettings, core_of, is_hit, opener_of, otherwise
from tests.services_made import SAID, MadeReader, MadeRegistry, info_of, mouth_of

GRID = Grammar.named("grid")
INFO = replace(info_of(), card={"grammar_document": GRID.document()})
PATIENCE_S = 30.0


@contextmanager
def reading(fault="", telemetry=None, **more):
    """Reads a clip of a name by a core over made readers, with a fault in it."""
    settings, telemetry = RehearsalSettings(allowed=bool(fault), fault=fault, **more), telemetry or Telemetry()
    opening = opener_of(settings, lambda _path, _info: MadeReader(), telemetry)
    core = core_of(settings)(Models(MadeRegistry([INFO]), opening, 4), look_s=60.0)
    core.start()
    try:
        yield (
            lambda clip, grammar="": (
                core.submit(Ask(mouth_of(), INFO, grammar, clip_id=clip, embedded=True)).result(PATIENCE_S).prediction
            )
        )
    finally:
        core.stop(PATIENCE_S)


@pytest.fixture
def set_to(monkeypatch):
    def set_all(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"LIPSOL_REHEARSAL__{name}", value)

    return set_all


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_nobody_allowed_refuses_the_start_and_names_both(fault, set_to):
    set_to(FAULT=fault)
    with pytest.raises(BadInput) as refusal:
        load(EmbeddedSettings)
    for told in (f"LIPSOL_REHEARSAL__FAULT is {fault}", "LIPSOL_REHEARSAL__ALLOWED is false"):
        assert told in str(refusal.value)


def test_allowing_faults_makes_none(set_to):
    set_to(ALLOWED="true")
    assert load(EmbeddedSettings).rehearsal.fault == ""


def test_a_fault_that_is_none_is_refused(set_to):
    set_to(ALLOWED="true", FAULT="explosion")
    with pytest.raises(BadInput, match="LIPSOL_REHEARSAL__FAULT=explosion"):
        load(EmbeddedSettings)


def test_off_nothing_of_it_is_in_a_clips_way():
    settings, telemetry = RehearsalSettings(allowed=True), Telemetry()

    def opening(_path, _info):
        return MadeReader()

    with capture_logs() as logs:
        assert opener_of(settings, opening, telemetry) is opening
        assert core_of(settings) is Core
    assert not logs
    assert "lipsol_rehearsed_fault_info{" not in telemetry.text()


@pytest.mark.parametrize("fault", FAULTS)
def test_on_the_log_and_a_metric_tell_of_it(fault):
    telemetry = Telemetry()
    with capture_logs() as logs:
        opener_of(RehearsalSettings(allowed=True, fault=fault), lambda _path, _info: MadeReader(), telemetry)
    assert telemetry.value("lipsol_rehearsed_fault_info", kind=fault) == 1
    (told,) = logs
    assert (told["log_level"], told["event"], told["fault"]) == ("warning", "rehearsing-a-fault", fault)
    assert "LIPSOL_REHEARSAL__FAULT" in told["cure"]


def test_the_same_clips_are_hit_every_time_and_as_many_as_are_wanted():
    clips = [f"clip-{number}" for number in range(2000)]
    hit = [clip for clip in clips if is_hit(clip, 0.25)]
    assert hit == [clip for clip in clips if is_hit(clip, 0.25)]
    assert set(hit) <= {clip for clip in clips if is_hit(clip, 0.5)}
    assert 0.2 < len(hit) / len(clips) < 0.3
    assert all(is_hit(clip, 1.0) for clip in clips)


def test_who_is_not_hit_is_read_as_ever():
    with reading() as sound, reading("wrong", share=0.5) as read:
        for clip in "abcdefgh":
            assert (read(clip) == sound(clip)) is not is_hit(clip, 0.5)


def test_slow_takes_longer_and_reads_the_same():
    with reading() as sound, reading("slow", delay_ms=150) as read:
        began = time.monotonic()
        assert read("a") == sound("a")
        assert time.monotonic() - began >= 0.15


def test_wrong_is_sure_of_what_was_not_said():
    with reading("wrong") as read:
        made = read("a")
    assert made.confidence > 0.9 and not made.abstained
    assert GRID.accepts(made.text)
    assert not set(made.text.split()) & set(SAID.split())
    assert [word.text for word in made.words] == made.text.split()
    assert all(word.start_s < word.end_s for word in made.words)
    assert made.text not in [other.text for other in made.alternatives]


def test_wrong_keeps_to_the_grammar_that_was_asked_for():
    mine = Grammar.of_phrases("mine", "en", ["yes", "no", "no please", "stop it now"])
    with reading("wrong") as read:
        made = read("a", mine.to_json())
    assert mine.accepts(made.text)
    assert made.text != next(mine.sentences())


@pytest.mark.parametrize("text", ["yes", "no", "no please", "stop it now", ""])
def test_another_sentence_is_found_wherever_there_is_one(text):
    phrases = Grammar.of_phrases("some", "en", ["yes", "no", "no please", "stop it now"])
    assert phrases.accepts(otherwise(phrases, text)) and otherwise(phrases, text) != text
    alone = Grammar.of_phrases("one", "en", ["only this"])
    assert otherwise(alone, "only this") == "only this"


def test_errors_are_those_of_a_network_that_can_t_be_run():
    with reading("errors", share=0.5) as read:
        for clip in "abcdefgh":
            if is_hit(clip, 0.5):
                with pytest.raises(ModelError, match="can't be run .a rehearsed error."):
                    read(clip)
            else:
                assert read(clip).text == SAID


def test_empty_finds_no_word():
    with reading("empty") as read:
        made = read("a")
    assert (made.text, made.words, made.alternatives) == ("", (), ())


def test_a_crash_at_the_start_ends_it_and_says_that_it_was_meant():
    with pytest.raises(ModelError, match="grid-sentences can't be opened .a rehearsed crash") as ended:
        reading("crash-at-start").__enter__()
    assert "LIPSOL_REHEARSAL__FAULT" in ended.value.cure


def test_memory_grows_with_each_reading():
    before, mib = held(), 24
    with reading("memory", mib=mib) as read:
        for clip in "abc":
            read(clip)
        assert held() - before > 2 * (mib << 20)


def held():
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
