"""Batches on the embedded platform: sent once, followed to the end, and gone on with wherever they were interrupted."""

import csv
import json
from contextlib import contextmanager
from threading import Event as Flag

import pytest

from lipsol.errors import BadInput, NotFound
from lipsol.events import ClipReceived, ClipRefused
from lipsol.runtime.envelope import unwrap
from lipsol.store.objects import Objects
from lipsol.topics import CLIPS, REFUSALS
from services.cli.batch import Place, SubmitOptions, run_status, run_submit
from services.cli.following import Follower
from services.cli.ledger import Head, Ledger
from services.cli.sending import Sender, clips_of
from tests.services_made import SAID


def place_of(platform, *, durable=True):
    """The seam of `run_submit`: a platform that runs."""

    @contextmanager
    def opened():
        keeper = platform.edge.handler.keeper
        objects = Objects(platform.store)
        yield Place(platform.bus, platform.store, objects, keeper, "en", durable, platform.registry)

    return opened


@pytest.fixture
def place(platform):
    return place_of(platform)


@pytest.fixture
def manifest(tmp_path):
    """Forty clips with what is said in them; every tenth can't be read."""
    rows = [f"clips/{n:02}.mp4,{SAID if n % 2 else 'bin blue at f two please'},s{n % 3},," for n in range(40)]
    (tmp_path / "clips").mkdir()
    for n in range(40):
        (tmp_path / f"clips/{n:02}.mp4").write_bytes(b"bad" if n % 10 == 7 else b"clip" + bytes([n]))
    file = tmp_path / "manifest.csv"
    file.write_text("\n".join(["path,text,speaker,language,session", *rows]) + "\n")
    return file


def submitted(platform):
    """What was told of, clip by clip."""
    return [unwrap(message) for message in platform.bus.replay([CLIPS.name])]


def sender_of(place, name, *, durable=True):
    head = Head(name, "", "", "")
    with place() as running:
        ledger = Ledger(running.store, name)
        ledger.open(head)
        return Sender(head, ledger, running.bus, running.store, running.keeper, durable, Flag())


def test_a_batch_is_read_to_the_end_and_reported_on(platform, place, manifest, tmp_path, capsys):
    report = tmp_path / "report.csv"
    assert run_submit(SubmitOptions(str(manifest), "b1", report=report), place) == 2
    said = capsys.readouterr()
    assert "batch b1: 40 clips: 0 waiting, 0 being read, 36 read, 0 not sure, 4 failed" in said.out
    assert "of the 36 whose words are known:" in said.out
    assert sorted(said.err.splitlines()) == [
        f"lipsol: clips/{n}.mp4: no face for 2.1 of 3.0 s; face the camera" for n in ("07", "17", "27", "37")
    ]
    with report.open(newline="") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    assert len(rows) == 40
    assert (rows["clips/01.mp4"]["state"], rows["clips/01.mp4"]["text"]) == ("read", SAID)
    assert rows["clips/01.mp4"]["alternatives"].count(" | ") == 2
    assert rows["clips/07.mp4"]["reason"] == "no face for 2.1 of 3.0 s; face the camera"
    refused = [unwrap(message) for message in platform.bus.replay([REFUSALS.name])]
    assert [(each.batch, type(each)) for each in refused] == [("b1", ClipRefused)] * 4
    assert platform.store.list("batches/b1/files/") == []


def test_run_again_nothing_is_sent_twice(platform, place, manifest, capsys):
    run_submit(SubmitOptions(str(manifest), "b1"), place)
    before = submitted(platform)
    assert len(before) == 40
    assert all(isinstance(event, ClipReceived) and event.batch == "b1" for event in before)
    run_submit(SubmitOptions(str(manifest), "b1", as_json=True, wait=False), place)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {
        "batch": "b1", "sent": 0, "known": 40, "refused": 0,
    }  # fmt: skip
    assert submitted(platform) == before


def test_an_interrupted_batch_goes_on_with_what_is_missing(platform, place, manifest):
    sender = sender_of(place, "b1")
    outcomes = sender.send_all(clips_of(str(manifest), Objects(platform.store)))
    for _ in range(5):
        next(outcomes)
    outcomes.close()
    sent = submitted(platform)
    assert 5 <= len(sent) < 40
    run_submit(SubmitOptions(str(manifest), "b1"), place)
    names = [event.name for event in submitted(platform)]
    assert len(names) == len(set(names)) == 40


def test_what_was_told_of_and_not_yet_noted_is_not_told_again(platform, place, manifest):
    run_submit(SubmitOptions(str(manifest), "b1"), place)
    clip_id = submitted(platform)[3].clip_id
    platform.store.delete(f"batches/b1/clips/{clip_id}.json")
    run_submit(SubmitOptions(str(manifest), "b1"), place)
    assert len(submitted(platform)) == 40
    assert Ledger(platform.store, "b1").entry(clip_id) is not None


def test_what_a_bus_took_along_when_it_ended_is_sent_again(platform, manifest):
    place = place_of(platform, durable=False)
    sender = sender_of(place, "b1")
    for each in clips_of(str(manifest), Objects(platform.store))[:3]:
        sender.ledger.write(sender._entry(each, "", b""))  # noted, and nobody will ever read them
    run_submit(SubmitOptions(str(manifest), "b1"), place)
    assert len(submitted(platform)) == 40


def test_a_file_that_is_missing_is_told_and_forgotten_once_it_is_there(platform, place, manifest, capsys):
    clip = manifest.parent / "clips/01.mp4"
    data = clip.read_bytes()
    clip.unlink()
    assert run_submit(SubmitOptions(str(manifest), "b1"), place) == 2
    assert "clips/01.mp4: no such file" in capsys.readouterr().err
    clip.write_bytes(data)
    run_submit(SubmitOptions(str(manifest), "b1"), place)
    said = capsys.readouterr()
    assert "40 clips" in said.out
    assert "01.mp4" not in said.err


def document(capsys):
    """The JSON that was told, behind the lines of this process's log, which here go the same way."""
    out = capsys.readouterr().out
    return json.loads(out[out.index("{\n") :])


def test_the_status_of_a_batch_tells_its_states_while_it_is_read(platform, place, manifest, made, capsys):
    made.reader.hold.clear()
    run_submit(SubmitOptions(str(manifest), "b1", wait=False), place)

    @contextmanager
    def results():
        yield platform.store, platform.edge.handler.keeper

    assert run_status("b1", wait=False, report=None, as_json=True, results=results) == 0
    told = document(capsys)
    assert (told["clips"], told["done"], told["read"]) == (40, False, 0)
    made.reader.hold.set()
    assert run_status("b1", wait=True, report=None, as_json=True, results=results) == 2
    told = document(capsys)
    assert (told["done"], told["read"], told["failed"], told["scores"]["n"]) == (True, 36, 4, 36)


def test_a_folder_is_all_videos_in_it_and_below(platform, place, manifest, tmp_path, capsys):
    (tmp_path / "clips/notes.txt").write_text("no clip")
    assert run_submit(SubmitOptions(str(tmp_path), "b2"), place) == 2
    assert "40 clips" in capsys.readouterr().out
    assert min(event.name for event in submitted(platform)) == "clips/00.mp4"


def test_a_batch_can_not_be_gone_on_with_in_another_way(place, manifest):
    run_submit(SubmitOptions(str(manifest), "b1"), place)
    with pytest.raises(BadInput, match="another --name"):
        run_submit(SubmitOptions(str(manifest), "b1", model="grid-words"), place)


def test_what_can_not_be_had_is_refused_before_anything_is_sent(platform, place, manifest, tmp_path):
    with pytest.raises(NotFound, match="grid-sentences"):
        run_submit(SubmitOptions(str(manifest), "b1", model="other"), place)
    with pytest.raises(BadInput, match=r"\.jsonl"):
        run_submit(SubmitOptions(str(manifest), "b1", report=tmp_path / "report.xlsx"), place)
    with pytest.raises(BadInput, match="LIPSOL_BUS__KIND"):
        run_submit(SubmitOptions(str(manifest), "b1", wait=False), place_of(platform, durable=False))
    with pytest.raises(BadInput, match="letters"):
        run_submit(SubmitOptions(str(manifest), "../b1"), place)
    assert submitted(platform) == []


def test_a_batch_that_nobody_submitted_is_not_found(platform):
    @contextmanager
    def results():
        yield platform.store, platform.edge.handler.keeper

    with pytest.raises(NotFound, match="b9"):
        run_status("b9", wait=False, report=None, as_json=False, results=results)


def test_a_clip_that_nothing_was_ever_heard_of_is_given_up_once_its_event_is_gone(platform, place, manifest, clock):
    sender = sender_of(place, "b1")
    clip = clips_of(str(manifest), Objects(platform.store))[0]
    sender.ledger.write(sender._entry(clip, "", b""))
    sent_at = next(sender.ledger.entries()).sent_at
    keeper = platform.edge.handler.keeper
    states = [
        next(Follower(sender.ledger, keeper, lambda later=later: sent_at + later).standings()).state
        for later in (0.0, 86400.0 + 3601.0)
    ]
    assert states == ["submitted", "failed"]
