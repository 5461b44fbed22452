""".github/ and the Jenkinsfile: what runs there is a verb of the Makefile, with no more rights than it needs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lipsol.errors import Transient
from services.local import publish
from tests.conftest import TOP

WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (TOP / ".github" / "workflows").iterdir()}
VERB = re.compile(r"make ([a-z][a-z0-9-]*)((?: [A-Z]+=[\w-]+)*)")
PUBLISHING = {"contents": "read", "packages": "write", "id-token": "write"}


def jobs(name: str) -> Iterator[dict[str, Any]]:
    yield from WORKFLOWS[name]["jobs"].values()


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name) for step in job["steps"]]


def runs(name: str) -> set[str]:
    return {step["run"] for step in steps(name) if "run" in step}


def verbs() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):.*## ", (TOP / "Makefile").read_text(), flags=re.MULTILINE))


@pytest.fixture(params=sorted(WORKFLOWS))
def workflow(request: pytest.FixtureRequest) -> str:
    return request.param


def test_there_is_a_workflow_for_each_thing_that_happens():
    assert set(WORKFLOWS) == {"check", "e2e", "images", "chart", "train"}


def test_all_that_runs_is_a_verb_that_there_is(workflow):
    assert runs(workflow)
    for line in runs(workflow):
        found = VERB.fullmatch(line)
        assert found and found[1] in verbs(), line


def test_a_workflow_may_read_and_only_what_publishes_may_do_more(workflow):
    assert WORKFLOWS[workflow]["permissions"] == {"contents": "read"}
    for job in jobs(workflow):
        published = any(step.get("run", "").startswith("make publish") for step in job["steps"])
        assert job.get("permissions") == (PUBLISHING if published else None)
        assert ("environment" in job) == published  # a person lets it through


def test_a_workflow_ends_and_does_not_run_twice_at_once(workflow):
    assert WORKFLOWS[workflow]["concurrency"]["group"].startswith(workflow)
    assert all(5 <= job["timeout-minutes"] <= 360 for job in jobs(workflow))


def test_a_strangers_change_meets_no_secret(workflow):
    happens = WORKFLOWS[workflow][True]  # YAML 1.1 reads `on` so
    assert "pull_request_target" not in happens and "workflow_run" not in happens
    text = (TOP / ".github" / "workflows" / f"{workflow}.yaml").read_text()
    secret = re.findall(r"^.*secrets.*$", text, flags=re.MULTILINE)
    assert {line.strip() for line in secret} <= {"password: ${{ secrets.GITHUB_TOKEN }}"}
    for step in steps(workflow):
        assert "${{" not in step.get("run", "")  # what others wrote never becomes a command
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}


def test_an_action_is_named_by_a_commit_or_a_major_version(workflow):
    for step in steps(workflow):
        assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})", step.get("uses", "a/b@v1")), step


def test_packages_are_kept_by_what_is_pinned(workflow):
    keys = [step["with"]["key"] for step in steps(workflow) if step.get("uses", "").startswith("actions/cache@")]
    assert len(keys) == len(list(jobs(workflow)))
    assert all("hashFiles('requirements/*.txt'" in key for key in keys)


def test_the_check_of_a_merge_is_the_same_wherever_it_runs():
    lines = map(str.strip, (TOP / ".ci" / "run").read_text().splitlines())
    here = {line.removeprefix("run ") for line in lines if line.startswith("run make")}
    assert runs("check") <= here <= runs("check") | runs("e2e")


def test_jenkins_does_the_same_by_the_same_verbs():
    text = (TOP / "Jenkinsfile").read_text()
    assert set(re.findall(r"\bsh '([^']*)'", text)) == {line for name in WORKFLOWS for line in runs(name)}
    assert text.count("sh '") == len(re.findall(r"\bsh\b", text)) and "credentials(" not in text
    stages = re.findall(r"stage\('([\w-]+)'\) \{\n\s+options \{ timeout\(", text)
    assert len(stages) == text.count("stage('")
    assert text.count("{") == text.count("}")


def test_every_path_that_has_owners_is_there():
    lines = [line.split() for line in (TOP / ".github" / "CODEOWNERS").read_text().splitlines() if line[:1] in "*/"]
    assert lines[0][0] == "*"
    for pattern, *owners in lines:
        assert owners and all(owner.startswith("@") for owner in owners)
        assert pattern == "*" or Path(TOP / pattern.strip("/")).exists(), pattern


def test_what_a_push_tells_last_is_what_is_signed():
    first, last = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    assert publish.digest_in(f"layer: {first}\n0.1.0: digest: {last} size: 1234") == last
    with pytest.raises(Transient, match="nothing was signed"):
        publish.digest_in("pushed")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "'' is no registry"),
        (["a b"], "is no registry"),
        (["example.org/lipsol", "edge"], "nothing is called edge"),
    ],
    ids=["none", "no-name", "unknown"],
)
def test_what_can_not_be_published_is_told_before_anything_is_pushed(arguments, said, capsys):
    assert publish.main(arguments) == 1
    assert said in capsys.readouterr().err
