import json
from contextlib import contextmanager

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import BadInput, NotFound
from lipsol.events import DeadLetter, to_bytes
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.store.local import LocalStore
from lipsol.topics import STABLE_MOUTHS
from services.cli.dead_letters import ReplayOptions, run_list, run_replay, run_show
from services.operating.operations import Operations
from tests.services_made import ready_of

CLIP = "ab" * 16


@pytest.fixture
def operations(tmp_path):
    bus = MemoryBus()
    yield Operations(bus, LocalStore(tmp_path))
    bus.close()


@pytest.fixture
def platform(operations):
    """The seam of the verbs."""

    @contextmanager
    def opened():
        yield operations

    return opened


@pytest.fixture
def bury(operations):
    """Puts a dead letter on the bus; returns its id."""

    def put(value=None, kind="bad-input", reason="the mouth is gone", stage="inference"):
        value = to_bytes(ready_of(CLIP, model="gone")) if value is None else value
        where = (STABLE_MOUTHS.name, 1, 2)
        letter = DeadLetter(CLIP, CLIP, False, *where, reason, "name another", kind, stage, 2, value)
        operations.bus.publish_all([wrap(letter, stage, 1.0)])
        message = list(operations.bus.replay(["lipsol.dead-letters.v1"]))[-1]
        return f"{message.partition}-{message.offset}"

    return put


def sent(operations):
    return [unwrap(message) for message in operations.bus.replay([STABLE_MOUTHS.name])]


def test_a_list_has_a_line_a_letter_with_its_id_and_its_reason(platform, bury, capsys):
    name = bury(reason="the mouth\nis gone")
    assert run_list("", "", "", as_json=False, platform=platform) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "when", "stage", "kind", "clip", "origin", "replayed", "reason"]
    assert line.startswith(name)
    assert f"inference  bad-input  {CLIP}  lipsol.mouths.stable.v1 1-2  -" in line
    assert line.endswith("the mouth is gone")


def test_a_list_as_json_holds_each_whole(platform, bury, capsys):
    bury(kind="exhausted")
    bury()
    assert run_list("bad-input", "inference", "1h", as_json=True, platform=platform) == 0
    [letter] = json.loads(capsys.readouterr().out)
    assert (letter["kind"], letter["cure"], letter["replays"]) == ("bad-input", "name another", [])


def test_where_there_are_none_it_says_so(platform, capsys):
    assert run_list("", "", "", as_json=False, platform=platform) == 0
    assert capsys.readouterr().out == "no dead letters\n"


def test_a_letter_is_shown_with_its_reason_cure_headers_and_event(platform, bury, capsys):
    assert run_show(bury(), event=False, as_json=False, platform=platform) == 0
    shown = capsys.readouterr().out
    for part in ("the mouth is gone", "name another", "header ce_source", "/lipsol/inference", '"model": "gone"'):
        assert part in shown


def test_a_letter_that_no_event_can_be_made_of_is_shown_by_its_bytes(platform, bury, capsys):
    name = bury(b"\xff\x00poison")
    assert run_show(name, event=False, as_json=False, platform=platform) == 0
    assert "_wBwb2lzb24=" in capsys.readouterr().out
    with pytest.raises(BadInput, match="no event"):
        run_show(name, event=True, as_json=False, platform=platform)


def test_the_event_alone_can_be_edited_and_sent(platform, bury, operations, capsys, tmp_path):
    name = bury()
    assert run_show(name, event=True, as_json=False, platform=platform) == 0
    file = tmp_path / "mended.json"
    file.write_text(capsys.readouterr().out.replace("gone", "grid-sentences"))
    assert run_replay(ReplayOptions((name,), mended=file), platform) == 0
    assert capsys.readouterr().out == f"{name}  sent to {STABLE_MOUTHS.name}\n"
    assert sent(operations) == [ready_of(CLIP, model="grid-sentences")]
    run_list("", "", "", as_json=False, platform=platform)
    assert ", mended" in capsys.readouterr().out


def test_all_that_the_filters_let_by_are_replayed_once(platform, bury, operations, capsys):
    bury(kind="exhausted")
    name = bury()
    again = ReplayOptions(every=True, kind="bad-input", as_json=True)
    assert run_replay(again, platform) == 0
    assert json.loads(capsys.readouterr().out) == [{"id": name, "topic": STABLE_MOUTHS.name, "fault": ""}]
    assert run_replay(again, platform) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert len(sent(operations)) == 1


def test_a_letter_that_is_not_there_is_told_and_the_others_are_sent(platform, bury, operations, capsys):
    name = bury()
    assert run_replay(ReplayOptions(("9-9", name)), platform) == 2
    said = capsys.readouterr()
    assert said.err.startswith("lipsol: 9-9: no dead letter '9-9'")
    assert said.out == f"{name}  sent to {STABLE_MOUTHS.name}\n"
    assert len(sent(operations)) == 1
    with pytest.raises(NotFound):
        run_show("9-9", event=False, as_json=False, platform=platform)


@pytest.mark.parametrize(
    "options",
    [
        ReplayOptions(),
        ReplayOptions(("0-0",), every=True),
        ReplayOptions(("0-0",), kind="bad-input"),
        ReplayOptions(("0-0", "0-1"), mended="mended.json"),
    ],
    ids=["nothing named", "an id and all", "an id and a filter", "one event for two"],
)
def test_what_can_not_be_meant_is_refused_before_anything_is_sent(platform, operations, options, tmp_path):
    if options.mended:
        options = ReplayOptions(options.names, mended=tmp_path / options.mended)
    with pytest.raises(BadInput):
        run_replay(options, platform)
    assert sent(operations) == []


def test_a_mended_file_that_is_no_json_is_refused(platform, bury, tmp_path):
    (tmp_path / "mended.json").write_text("{'single': 'quotes'}")
    with pytest.raises(BadInput, match="no JSON"):
        run_replay(ReplayOptions((bury(),), mended=tmp_path / "mended.json"), platform)
