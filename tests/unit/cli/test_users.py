"""`lipsol topics users`, and the manifests that are made by it."""

import ast
import importlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lipsol.steps import daily
from lipsol.topics import TOPICS, WATCH
from services import monitor, preprocess
from services.cli import main
from services.cli.users import GROUPS, name_of, reads, users, writes
from services.inference import tracks
from services.preprocess import batches

MANIFESTS = Path(__file__).resolve().parents[3] / "k8s" / "kafka" / "users.yaml"


def rules() -> dict[str, dict[tuple[str, str], list[str]]]:
    """What each user may do, by kind and name."""
    found = {}
    for each in yaml.safe_load_all(users()):
        acls = each["spec"]["authorization"]["acls"]
        found[each["metadata"]["name"]] = {
            (acl["resource"]["type"], acl["resource"]["name"]): acl["operations"] for acl in acls
        }
        assert len(found[each["metadata"]["name"]]) == len(acls)
        assert {each for acl in acls for each in acl["resource"]} == {"type", "name"}  # the whole name, no prefix
    return found


def test_the_manifests_are_those_of_the_catalogue():
    """LIPSOL_RENEW=1 writes them anew."""
    if os.environ.get("LIPSOL_RENEW") == "1":
        MANIFESTS.write_text(users() + "\n")
        return
    assert MANIFESTS.read_text() == users() + "\n"


def test_the_verb_prints_them(capsys):
    assert main(["topics", "users"]) == 0
    assert capsys.readouterr().out == users() + "\n"


def test_everybody_whom_the_catalogue_names_is_a_user_and_nobody_else():
    named = {who for topic in TOPICS.values() for who in (*topic.writers, *topic.readers)}
    assert named == {*GROUPS, "every service"}
    assert set(rules()) == {name_of(each) for each in GROUPS}


@pytest.mark.parametrize("service", sorted(set(GROUPS) - {"cli"}))
def test_a_user_may_do_what_the_catalogue_says_of_it_and_no_more(service):
    may = rules()[name_of(service)]
    for topic in TOPICS.values():
        asked = may.get(("topic", topic.name), [])
        dies_here = "every service" in topic.writers and service in {"preprocess", "inference", "monitor"}
        assert ("Read" in asked) == (service in topic.readers)
        assert ("Write" in asked) == (service in topic.writers or dies_here)
        assert set(asked) <= {"Read", "Write", "Describe"}


def test_the_operator_reads_all_and_sends_again_what_died_but_never_writes_the_monitors_state():
    assert all(reads("cli", topic) for topic in TOPICS.values() if topic != WATCH)
    assert all(writes("cli", topic) for topic in TOPICS.values() if "cli" in topic.writers)
    assert not writes("cli", WATCH)


def test_every_group_of_the_code_is_a_users():
    assert GROUPS["preprocess"] == (preprocess.NAME, batches.GROUP)
    assert GROUPS["inference"] == (tracks.STABLE_GROUP, tracks.CANARY_GROUP)
    assert GROUPS["monitor"] == (monitor.NAME,)
    assert GROUPS["pipelines"] == (daily.GROUP,)
    for service, groups in GROUPS.items():
        asked = {name: may for (kind, name), may in rules()[name_of(service)].items() if kind == "group"}
        assert asked == {group: ["Read"] for group in groups}


def joined(top: Path) -> Iterator[tuple[str, str]]:
    """Every consumer group that the code joins by a name that stands in a module: where, and the group's name."""
    places = {"Worker": 2, "consumer": 1}  # where the group stands among a call's arguments
    for path in (each for folder in ("lipsol", "services", "pipelines") for each in (top / folder).rglob("*.py")):
        text = path.read_text()
        if not any(f"{name}(" in text for name in places):
            continue
        module = path.relative_to(top).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            named = {each.arg: each.value for each in call.keywords}
            group = named.get("group", call.args[places[name]] if len(call.args) > places.get(name, 99) else None)
            if isinstance(group, ast.Constant) and isinstance(group.value, str):
                yield module, group.value
            elif isinstance(group, ast.Name):
                found = vars(importlib.import_module(module)).get(group.id)
                if isinstance(found, str):
                    yield module, found


def test_nobody_joins_a_group_that_no_user_may_join(top):
    found = dict(joined(top))
    assert {"services.preprocess", "services.preprocess.batches", "services.monitor", "lipsol.steps.daily"} <= set(
        found
    )
    groups = {group for each in GROUPS.values() for group in each}
    assert set(found.values()) <= groups, "add it to services/cli/users.py, and LIPSOL_RENEW=1 writes the manifests"
