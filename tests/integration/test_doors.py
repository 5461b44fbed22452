"""What every HTTP door has in common: health, headers, the page, the reference and the description for programs."""

import re
from typing import Any

import pytest

from services.doors.problems import Problem
from services.preprocess import contract, results
from tests.services_made import clip, served_app

OPERATIONS = {
    ("post", "/v1/clips"),
    ("get", "/v1/clips/{clip_id}"),
    ("delete", "/v1/clips/{clip_id}"),
    ("get", "/v1/clips/{clip_id}/captions.srt"),
    ("get", "/v1/clips/{clip_id}/captions.vtt"),
    ("get", "/v1/clips/{clip_id}/lips"),
    ("post", "/v1/clips/{clip_id}/feedback"),
    ("get", "/v1/clips/{clip_id}/feedback"),
    ("delete", "/v1/clips/{clip_id}/feedback"),
    ("get", "/v1/models"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/startupz"),
}


def test_the_page_is_served_and_may_load_nothing_from_elsewhere(client):
    answer = client.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "media-src 'self' blob:" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_every_file_that_the_page_names_is_there_with_its_type(client):
    types = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    for path in re.findall(r'(?:src|href)="(/assets/[^"]+)"', client.get("/").text):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith(types[path.rpartition(".")[2]])
        assert answer.headers["cache-control"] == "no-cache"


def test_a_file_that_the_browser_has_is_not_sent_again(client):
    first = client.get("/assets/app.js")
    again = client.get("/assets/app.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/nothing", "/v1/models", "/assets/app.js"])
def test_every_answer_binds_the_browser(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_what_was_read_is_kept_by_no_cache(client):
    answer = client.post("/v1/clips", files=clip(), params={"wait": "true"})
    place = f"/v1/clips/{answer.json()['clip_id']}"
    for path in (place, place + "/captions.vtt", place + "/lips"):
        assert client.get(path).headers["cache-control"] == "no-store"


def test_the_reference_tells_of_every_operation_and_needs_no_network(client):
    page = client.get("/docs").text
    for method, path in OPERATIONS:
        assert f"<code>{method.upper()} {path}</code>" in page
    assert "http" not in page.replace("<!doctype html>", "").replace("https://json-schema.org", "")
    assert "<script" not in page


def test_programs_get_every_operation_described(client):
    document = client.get("/openapi.json").json()
    found = {(method, path) for path, item in document["paths"].items() for method in item}
    assert found == OPERATIONS
    for method, path in found:
        operation = document["paths"][path][method]
        assert operation["description"], (method, path)
        assert "HTTPValidationError" not in str(operation)
    form = document["paths"]["/v1/clips"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"file", "model", "grammar", "phrases", "hotwords", "language", "session"}


def test_every_reference_in_the_description_leads_somewhere(client):
    document = client.get("/openapi.json").json()
    for name in re.findall(r"#/components/schemas/(\w+)", client.get("/openapi.json").text):
        assert name in document["components"]["schemas"]


@pytest.mark.parametrize(
    "model",
    [results.Result, results.Lips, contract.Feedback, contract.FeedbackTaken, contract.Model, Problem],
    ids=lambda model: model.__name__,
)
def test_the_examples_are_true(model):
    schema: dict[str, Any] = model.model_json_schema()
    assert schema["examples"]
    for example in schema["examples"]:
        model.model_validate(example)


def test_a_platform_that_is_leaving_lives_but_is_not_ready(client, platform):
    assert client.get("/readyz").json() == {"status": "ready"}
    platform.drain()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "leaving" in answer.json()["detail"]
    assert client.get("/healthz").status_code == 200
    assert client.post("/v1/clips", files=clip(), params={"wait": "true"}).status_code == 200


def test_a_service_alone_has_health_and_nothing_else(platform):
    for service in platform._services:
        if service.name != "preprocess":
            with served_app(service.app, service.settings) as alone:
                assert alone.get("/readyz").json() == {"status": "ready"}
                assert alone.get("/healthz").json() == {"status": "alive"}
                assert alone.get("/v1/models").status_code == 404
                service.drain()
                assert alone.get("/readyz").status_code == 503
