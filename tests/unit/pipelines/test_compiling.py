"""What lies in pipelines/compiled is what the graphs compile to, and every step in it has all that a cluster asks."""

import re

import pytest
import yaml

from lipsol.errors import NotFound
from pipelines.compiling import FOLDER, GRAPHS, graph, stale, write
from pipelines.needs import NEEDS
from pipelines.settings import PipelinesSettings


def executors(name):
    """Executor -> (container, Kubernetes' part, the tasks that use it) of a compiled graph."""
    whole, cluster = yaml.safe_load_all((FOLDER / f"{name}.yaml").read_text())
    tasks = [whole["root"], *whole["components"].values()]
    named = {
        task["componentRef"]["name"]: task for part in tasks for task in part.get("dag", {}).get("tasks", {}).values()
    }
    kubernetes = cluster["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for component, held in whole["components"].items():
        if label := held.get("executorLabel"):
            container = whole["deploymentSpec"]["executors"][label]["container"]
            yield label, container, kubernetes[label], named[component]


def test_no_compiled_file_is_stale():
    assert not stale()


def test_a_change_of_a_graph_makes_its_file_stale(tmp_path):
    write(tmp_path)
    file = tmp_path / "train.yaml"
    file.write_text(file.read_text().replace("Judge by the gate", "Judge"))
    assert stale(tmp_path) == ["train"]


@pytest.mark.parametrize("name", GRAPHS)
def test_every_step_says_its_image_its_share_of_a_machine_its_tries_and_its_time(name):
    titles = {needs.title: needs for needs in NEEDS.values()}
    for label, container, kubernetes, task in executors(name):
        needs = titles[task["taskInfo"]["name"]]
        assert container["image"] == PipelinesSettings().image, label
        resources = container["resources"]
        assert {"resourceCpuRequest", "resourceCpuLimit", "resourceMemoryRequest", "resourceMemoryLimit"} <= set(
            resources
        ), label
        assert ("accelerator" in resources) == needs.gpu, label
        assert task["retryPolicy"].get("maxRetryCount", 0) == needs.tries, label
        assert int(kubernetes["activeDeadlineSeconds"]) == needs.deadline_s > 0, label
        assert kubernetes["pvcMount"][0]["constant"] == "lipsol-pipelines", label
        assert task["cachingOptions"].get("enableCache", False) == needs.cached, label


@pytest.mark.parametrize("name", GRAPHS)
def test_what_is_cached_asks_for_the_versions_of_data_and_code(name):
    for label, _, _, task in executors(name):
        if task["cachingOptions"].get("enableCache"):
            told = set(task["inputs"]["parameters"])
            assert {"code", "data_version"} <= told, label


@pytest.mark.parametrize("name", GRAPHS)
def test_no_compiled_file_names_a_host_or_installs_anything(name):
    text = (FOLDER / f"{name}.yaml").read_text()
    assert not re.search(r"https?://|pip install|\.(io|com|org)/", text.replace("nvidia.com/gpu", ""))


def test_an_unknown_pipeline_is_answered_with_those_there_are():
    with pytest.raises(NotFound, match="train"):
        graph("trian", PipelinesSettings())
