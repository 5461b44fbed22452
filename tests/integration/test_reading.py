"""Real clips, real models, the real platform, over real HTTP: what people get."""

import json
import time

import pytest

from lipsol.data.dataset import open_dataset
from lipsol.runtime.wiring import shipped_models
from services.cli import main
from services.embedded import Embedded
from services.preprocess.consent import WORDING
from tests.services_made import clip, served, settings_of

WAIT = {"wait": "true"}
PATIENCE = 120.0  # seconds; a machine that trains models meanwhile is slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the platform keeps what it must."""
    return tmp_path_factory.mktemp("reading")


@pytest.fixture(scope="module")
def client(folder):
    """A client of the platform as it is shipped."""
    made = settings_of(folder, wait_s=PATIENCE)
    settings = made.model_copy(update={"registry": made.registry.model_copy(update={"folder": shipped_models()})})
    with Embedded(settings) as platform, served(platform) as connected:
        connected.timeout = PATIENCE
        yield connected


@pytest.fixture(scope="module")
def readings(client, samples):
    """The known speaker's samples, each with its result as the platform gave it while the client waited."""
    known = [sample for sample in samples if sample.speaker == "s1"]
    answers = [client.post("/v1/clips", files=clip(sample.bytes()), params=WAIT) for sample in known]
    assert {answer.status_code for answer in answers} == {200}
    return [(sample, answer.json()) for sample, answer in zip(known, answers, strict=True)]


@pytest.fixture(scope="module")
def right(readings):
    """A sample that was read right, and its result."""
    return next((sample, result) for sample, result in readings if result["text"] == sample.text)


def test_most_clips_of_a_known_speaker_are_read_right(readings):
    wrong = [(sample.text, result["text"]) for sample, result in readings if result["text"] != sample.text]
    assert len(readings) - len(wrong) >= max(3, len(readings) - 2), wrong


def test_a_result_tells_what_is_promised(readings):
    for _sample, result in readings:
        assert [word["text"] for word in result["words"]] == result["text"].split()
        assert all(word["start_s"] < word["end_s"] <= 3.1 for word in result["words"])
        assert len(result["alternatives"]) >= 3
        assert result["text"] not in [other["text"] for other in result["alternatives"]]
        assert (result["faces"], result["language"], result["grammar"]) == (1, "en", "grid")
        assert result["quality"]["face_found"] == 1
        assert {"decode", "face", "mouth", "quality", "queue", "read", "total"} == set(result["timings_ms"])
        assert result["timings_ms"]["total"] >= result["timings_ms"]["face"]


def test_who_does_not_wait_gets_the_same_words_later(client, right):
    sample, waited = right
    place = client.post("/v1/clips", files=clip(sample.bytes())).headers["location"]
    until = time.monotonic() + PATIENCE
    while (result := client.get(place).json())["state"] == "reading" and time.monotonic() < until:
        time.sleep(0.05)
    assert (result["text"], result["confidence"]) == (waited["text"], waited["confidence"])


def test_captions_lips_and_feedback_belong_to_the_clip(client, right):
    sample, result = right
    place = f"/v1/clips/{result['clip_id']}"
    captions = client.get(place + "/captions.vtt").text
    assert all(word in captions for word in sample.text.split())
    lips = client.get(place + "/lips").json()
    assert len(lips["points"]) == len(lips["seen"]) == round(result["quality"]["seconds"] * 25)
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in lips["points"][30])
    told = client.post(place + "/feedback", json={"text": sample.text.upper()})
    assert (told.status_code, told.json()["text"]) == (202, sample.text)


def test_a_phrase_list_of_ones_own_binds_the_reading(client, right):
    sample, _ = right
    phrases = [sample.text, "good morning", "thank you"]
    document = json.dumps({"name": "mine", "language": "en", "phrases": phrases})
    answer = client.post("/v1/clips", files=clip(sample.bytes()), data={"grammar": document}, params=WAIT).json()
    assert (answer["text"], answer["grammar"]) == (sample.text, "mine")


def test_a_board_tells_of_none_and_words_tell_what_looks_like_them(client, right):
    sample, _ = right
    board = [sample.text, "place red with t nine please", "set white in f two soon", "lay blue at q one now"]
    on = client.post("/v1/clips", files=clip(sample.bytes()), data={"phrases": board}, params=WAIT).json()
    off = client.post("/v1/clips", files=clip(sample.bytes()), data={"phrases": board[1:]}, params=WAIT).json()
    assert on["text"] == sample.text and on["none"] < 0.5 and len(on["alternatives"]) == 3
    assert off["abstained"] and off["none"] > 0.9
    plain = client.post("/v1/clips", files=clip(sample.bytes()), params=WAIT).json()
    assert plain["none"] is None and all(other["look"] for other in plain["alternatives"])
    alike = {word["text"]: word["alike"] for word in plain["words"]}
    assert alike.get("b", ["p"]) == ["p"] and alike.get("at", ["in"]) == ["in"]


def test_a_free_reading_is_bound_by_no_grammar(client, right):
    sample, _ = right
    answer = client.post("/v1/clips", files=clip(sample.bytes()), data={"grammar": "none"}, params=WAIT).json()
    assert (answer["state"], answer["grammar"]) == ("read", None)
    assert answer["text"]


def test_the_word_model_reads_one_word(client, right):
    sample, _ = right
    answer = client.post("/v1/clips", files=clip(sample.bytes()), data={"model": "grid-words"}, params=WAIT).json()
    assert (answer["state"], len(answer["text"].split()), answer["model"]["name"]) == ("read", 1, "grid-words")


def test_a_repeat_is_the_same_clip_and_a_deleted_clip_leaves_nothing(client, right, folder):
    sample, _ = right
    key = {"Idempotency-Key": "the same"}
    first = client.post("/v1/clips", files=clip(sample.bytes()), headers=key, params=WAIT).json()
    again = client.post("/v1/clips", files=clip(sample.bytes()), headers=key, params=WAIT).json()
    assert first == again
    assert client.delete(f"/v1/clips/{first['clip_id']}").status_code == 204
    kept = [path for path in (folder / "store").rglob("*") if path.is_file()]
    assert not [
        path for path in kept if first["clip_id"] in str(path) or first["clip_id"].encode() in path.read_bytes()
    ]
    assert not [path for path in kept if "idempotency" in str(path)]


def test_what_people_let_it_learn_becomes_a_version_of_the_data(client, readings, folder, monkeypatch, capsys):
    monkeypatch.setenv("LIPSOL_STORE__FOLDER", str(folder / "store"))
    monkeypatch.setenv("LIPSOL_DATA__REMOTE", str(folder / "remote"))
    monkeypatch.setenv("LIPSOL_TELEMETRY__LOG_LEVEL", "warning")

    def run(*arguments):
        assert main(["data", *map(str, arguments)]) == 0
        return capsys.readouterr().out

    def teach(clip_id, text, consent=WORDING):
        told = client.post(f"/v1/clips/{clip_id}/feedback", json={"text": text, "consent": consent})
        assert told.json()["kept"] is bool(consent)

    (one, told), (two, silent), *_ = readings
    again = client.post("/v1/clips", files=clip(one.bytes()), params=WAIT).json()["clip_id"]
    teach(told["clip_id"], one.text)
    teach(again, one.text)
    teach(silent["clip_id"], two.text, consent="")
    summary = json.loads(run("from-feedback", "--out", folder / "taught"))
    assert summary["left_out"] == {again: "the same film is there already"}
    (item,) = open_dataset(folder / "taught").items
    assert (item.id, item.text) == (told["clip_id"], one.text)
    rev = run("push", folder / "taught").strip()
    assert rev[:12] in run("versions", "corrections")
    run("pull", "corrections", "--rev", rev[:8], "--to", folder / "back")
    assert open_dataset(folder / "back").version() == open_dataset(folder / "taught").version()
    run("corrections", "--withdraw", told["clip_id"])
    assert [each["clip_id"] for each in json.loads(run("corrections", "--json"))] == [again]
