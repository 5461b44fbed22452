"""The edge's HTTP contract, over real HTTP, the real bus, store and services; only the science is stood in for."""

import json
import threading
import time

import pytest

from lipsol.clips.embedding import SIZE
from lipsol.runtime.envelope import unwrap
from lipsol.topics import FEEDBACK, PREDICTIONS
from services.preprocess.consent import WORDING
from services.preprocess.results import Lips, Result
from tests.services_made import SAID, clip, served, settings_of

WAIT = {"wait": "true"}
RESULT_KEYS = {
    "clip_id", "state", "text", "confidence", "abstained", "alternatives", "words", "quality", "faces", "language",
    "grammar", "none", "sentences", "watched_s", "model", "track", "timings_ms", "received_at", "problem",
}  # fmt: skip


def sent(client, data=b"a clip", **fields):
    """The result of a clip that was sent and waited for."""
    answer = client.post("/v1/clips", files=clip(data), data=fields, params=WAIT)
    assert answer.status_code == 200, answer.text
    return answer.json()


def problem(answer, status):
    """The problem in an answer, which must be one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert {"type", "title", "status", "detail", "cure", "trace_id"} == set(told)
    assert told["status"] == status
    assert told["detail"]
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    return told


def eventually(ask, wanted, within_s=60.0):
    """What `ask` says once it is `wanted`."""
    until = time.monotonic() + within_s
    while (said := ask()) != wanted and time.monotonic() < until:
        time.sleep(0.01)
    return said


def test_a_clip_that_is_waited_for_is_answered_with_its_words(client):
    result = sent(client)
    assert set(result) == RESULT_KEYS
    assert (result["state"], result["text"], result["grammar"]) == ("read", SAID, "grid")
    assert {"decode", "face", "mouth", "quality", "queue", "read", "total"} == set(result["timings_ms"])
    assert SAID not in [other["text"] for other in result["alternatives"]]
    Result.model_validate(result)


def test_a_clip_that_is_not_waited_for_is_found_where_location_says(client, made):
    made.reader.hold.clear()
    answer = client.post("/v1/clips", files=clip())
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/clips/{answer.json()['clip_id']}"
    place = answer.headers["location"]
    assert (client.get(place).status_code, client.get(place).json()["state"]) == (200, "reading")
    made.reader.hold.set()
    assert eventually(lambda: client.get(place).json()["state"], "read") == "read"
    assert client.get(place).json()["text"] == SAID


def test_a_clip_that_takes_too_long_is_answered_as_if_nobody_waited(made, tmp_path):
    made.settings = settings_of(tmp_path, wait_s=0.05)
    made.reader.hold.clear()
    with made.open() as platform, served(platform) as client:
        answer = client.post("/v1/clips", files=clip(), params=WAIT)
        made.reader.hold.set()
    assert (answer.status_code, answer.json()["state"]) == (202, "reading")
    assert "location" in answer.headers


@pytest.mark.parametrize("params", [{}, WAIT], ids=["not waiting", "waiting"])
def test_a_bad_clip_is_refused_at_once_with_reason_and_cure(client, platform, params):
    told = problem(client.post("/v1/clips", files=clip(b"bad clip"), params=params), 422)
    assert (told["detail"], told["cure"]) == ("no face for 2.1 of 3.0 s", "face the camera")
    assert sent(client)["state"] == "read"


@pytest.mark.parametrize(
    ("fields", "status", "named"),
    [
        ({"model": "other"}, 404, "grid-sentences"),
        ({"grammar": "../secrets"}, 404, "grid"),
        ({"grammar": '{"broken'}, 422, "JSON"),
        ({"language": "xx"}, 404, "ur"),
        ({"phrases": "call 911"}, 422, "U+0039"),
        ({"phrases": ""}, 422, "0 phrases"),
        ({"phrases": ["bin", "bin"]}, 422, "twice"),
        ({"phrases": [f"bin {'a' * n}" for n in range(1, 502)]}, 422, "at most 500"),
        ({"phrases": "bin", "grammar": "grid"}, 422, "one of the two"),
        ({"hotwords": "bin:5000"}, 422, "from 1 to 1000"),
        ({"model": "grid-words", "language": "ur"}, 422, "en"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_is_not_here_is_refused_naming_what_is(client, made, fields, status, named):
    told = problem(client.post("/v1/clips", files=clip(), data=fields), status)
    assert named in told["detail"] + told["cure"]
    assert made.watcher.watched == 0


def test_a_grammar_and_a_model_are_obeyed(client):
    phrases = {"name": "greetings", "language": "en", "phrases": ["good morning"]}
    result = sent(client, grammar=json.dumps(phrases), model="grid-words")
    assert (result["text"], result["grammar"], result["model"]["name"]) == ("good morning", "greetings", "grid-words")
    assert sent(client, grammar="none")["grammar"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {"phrases": ["good morning", "good night"], "hotwords": ["night:5", "good"]},
        {"phrases": '["good morning", "good night"]', "hotwords": '{"night": 5, "good": 10}'},
        {"phrases": "good morning\r\ngood night\r\n", "hotwords": "night:5\ngood"},
    ],
    ids=["fields", "json", "lines"],
)
def test_a_board_is_read_and_tells_how_sure_it_is_that_it_was_none(client, fields):
    result = sent(client, **fields)
    assert (result["text"], result["grammar"], result["none"]) == ("good morning", "phrases", 0.05)


def test_a_repeat_with_other_phrases_is_another_request(client):
    key = {"idempotency-key": "boards"}
    first = client.post("/v1/clips", files=clip(), data={"phrases": ["bin", "set"]}, headers=key)
    again = client.post("/v1/clips", files=clip(), data={"phrases": ["bin", "set"]}, headers=key)
    assert first.json()["clip_id"] == again.json()["clip_id"]
    problem(client.post("/v1/clips", files=clip(), data={"phrases": ["bin", "lay"]}, headers=key), 422)


def test_a_request_that_is_no_form_is_of_the_wrong_type(client):
    problem(client.post("/v1/clips", content=b"a clip", headers={"content-type": "video/mp4"}), 415)
    problem(client.post("/v1/clips"), 415)


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"--x\r\nContent-Disposition: form-data\r\n\r\nnameless\r\n--x--\r\n"],
    ids=["empty", "no form", "a nameless part"],
)
def test_a_broken_form_is_malformed_or_lacks_its_clip(client, body):
    answer = client.post("/v1/clips", content=body, headers={"content-type": "multipart/form-data; boundary=x"})
    problem(answer, answer.status_code)
    assert answer.status_code in {400, 422}


def test_a_form_without_a_boundary_is_malformed(client):
    problem(client.post("/v1/clips", content=b"x", headers={"content-type": "multipart/form-data"}), 400)


def test_a_form_without_a_clip_is_told_so(client):
    for form in ({"other": ("a.mp4", b"x")}, {"file": (None, "text")}):
        told = problem(client.post("/v1/clips", files=form), 422)
        assert "`file`" in told["detail"]


def test_a_form_of_two_clips_is_refused(client):
    problem(client.post("/v1/clips", files=[("file", ("a", b"a")), ("file", ("b", b"b"))]), 400)


def test_a_clip_over_the_bound_is_too_large_whether_it_says_so_or_not(made, tmp_path):
    made.settings = settings_of(tmp_path, max_bytes=10_000, memory_bytes=4_000_000)
    with made.open() as platform, served(platform) as client:
        problem(client.post("/v1/clips", files=clip(bytes(10_001))), 413)
        problem(client.post("/v1/clips", files=clip(bytes(3_000_000))), 413)
        form = {"content-type": "multipart/form-data; boundary=x"}
        head = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        endless = (head if n == 0 else bytes(65536) for n in range(400))
        problem(client.post("/v1/clips", content=endless, headers=form), 413)
        assert sent(client, bytes(10_000))["state"] == "read"
    assert made.watcher.watched == 1


def test_more_clips_at_once_than_memory_is_meant_for_are_told_to_come_back(made, tmp_path):
    made.settings = settings_of(tmp_path, max_bytes=10_000, memory_bytes=15_000)
    made.watcher.hold.clear()
    with made.open() as platform, served(platform) as client:
        first = threading.Thread(target=client.post, args=("/v1/clips",), kwargs={"files": clip(bytes(9_000))})
        first.start()
        eventually(lambda: made.watcher.watched, 1)
        told = client.post("/v1/clips", files=clip(bytes(9_000)))
        made.watcher.hold.set()
        first.join()
        problem(told, 429)
        assert sent(client, bytes(9_000))["state"] == "read"


def test_an_upload_that_dawdles_is_cut_off(made, tmp_path):
    made.settings = settings_of(tmp_path, upload_s=3.0)

    def dawdling():
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        time.sleep(6.0)
        yield b"a clip\r\n--x--\r\n"

    with made.open() as platform, served(platform) as client:
        form = {"content-type": "multipart/form-data; boundary=x"}
        problem(client.post("/v1/clips", content=dawdling(), headers=form), 408)
        assert sent(client)["state"] == "read"


def test_a_full_line_says_when_to_come_back(made, tmp_path):
    made.settings = settings_of(tmp_path, workers=1, line=0, retry_after_s=3)
    made.watcher.hold.clear()
    with made.open() as platform, served(platform) as client:
        first = threading.Thread(target=client.post, args=("/v1/clips",), kwargs={"files": clip()})
        first.start()
        eventually(lambda: made.watcher.watched, 1)
        busy = client.post("/v1/clips", files=clip())
        made.watcher.hold.set()
        first.join()
        problem(busy, 429)
        assert busy.headers["retry-after"] == "3"
        assert platform.telemetry.value("lipsol_clips_refused_total", reason="busy") == 1
        assert sent(client)["state"] == "read"


def test_watching_clips_never_blocks_the_other_doors(client, made):
    made.watcher.hold.clear()
    senders = [threading.Thread(target=client.post, args=("/v1/clips",), kwargs={"files": clip()}) for _ in range(4)]
    for sender in senders:
        sender.start()
    eventually(lambda: made.watcher.watched, 2)
    try:
        assert client.get("/healthz").json() == {"status": "alive"}  # while all of them are held
    finally:
        made.watcher.hold.set()
        for sender in senders:
            sender.join()


def test_what_breaks_unexpectedly_is_a_problem_with_a_trace_to_look_for(client, capsys):
    answer = client.post("/v1/clips", files=clip(b"bug"))
    told = problem(answer, 500)
    assert answer.headers["trace-id"] in told["cure"]
    assert "secret" not in answer.text
    assert sent(client)["state"] == "read"
    capsys.readouterr()  # the log has the traceback; here nobody reads it


def test_a_clients_trace_goes_through(client):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = client.get("/healthz", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert answer.headers["trace-id"] == trace


def test_a_problem_tells_the_trace_that_it_belongs_to(client):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = client.get("/v1/clips/" + "0" * 32, headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert (answer.status_code, answer.json()["trace_id"]) == (404, trace)


def test_a_reading_that_fails_tells_who_waits_and_who_asks_later(client, made, capsys):
    from lipsol.errors import ModelError

    made.reader.fault = ModelError("the network is broken", "fetch it again")
    told = problem(client.post("/v1/clips", files=clip(), params=WAIT), 500)
    assert told["detail"] == "the network is broken"
    place = client.post("/v1/clips", files=clip()).headers["location"]
    assert eventually(lambda: client.get(place).json()["state"], "failed") == "failed"
    failed = client.get(place).json()
    assert (failed["problem"]["status"], failed["problem"]["cure"]) == (500, "fetch it again")
    problem(client.get(place + "/captions.srt"), 422)
    capsys.readouterr()


def test_captions_are_the_words_in_time(client):
    place = f"/v1/clips/{sent(client)['clip_id']}"
    srt, vtt = client.get(place + "/captions.srt"), client.get(place + "/captions.vtt")
    assert srt.headers["content-type"].startswith("application/x-subrip")
    assert vtt.headers["content-type"].startswith("text/vtt")
    assert vtt.text.startswith("WEBVTT")
    assert "00:00:00,000 -->" in srt.text
    for word in SAID.split():
        assert word in srt.text
        assert word in vtt.text


def test_captions_of_a_clip_that_is_being_read_are_not_to_be_had_yet(client, made):
    made.reader.hold.clear()
    place = client.post("/v1/clips", files=clip()).headers["location"]
    problem(client.get(place + "/captions.vtt"), 422)
    made.reader.hold.set()


def test_the_lips_can_be_drawn(client):
    lips = Lips.model_validate(client.get(f"/v1/clips/{sent(client)['clip_id']}/lips").json())
    assert len(lips.points) == len(lips.seen) == 5
    assert {len(frame) for frame in lips.points} == {40}


@pytest.mark.parametrize("name", ["0" * 32, "nonsense", "..%2f..%2fetc%2fpasswd", "%00", "a" * 5000])
@pytest.mark.parametrize("rest", ["", "/captions.srt", "/captions.vtt", "/lips"])
def test_a_clip_that_is_not_known_is_not_found(client, name, rest):
    problem(client.get(f"/v1/clips/{name}{rest}"), 404)


def test_feedback_is_taken_and_reaches_the_monitor(client, platform):
    place = f"/v1/clips/{sent(client)['clip_id']}"
    told = client.post(place + "/feedback", json={"text": "Bin blue at F three now!"})
    assert (told.status_code, told.json()["text"]) == (202, "bin blue at f three now")
    verdicts = {"model": "grid-sentences", "reason": "wrong"}
    assert eventually(lambda: platform.telemetry.value("lipsol_verdicts_total", **verdicts), 1.0) == 1.0
    who, wrong = {"track": "stable", "model": "grid-sentences"}, pytest.approx(1 / 6)
    assert eventually(lambda: platform.telemetry.value("lipsol_corrected_word_error_ratio", **who), wrong) == wrong
    assert client.post(place + "/feedback", json={"verdict": "right"}).status_code == 202


def test_a_clips_trace_is_named_by_the_figures_of_all_services(client, platform):
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    assert client.post("/v1/clips", files=clip(), params=WAIT, headers=headers).status_code == 200
    wanted = {"clip_bytes", "line_seconds", "search_seconds", "answer_seconds", "stage_seconds", "confidence_ratio"}

    def named():
        families = platform.telemetry.registry.collect()
        marked = [(f.name, s.exemplar.labels) for f in families for s in f.samples if s.exemplar]
        found = {name.removeprefix("lipsol_") for name, labels in marked if labels == {"trace_id": trace_id}}
        return wanted & found

    assert eventually(named, wanted) == wanted


def test_a_reading_tells_what_was_measured_on_its_way(client, platform):
    sent(client, session="a visit")
    (message,) = platform.bus.replay([PREDICTIONS.name])
    made = unwrap(message)
    assert (made.codec, made.faces, made.redo, made.entropy) == ("h264", 1, False, 0.0)
    assert len(made.embedding) == SIZE
    assert made.received_at == pytest.approx(time.time(), abs=60)


def test_who_gave_up_and_typed_instead_is_heard(client, platform):
    clip_id = sent(client)["clip_id"]
    told = client.post(f"/v1/clips/{clip_id}/feedback", json={"gave_up": True, "consent": WORDING})
    assert (told.status_code, told.json()) == (
        202, {"clip_id": clip_id, "text": None, "verdict": None, "gave_up": True, "kept": False},
    )  # fmt: skip
    (given,) = [unwrap(message) for message in platform.bus.replay([FEEDBACK.name])]
    assert (given.clip_id, given.gave_up, given.reading, given.model) == (clip_id, True, SAID, "grid-sentences")


def test_what_somebody_lets_it_learn_is_kept_shown_and_taken_back(client, tmp_path):
    place = f"/v1/clips/{sent(client)['clip_id']}"
    assert client.post(place + "/feedback", json={"text": "bin blue"}).json()["kept"] is False
    problem(client.get(place + "/feedback"), 404)
    assert client.post(place + "/feedback", json={"text": "bin red", "consent": WORDING}).json()["kept"] is True
    (lesson,) = client.get(place + "/feedback").json()["kept"]
    assert {name: lesson[name] for name in ("text", "consent")} == {"text": "bin red", "consent": WORDING}
    assert client.delete(place + "/feedback").status_code == 204
    problem(client.get(place + "/feedback"), 404)
    assert not [path for path in (tmp_path / "store" / "corrections").rglob("*") if path.is_file()]
    assert client.get(place).status_code == 200


def test_deleting_a_clip_takes_back_what_it_was_to_teach(client, tmp_path):
    place = f"/v1/clips/{sent(client)['clip_id']}"
    client.post(place + "/feedback", json={"verdict": "right", "consent": WORDING})
    assert client.delete(place).status_code == 204
    assert [path.parent.name for path in (tmp_path / "store").rglob("*") if path.is_file()] == ["withdrawn"]


@pytest.mark.parametrize(
    "body",
    [{"text": "bin", "consent": "0"}, {"text": "bin", "consent": True},
     {}, {"text": "bin", "verdict": "right"}, {"verdict": "perhaps"}, {"text": "bin blue 7"}, {"text": ""},
     {"gave_up": False}, {"gave_up": True, "verdict": "wrong"},
     {"texts": "x"}, {"text": "x" * 2001}, [], "text", {"text": None, "verdict": None}],
    ids=str,
)  # fmt: skip
def test_feedback_that_says_nothing_or_can_not_be_spelled_is_refused(client, body):
    problem(client.post(f"/v1/clips/{sent(client)['clip_id']}/feedback", json=body), 422)


def test_feedback_that_is_no_json_is_refused(client):
    place = f"/v1/clips/{sent(client)['clip_id']}/feedback"
    problem(client.post(place, content=b"{", headers={"content-type": "application/json"}), 422)


def test_deleting_a_clip_leaves_nothing_of_it(client, tmp_path):
    keyed = client.post("/v1/clips", files=clip(), params=WAIT, headers={"Idempotency-Key": "one"}).json()
    place = f"/v1/clips/{keyed['clip_id']}"
    assert client.delete(place).status_code == 204
    problem(client.get(place), 404)
    problem(client.delete(place), 404)
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_a_clip_that_is_deleted_while_it_is_read_stays_deleted(client, made, platform, tmp_path):
    made.reader.hold.clear()
    place = client.post("/v1/clips", files=clip()).headers["location"]
    eventually(lambda: len(made.reader.batches), 1)
    assert client.delete(place).status_code == 204
    made.reader.hold.set()
    handled = {"stage": "preprocess"}
    assert eventually(lambda: platform.telemetry.value("lipsol_messages_handled_total", **handled), 2.0) == 2.0
    problem(client.get(place), 404)
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_a_repeat_with_the_same_key_is_the_same_clip(client, made):
    key = {"Idempotency-Key": "one"}
    first = client.post("/v1/clips", files=clip(), headers=key)
    again = client.post("/v1/clips", files=clip(), headers=key, params=WAIT)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["clip_id"] == again.json()["clip_id"]
    assert made.watcher.watched == 1


def test_repeats_that_come_at_the_same_time_are_one_clip(client, made):
    made.watcher.hold.clear()
    answers = []

    def send():
        answers.append(client.post("/v1/clips", files=clip(), headers={"Idempotency-Key": "one"}).json()["clip_id"])

    senders = [threading.Thread(target=send) for _ in range(5)]
    for sender in senders:
        sender.start()
    eventually(lambda: made.watcher.watched, 1)
    made.watcher.hold.set()
    for sender in senders:
        sender.join()
    assert (len(set(answers)), made.watcher.watched) == (1, 1)


def test_a_key_with_another_body_is_refused(client):
    key = {"Idempotency-Key": "one"}
    client.post("/v1/clips", files=clip(), headers=key)
    problem(client.post("/v1/clips", files=clip(b"another"), headers=key), 422)
    problem(client.post("/v1/clips", files=clip(), data={"grammar": "none"}, headers=key), 422)


def test_a_refused_clip_is_refused_again_under_its_key(client):
    key = {"Idempotency-Key": "one"}
    for _ in range(2):
        problem(client.post("/v1/clips", files=clip(b"bad"), headers=key), 422)
    assert client.post("/v1/clips", files=clip(), headers=key).status_code == 202


def test_a_key_that_can_not_be_one_is_refused(client):
    problem(client.post("/v1/clips", files=clip(), headers={"Idempotency-Key": "k" * 256}), 422)


def test_the_models_are_listed_with_their_cards(client):
    (first, second) = client.get("/v1/models").json()["models"]
    assert (first["name"], first["default"], second["default"]) == ("grid-sentences", True, False)
    assert first["card"]["licence"] == "CC BY 4.0" and first["synthetic"] is False


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("PUT", "/v1/clips", 405), ("GET", "/v1/clips", 405), ("GET", "/metrics", 404),
     ("POST", "/healthz", 405), ("GET", "/assets/nothing.js", 404), ("GET", "/assets/../settings", 404),
     ("GET", "/v1/clips?wait=perhaps", 405)],
)  # fmt: skip
def test_what_is_not_there_is_a_problem_too(client, method, path, status):
    problem(client.request(method, path), status)


def test_a_query_that_makes_no_sense_is_a_problem(client):
    told = problem(client.post("/v1/clips?wait=perhaps", files=clip()), 422)
    assert "wait" in told["detail"]


def test_only_clips_may_be_large(client):
    place = f"/v1/clips/{sent(client)['clip_id']}/feedback"
    huge = b'{"text": "' + b"x" * 100_000 + b'"}'
    problem(client.post(place, content=huge, headers={"content-type": "application/json"}), 413)
    problem(client.post(place, files=clip(bytes(100_000))), 413)
