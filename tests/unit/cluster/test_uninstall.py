"""What may stay of a release that was taken away, and what an operator is told to type where no hook can run."""

import pytest

from tests.cluster.uninstall import INSTANCE, SWEPT, ended


def job(*conditions):
    """A Job with these conditions."""
    return {"kind": "Job", "status": {"conditions": [{"type": each, "status": "True"} for each in conditions]}}


@pytest.mark.parametrize(
    ("each", "may_stay"),
    [
        pytest.param(job("SuccessCriteriaMet", "Complete"), True, id="a Job that is done"),
        pytest.param(job("FailureTarget", "Failed"), True, id="a Job that failed"),
        pytest.param(job("FailureTarget"), False, id="a Job that is about to fail"),
        pytest.param(job(), False, id="a Job that runs"),
        pytest.param({"kind": "Pod", "status": {"phase": "Succeeded"}}, True, id="a pod that is done"),
        pytest.param({"kind": "Pod", "status": {"phase": "Running"}}, False, id="a pod that runs"),
        pytest.param({"kind": "Role"}, False, id="a Role"),
        pytest.param({"kind": "Deployment", "status": {"conditions": [{"type": "Complete", "status": "True"}]}}, False,
                     id="a Deployment, whatever it says"),
    ],
)  # fmt: skip
def test_only_what_has_ended_may_stay(each, may_stay):
    assert ended(each) is may_stay


def test_what_is_typed_where_kafka_is_gone_is_what_the_docs_say(top):
    assert f"kubectl delete {SWEPT} -n lipsol -l {INSTANCE}\n" in (top / "docs" / "releases.md").read_text()
