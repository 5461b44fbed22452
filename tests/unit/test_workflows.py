""".github/ and the Jenkinsfile: what runs there is a verb of the Makefile, with no more rights than it needs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.local.images import IMAGES
from tests.cluster.helm import VERSIONS
from tests.conftest import TOP
from tests.images_made import stages

WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (TOP / ".github" / "workflows").iterdir()}
JENKINS = (TOP / "Jenkinsfile").read_text()
VERB = re.compile(r"make ([a-z][a-z0-9-]*)((?: [A-Z]+=(?:[\w-]+|\"[\w -]+\"))*)")
ASKED = ("ARGS", "PLAN", "SECONDS", "BUS")  # what changes what a verb does; the rest says where
# When a stage of Jenkins' runs, by what GitHub calls a pull request or a push, the night, Sunday, and a version's tag.
WHEN = {
    "change": "not { anyOf { triggeredBy 'TimerTrigger'; buildingTag() } }",
    "night": "triggeredBy 'TimerTrigger'",
    "week": "triggeredBy 'TimerTrigger'; expression { env.DATA && new Date().format('u') == '7' }",
    "tag": "buildingTag(); expression { env.REGISTRY }",
}
PUBLISHING = {"contents": "read", "packages": "write", "id-token": "write"}


def jobs(name: str) -> Iterator[dict[str, Any]]:
    yield from WORKFLOWS[name]["jobs"].values()


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name) for step in job["steps"]]


def runs(name: str) -> set[str]:
    return {step["run"] for step in steps(name) if "run" in step}


def happens(name: str) -> dict[str, set[str]]:
    """When a workflow runs, by what GitHub calls the event; what a hand does is left out."""
    found: dict[str, set[str]] = {}
    for event, told in WORKFLOWS[name][True].items():  # YAML 1.1 reads `on` so
        if event == "schedule":
            found[event] = {"night" if each["cron"].endswith(" * * *") else "week" for each in told}
        elif event != "workflow_dispatch":
            found[event] = {"tag" if "tags" in (told or {}) else "change"}
    return found


def whens(name: str, job: dict[str, Any]) -> set[str]:
    """When a job runs: its workflow's events, but for those that its `if` keeps away."""
    found = happens(name)
    for how, event in re.findall(r"github\.event_name (==|!=) '(\w+)'", job.get("if", "")):
        found = {each: when for each, when in found.items() if (each == event) == (how == "==")}
    return set().union(*found.values())


def made(job: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What each run of a job finds in its environment: one for each of its matrix."""
    matrix = job.get("strategy", {}).get("matrix", {})
    for one in matrix.get("include") or [{name: each} for name, listed in matrix.items() for each in listed] or [{}]:
        yield {name: filled(said, one) for name, said in job.get("env", {}).items()}


def filled(said: str, one: dict[str, str]) -> str:
    """What an expression comes to for one of a matrix, where nobody's hand gave an input."""
    told = re.fullmatch(r"\$\{\{ (?:matrix\.(\w+)|inputs\.\w+ \|\| '(\w+)') \}\}", said)
    return (one[told[1]] if told[1] else told[2]) if told else said


def meant(line: str, environment: dict[str, str]) -> Iterator[tuple[str, frozenset[tuple[str, str]]]]:
    """What a line does: its verb and what that is told, once for each word of ARGS."""
    verb, said = VERB.fullmatch(line).groups()
    told = environment | {name: quoted.strip('"') for name, quoted in re.findall(r'([A-Z]+)=("[^"]*"|\S+)', said)}
    for word in told.get("ARGS", "").split() or [""]:
        yield verb, frozenset((name, each) for name, each in (told | {"ARGS": word}).items() if name in ASKED and each)


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


def test_jenkins_does_the_same_at_the_same_times():
    outer = dict(re.findall(r"^ {8}stage\('(\w+)'\) \{\n(.*?)^ {8}\}", JENKINS, flags=re.MULTILINE | re.DOTALL))
    assert {name: re.findall(r"^ {12}when \{ (.*) \}", text, flags=re.MULTILINE) for name, text in outer.items()} == {
        name: [when] for name, when in WHEN.items()
    }
    there = {
        (name, *each)
        for name, text in outer.items()
        for line in re.findall(r"\bsh '([^']*)'", text)
        for each in meant(line, {})
    }
    assert there == {
        (when, *each)
        for name in WORKFLOWS
        for job in jobs(name)
        for when in whens(name, job)
        for environment in made(job)
        for step in job["steps"]
        if "run" in step
        for each in meant(step["run"], environment)
    }


def test_jenkins_runs_verbs_alone_with_an_end_to_each_stage():
    assert JENKINS.count("sh '") == len(re.findall(r"\bsh\b", JENKINS)) and "credentials(" not in JENKINS
    running = [stage for stage in JENKINS.split("stage('")[1:] if "sh '" in stage]
    assert all(re.match(r"[\w-]+'\) \{\n\s+options \{ timeout\(", stage) for stage in running)
    assert JENKINS.count("{") == JENKINS.count("}")


def test_the_night_plays_every_helm_each_as_the_one_that_is_there():
    (job,) = (each for each in jobs("e2e") if {"run": "make e2e-full"} in each["steps"])
    assert [environment["HELM"] for environment in made(job)] == [str(version) for version in VERSIONS]
    for each in job["strategy"]["matrix"]["include"]:
        assert each["version"].startswith(f"v{each['helm']}.")
    assert {"uses": "azure/setup-helm@v4", "with": {"version": "${{ matrix.version }}"}} in job["steps"]


@pytest.mark.parametrize("name", ["check", "e2e"])
def test_a_check_that_a_merge_asks_for_is_kept_away_by_no_path(name):
    assert not WORKFLOWS[name][True]["pull_request"]


def test_every_image_is_built_for_a_change_and_published_for_a_tag():
    for job in jobs("images"):
        assert {environment["ARGS"] for environment in made(job)} == set(IMAGES)


def test_a_change_to_what_an_image_copies_builds_the_images():
    watched = [path.removesuffix("/**") for path in WORKFLOWS["images"][True]["pull_request"]["paths"]]
    copied = {name for image in IMAGES for stage in stages(TOP, image) for name in stage.copied}
    assert {name for name in copied if not any(f"{name}/".startswith(f"{path}/") for path in watched)} == set()


@pytest.mark.parametrize(
    ("signer", "trusted"),
    [
        ("https://github.com/acme/lips/.github/workflows/images.yaml@refs/tags/v1.4.0", True),
        ("https://github.com/other/lips/.github/workflows/images.yaml@refs/tags/v1.4.0", False),
        ("https://github.com/acme/other/.github/workflows/images.yaml@refs/tags/v1.4.0", False),
        ("https://github.com/acme/lips/.github/workflows/images.yaml@refs/heads/v1", False),
        ("https://example.org/https://github.com/acme/lips/.github/workflows/images.yaml@refs/tags/v1.4.0", False),
    ],
    ids=["ours", "another-owner", "another-repository", "a-branch", "another-host"],
)
def test_the_signature_that_is_asked_for_is_this_repositorys_alone(signer, trusted):
    told = re.findall(r"--certificate-identity-regexp='([^']*)'", (TOP / "docs" / "delivery.md").read_text())
    assert told
    for each in told:
        assert bool(re.search(each.replace("ORG/REPO", "acme/lips"), signer)) == trusted


def test_every_path_that_has_owners_is_there():
    lines = [line.split() for line in (TOP / ".github" / "CODEOWNERS").read_text().splitlines() if line[:1] in "*/"]
    assert lines[0][0] == "*"
    for pattern, *owners in lines:
        assert owners and all(owner.startswith("@") for owner in owners)
        assert pattern == "*" or Path(TOP / pattern.strip("/")).exists(), pattern
