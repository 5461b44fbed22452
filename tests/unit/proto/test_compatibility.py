"""The schema keeps what it promised: each kind of break is caught, and additions pass."""

from importlib.resources import files

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from lipsol.errors import BadInput
from lipsol.proto.compatibility import BASELINE, Facts, breaks, current, facts_of, main, read, unreserved, written
from lipsol.proto.generate import TOP

OLD = """
syntax = "proto3";
package old;
import "lipsol/proto/v1/options.proto";
enum Track { TRACK_UNSPECIFIED = 0; TRACK_STABLE = 1; TRACK_CANARY = 2; }
message Word { string text = 1; }
message Clip {
  string clip_id = 1 [(lipsol.v1.required) = true];
  Track track = 2;
  repeated Word words = 3;
  map<string, double> quality = 4;
  optional string grammar = 5;
  oneof said { string text = 6; bytes voice = 7; }
  int32 faces = 8;
  reserved 9;
  reserved "mood";
  message Part { double start_s = 1; }
}
service Reading { rpc Read(stream Clip) returns (Word); }
"""
BREAKS = {
    "a removed field": ("int32 faces = 8;", "", "field old.Clip 8 `faces: int32` was removed"),
    "a renamed field": ("int32 faces", "int32 people", "was `faces: int32`, now it is `people: int32`"),
    "a renumbered field": ("faces = 8", "faces = 10", "field old.Clip 8 `faces: int32` was removed"),
    "a retyped field": ("int32 faces", "int64 faces", "field old.Clip 8 was `faces: int32`, now it is `faces: int64`"),
    "a number used again": ("int32 faces = 8", "string mood_told = 8", "now it is `mood_told: string`"),
    "a list made one": ("repeated Word", "Word", "was `words: repeated message old.Word`, now it is `words: message"),
    "a map of something else": ("map<string, double>", "map<string, int64>", "was `quality: map<string, double>`"),
    "a presence lost": ("optional string grammar", "string grammar", "was `grammar: optional string`"),
    "a choice undone": ("oneof said { string text = 6;", "string text = 6; oneof said {", "`text: string in oneof"),
    "a requirement dropped": ("[(lipsol.v1.required) = true]", "", "now it is `clip_id: string`"),
    "a requirement added": ("faces = 8", "faces = 8 [(lipsol.v1.required) = true]", "is `faces: int32, required`"),
    "a new field that is required": ("reserved 9;", "reserved 9; string s = 10 [(lipsol.v1.required) = true];",
                                     "field old.Clip 10 `s: string, required` is new and required"),
    "a removed message": ("message Part { double start_s = 1; }", "", "message old.Clip.Part was removed"),
    "a removed enum value": ("TRACK_CANARY = 2;", "", "value old.Track 2 `TRACK_CANARY` was removed"),
    "a renamed enum value": ("TRACK_CANARY", "TRACK_BIRD", "was `TRACK_CANARY`, now it is `TRACK_BIRD`"),
    "a removed method": ("rpc Read(stream Clip) returns (Word);", "", "method old.Reading.Read `stream"),
    "a method that streams no more": ("stream Clip", "Clip", "now it is `old.Clip -> old.Word`"),
    "a method that answers otherwise": ("returns (Word)", "returns (Clip)", "now it is `stream old.Clip -> old.Clip`"),
    "a removed service": ("service Reading", "service Writing", "service old.Reading was removed"),
    "a reservation lifted": ("reserved 9;", "", "reserved old.Clip 9 was removed"),
    "a reserved name set free": ('reserved "mood";', "", "reserved old.Clip mood was removed"),
}  # fmt: skip
ADDITIONS = {
    "a field": ("int32 faces = 8;", "int32 faces = 8; string more = 10;"),
    "an enum value": ("TRACK_CANARY = 2;", "TRACK_CANARY = 2; TRACK_SHADOW = 3;"),
    "a message that requires": ("service", "message New { bytes id = 1 [(lipsol.v1.required) = true]; } service"),
    "a method": ("returns (Word);", "returns (Word); rpc Caption(stream Clip) returns (stream Word);"),
    "a reservation": ("reserved 9;", "reserved 9, 11 to 12;"),
    "a comment and another order": ("message Word", "// so much for\nmessage Word"),
}  # fmt: skip


@pytest.fixture
def facts(tmp_path):
    """Facts of a schema's text."""

    def compiled(text: str) -> Facts:
        (tmp_path / "old.proto").write_text(text)
        roots = [f"-I{tmp_path}", f"-I{TOP}", f"-I{files('grpc_tools') / '_proto'}"]
        assert protoc.main(["protoc", *roots, f"--descriptor_set_out={tmp_path / 'set'}", "old.proto"]) == 0
        return facts_of(FileDescriptorSet.FromString((tmp_path / "set").read_bytes()).file)

    return compiled


def changed(was: str, now: str) -> str:
    assert OLD.count(was) >= 1
    return OLD.replace(was, now, 1)


def test_the_schema_keeps_all_that_it_promised():
    """What a break takes: docs/serving.md, "The schema"."""
    assert breaks(read(BASELINE.read_text()), current()) == []


def test_the_baseline_knows_every_kind_of_thing():
    kinds = {address.split()[0] for address in read(BASELINE.read_text())}
    assert kinds >= {"message", "field", "enum", "value", "service", "method", "extension"}


@pytest.mark.parametrize(("was", "now", "told"), BREAKS.values(), ids=BREAKS)
def test_a_break_is_caught_and_named(facts, was: str, now: str, told: str):
    found = breaks(facts(OLD), facts(changed(was, now)))
    assert any(told in each for each in found), found


@pytest.mark.parametrize(("was", "now"), ADDITIONS.values(), ids=ADDITIONS)
def test_an_addition_passes(facts, was: str, now: str):
    assert breaks(facts(OLD), facts(changed(was, now))) == []


def test_what_is_removed_must_be_reserved(facts):
    before = facts(OLD)
    bare = facts(changed("int32 faces = 8;", ""))
    assert unreserved(before, bare) == [
        "field old.Clip 8 `faces: int32` needs `8` reserved", "field old.Clip 8 `faces: int32` needs `faces` reserved",
    ]  # fmt: skip
    assert unreserved(before, facts(changed("int32 faces = 8;", 'reserved 8; reserved "faces";'))) == []


def test_what_was_written_down_reads_the_same(facts):
    assert read(written(facts(OLD))) == facts(OLD)


def test_additions_are_promised_by_a_deliberate_act(tmp_path):
    baseline = tmp_path / "baseline.txt"
    last = [*current()][-1]
    baseline.write_text(written({address: fact for address, fact in current().items() if address != last}))
    assert main([], baseline) == 0
    assert last not in read(baseline.read_text())
    assert main(["--renew"], baseline) == 0
    assert read(baseline.read_text()) == current()


def test_a_break_is_promised_only_on_purpose_and_never_with_a_number_left_free(tmp_path, capsys):
    baseline = tmp_path / "baseline.txt"
    baseline.write_text(written({**current(), "message lipsol.v1.Gone": ""}))
    assert main([], baseline) == 1
    assert "breaks: message lipsol.v1.Gone was removed" in capsys.readouterr().out
    with pytest.raises(BadInput, match="--breaking"):
        main(["--renew"], baseline)
    assert main(["--renew", "--breaking"], baseline) == 0
    baseline.write_text(written({**current(), "field lipsol.v1.Claim 99": "gone: string"}))
    with pytest.raises(BadInput, match="`99` reserved"):
        main(["--renew", "--breaking"], baseline)
