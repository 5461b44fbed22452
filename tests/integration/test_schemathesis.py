"""Every REST door under requests made up from its own description: no 5xx, and each answer is what it is said to be.

Each operation gets requests that its description allows, others that it forbids, and one that is known to be right, so
that answers of all kinds are seen. Examples are the same in every run.
"""

import time
from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lipsol.events import to_bytes
from services.inference.api import create_app
from services.monitor.reports.kept import Report, Reports
from services.operating.door import create_app as operating_app
from services.operating.letters import Wanted
from services.preprocess.consent import WORDING
from tests.board_made import CANARY, FINDINGS, MadeMonitor, action, drifted, quiet, series
from tests.oip_made import json_inputs, made_core
from tests.services_made import MadeReader, clip, letter_of

CHECKS = [
    not_a_server_error,  # the first: a client that can't be answered in the time that it gives is told so by a 504
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FUZZ = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
pytestmark = pytest.mark.filterwarnings(  # the platform's own threads draw numbers while an example is made
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)
HERE = "http://127.0.0.1"  # the operator's door answers to no other name


def held(app, right):
    """Try every operation of a door; `right(label)`: a request to it that is known to be right, as a case's parts."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert operations
    for operation in operations:
        parts = right(operation.label)
        seen = tried(operation, parts.get("path_parameters", {}))
        case = operation.Case(**parts)
        answer = case.call(base_url=HERE)
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code < 300, (operation.label, answer.text)
        assert sum(seen.values()), operation.label


def tried(operation, known):
    """What an operation answers to what is made up; also about what there is, where its address names something."""
    seen = Counter()

    def one(case):
        answer = case.call(base_url=HERE)
        seen[answer.status_code] += 1
        hurried = answer.status_code == 504 and "request-timeout" in (case.headers or {})  # as it asked to be
        case.validate_response(answer, checks=CHECKS[1:] if hurried else CHECKS)

    FUZZ(given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))(one))()
    if operation.body or operation.query or operation.headers:  # of an address any text is allowed
        FUZZ(given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))(one))()
    if known and operation.body:

        def there(case):
            case.path_parameters.update(known)
            one(case)

        FUZZ(given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))(there))()
    return seen


def test_the_edge_answers_as_it_says(platform, client):
    def right(label):
        if label == "POST /v1/clips":
            return {"body": {"file": b"a clip"}, "media_type": "multipart/form-data"}
        if "{clip_id}" not in label:
            return {}
        told = client.post("/v1/clips", files=clip(), params={"wait": "true"}).json()
        place = {"path_parameters": {"clip_id": told["clip_id"]}}
        if "feedback" not in label:
            return place
        said = {"text": "bin blue", "consent": WORDING}
        if label.startswith("POST"):
            return place | {"body": said}
        client.post(f"/v1/clips/{told['clip_id']}/feedback", json=said).raise_for_status()
        return place

    held(platform.edge.app, right)


def test_the_reading_service_answers_as_it_says():
    core = made_core(MadeReader())
    core.start()

    def right(label):
        named = {"model": "grid-sentences", "version": "1"}
        place = {name: value for name, value in named.items() if f"{{{name}}}" in label}
        body = {"body": {"inputs": json_inputs()}, "media_type": "application/json"} if "infer" in label else {}
        return {"path_parameters": place, **body}

    try:
        held(create_app(tuple, core), right)
    finally:
        core.stop(10)


def test_the_monitor_answers_as_it_says(platform):
    (watching,) = (service for service in platform._services if service.name == "monitor")
    made = Report("", "data-drift", time.time(), "stable", "m", "d" * 64, "en", False, 1, 1, {}, [], "")
    kept = Reports(platform.store, 60.0).keep(made, b"<!doctype html>")
    pages = {"GET /runbooks/{name}": "drift-camera", "GET /reports/{name}": kept.name}
    held(watching.app, lambda label: {"path_parameters": {"name": pages[label]}} if label in pages else {})


def test_the_board_answers_as_it_says_whatever_was_found():
    made = MadeMonitor(
        [quiet(CANARY), *map(drifted, FINDINGS)], [action()], [series("wer"), series("brightness", None)]
    )
    held(made.app(), lambda label: {"path_parameters": {"name": "drift-camera"}} if "runbooks" in label else {})


def test_the_operators_door_answers_as_it_says(platform):
    clip_id = "ab" * 16
    letter = letter_of(clip_id)
    proposed = action(done=False)
    for told in (letter, proposed):
        platform.bus.publish(told.topic, told.key, to_bytes(told))
    (name,) = (found.id for found in platform.operations.letters(Wanted()))
    by = {"by": "ali"}
    bodies = {
        "set_traffic": {"mode": "stable", "weight": 0, "life_s": 60, "set_by": "ali"},
        "abort": {"set_by": "ali"},
        "letters": {"wanted": {}},
        "letter": {"name": name},
        "replay": {"name": name, **by},
        "replay_all": {"wanted": {"kind": "bad-input"}, **by},
        "story": {"clip_id": clip_id},
        "take": {"name": proposed.action_id, **by},
        "accept": {"digest": proposed.model_digest, **by},
    }
    held(operating_app(platform.operations), lambda label: right_call(label, bodies))


def right_call(label, bodies):
    method, _, place = label.partition(" ")
    return {"body": bodies.get(place.rpartition("/")[2], {})} if method == "POST" else {}
