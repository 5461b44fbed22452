"""`make publish`: what is pushed and signed, and what is refused before; its programs here write down their calls."""

import os
from collections.abc import Callable
from shlex import quote

import pytest

from lipsol.errors import Transient
from services.local import publish
from services.local.images import version

REGISTRY = "registry.example.org/lipsol"
DIGEST = "sha256:" + "b" * 64
PROGRAM = """#!/bin/sh
asked="${{0##*/}} $*"
echo "$asked" >>"${{0%/*}}/calls"
case "$asked" in
{answers}
esac
"""
PUSHED = [("docker push", 0, f"digest: {DIGEST} size: 1"), ("helm push", 0, f"Digest: {DIGEST}")]
NOT_THERE = ("docker manifest inspect", 1, "no such manifest: it")


@pytest.fixture
def calls(tmp_path, monkeypatch) -> Callable[..., list[str]]:
    """Publish with programs that answer so, each as (how the call begins, exit code, what is said); what was called."""

    def played(arguments: list[str], *answers: tuple[str, int, str]) -> list[str]:
        cases = [
            f"{quote(how)}*) echo {quote(said)} >&{2 if code else 1}; exit {code};;"
            for how, code, said in [*answers, *PUSHED]
        ]
        for name in ("git", "docker", "helm", "cosign"):
            (tmp_path / name).write_text(PROGRAM.format(answers="\n".join(cases)))
            (tmp_path / name).chmod(0o755)
        publish.main([REGISTRY, *arguments])
        return (tmp_path / "calls").read_text().splitlines()

    monkeypatch.setattr(publish, "OUT", tmp_path / "out")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return played


def pushes(called: list[str]) -> list[str]:
    return [line for line in called if line.startswith(("docker push", "docker tag", "helm push", "cosign"))]


def test_what_a_push_tells_last_is_what_is_signed():
    first, last = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    assert publish.digest_in(f"layer: {first}\n0.1.0: digest: {last} size: 1234") == last
    with pytest.raises(Transient, match="nothing was signed"):
        publish.digest_in("pushed")


@pytest.mark.parametrize("tags", ["", f"v{version()}"], ids=["untagged", "its-own-tag"])
@pytest.mark.parametrize(
    "said",
    ["no such manifest: it", "manifest unknown", "errors: denied: requested access to the resource is denied"],
    ids=["docker", "registry", "nothing-of-that-name"],
)
def test_an_image_that_is_not_there_yet_is_pushed_and_signed_by_its_digest(calls, capsys, tags, said):
    called = pushes(calls(["monitor"], ("git tag", 0, tags), ("docker manifest inspect", 1, said)))
    assert called[1] == f"docker push {REGISTRY}/lipsol-monitor:{version()}"
    assert called[2] == f"cosign sign --yes {REGISTRY}/lipsol-monitor@{DIGEST}"
    assert capsys.readouterr().out == f"{REGISTRY}/lipsol-monitor@{DIGEST}\n"


def test_a_commit_that_is_tagged_as_another_version_publishes_nothing(calls, capsys):
    assert not pushes(calls(["monitor"], ("git tag", 0, f"v{version()}\nv9.9"), NOT_THERE))
    said = capsys.readouterr().err
    assert f"HEAD is tagged v9.9, and pyproject.toml's version is {version()}; write the version there first" in said


def test_a_tag_never_moves_not_even_of_the_last_that_is_named(calls, capsys):
    there = ("docker manifest inspect registry.example.org/lipsol/lipsol-inference:", 0, "{}")
    assert not pushes(calls(["monitor", "inference"], there, NOT_THERE))
    assert f"inference {version()} is at {REGISTRY} already" in capsys.readouterr().err


@pytest.mark.parametrize(("code", "said", "pushed"), [(1, "0.1.0: not found", True), (0, "name: lipsol", False)])
def test_a_chart_is_looked_for_as_a_chart(calls, code, said, pushed):
    called = calls(["chart"], ("helm show chart", code, said))
    assert f"helm show chart oci://{REGISTRY}/charts/lipsol --version {version()}" in called
    assert bool(pushes(called)) == pushed


def test_a_registry_that_does_not_say_is_no_leave_to_push(calls, capsys):
    assert not pushes(calls(["monitor"], ("docker manifest inspect", 1, "dial tcp: i/o timeout")))
    assert "i/o timeout" in capsys.readouterr().err


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
