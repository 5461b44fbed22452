"""A Kubeflow is handed a pipeline once, runs it with what it was told, and a schedule replaces the one before."""

import pytest

from lipsol.errors import BadInput, LipsolError, Transient
from pipelines.remote import schedule, submit
from pipelines.settings import VOLUME_AT, PipelinesSettings
from tests.kubeflow_made import kubeflow_made

DATA = {"data": f"{VOLUME_AT}/data/grid"}
PLACE = PipelinesSettings(automation="act", image="here/lipsol:7", token="tell-nobody")


@pytest.fixture
def kubeflow():
    with kubeflow_made() as running:
        yield running


def test_a_run_there_has_the_operators_image_and_what_the_settings_and_the_person_say(kubeflow):
    made = submit("train", kubeflow.url, {**DATA, "seed": "3"}, PLACE)
    (run,) = kubeflow.runs
    told = run["runtime_config"]["parameters"]
    assert made.id == run["run_id"] and made.url == f"{kubeflow.url}/#/runs/details/{run['run_id']}"
    assert told == {**DATA, "seed": 3, "automation": "act", "key": "", "work": f"{VOLUME_AT}/work"}
    assert "image: here/lipsol:7" in kubeflow.uploads[-1]
    assert kubeflow.tokens == {"Bearer tell-nobody"}
    assert "tell-nobody" not in "".join(kubeflow.uploads)


def test_the_same_pipeline_is_the_same_version_there_and_a_changed_one_another(kubeflow):
    first, again = (submit("train", kubeflow.url, DATA, PLACE) for _ in range(2))
    sent = len(kubeflow.uploads)
    other = submit("train", kubeflow.url, DATA, PLACE.model_copy(update={"gpus": 0}))
    assert first.version == again.version != other.version
    assert len(kubeflow.uploads) == sent + 1 and len(kubeflow.experiments) == 1 and len(kubeflow.runs) == 3


def test_a_pipeline_of_a_namespace_is_found_there_again(kubeflow):
    anna, bert = (PLACE.model_copy(update={"namespace": name}) for name in ("anna", "bert"))
    first, again = (submit("train", kubeflow.url, DATA, anna) for _ in range(2))
    other = submit("train", kubeflow.url, DATA, bert)
    assert first.version == again.version != other.version
    assert [each["namespace"] for each in kubeflow.pipelines] == ["anna", "bert"]


def test_a_schedule_for_other_data_stands_beside_and_one_for_another_revision_replaces(kubeflow):
    for data in ("grid@aa11", "urdu@bb22", "/data/grid", "grid@cc33"):
        schedule("daily", kubeflow.url, "0 0 2 * * *", {"data": data}, PLACE)
    told = {held["display_name"]: held["runtime_config"]["parameters"]["data"] for held in kubeflow.recurring}
    assert told == {"daily grid": "grid@cc33", "daily urdu": "urdu@bb22", "daily /data/grid": "/data/grid"}


def test_a_schedule_replaces_the_one_before_and_runs_one_at_a_time(kubeflow):
    schedule("train", kubeflow.url, "0 0 1 * * *", DATA, PLACE)
    schedule("train", kubeflow.url, "0 0 2 * * *", DATA, PLACE)
    (held,) = kubeflow.recurring
    assert held["trigger"]["cron_schedule"]["cron"] == "0 0 2 * * *"
    assert held["max_concurrency"] == "1" or held["max_concurrency"] == 1
    assert held["no_catchup"] is True and held["mode"] == "ENABLE"


def test_a_cron_expression_of_five_fields_is_refused_before_anything_is_sent(kubeflow):
    with pytest.raises(BadInput, match="six fields"):
        schedule("train", kubeflow.url, "0 2 * * *", DATA, PLACE)
    assert not kubeflow.uploads


def test_an_argument_that_the_pipeline_lacks_is_refused_before_anything_is_sent(kubeflow):
    with pytest.raises(BadInput, match=r"no setting sead .*seed"):
        submit("train", kubeflow.url, {**DATA, "sead": "3"}, PLACE)
    with pytest.raises(BadInput, match="nothing said of data"):
        submit("train", kubeflow.url, {}, PLACE)
    with pytest.raises(BadInput, match="seed='x'"):
        submit("train", kubeflow.url, {**DATA, "seed": "x"}, PLACE)
    assert not kubeflow.uploads


def test_a_host_that_is_away_is_named_at_once_with_what_to_do():
    with pytest.raises(Transient, match=r"no Kubeflow Pipelines answers at http://127.0.0.1:9 .*port-forward"):
        submit("train", "http://127.0.0.1:9", DATA, PLACE)
    with pytest.raises(BadInput, match="http"):
        submit("train", "kubeflow.example", DATA, PLACE)


def test_a_refusal_is_told_with_its_reason(kubeflow):
    kubeflow.refused = (403, "profile nobody may not")
    with pytest.raises(LipsolError, match="403.*profile nobody may not"):
        submit("train", kubeflow.url, DATA, PLACE)
