"""The TrainJob for several nodes starts what is here, with options that it has."""

import pytest
import yaml

from lipsol.training.__main__ import asked


@pytest.fixture(scope="module")
def documents(top):
    found = yaml.safe_load_all((top / "k8s" / "kubeflow" / "trainjob.yaml").read_text())
    return {document["kind"]: document for document in found}


def test_its_command_is_one_that_training_understands(documents):
    trainer = documents["TrainJob"]["spec"]["trainer"]
    assert trainer["command"] == ["torchrun"] and trainer["args"][:2] == ["-m", "lipsol.training"]
    job = asked(trainer["args"][2:])
    assert (job.device, job.precision, job.seed) == ("cuda", "bfloat16", 1)
    assert trainer["resourcesPerNode"]["limits"]["nvidia.com/gpu"] == str(trainer["numProcPerNode"])
    assert trainer["numNodes"] > 1


def test_it_runs_by_the_runtime_beside_it_where_its_paths_are_mounted(documents):
    runtime, job = documents["TrainingRuntime"], documents["TrainJob"]
    assert {document["apiVersion"] for document in documents.values()} == {"trainer.kubeflow.org/v1alpha1"}
    reference = job["spec"]["runtimeRef"]
    assert (reference["kind"], reference["name"]) == (runtime["kind"], runtime["metadata"]["name"])
    assert runtime["spec"]["mlPolicy"]["torch"] == {}
    (node,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    pod = node["template"]["spec"]["template"]["spec"]
    assert node["name"] == pod["containers"][0]["name"] == "node"
    mounts = {mount["mountPath"]: mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}
    wanted = asked(job["spec"]["trainer"]["args"][2:])
    for path in (wanted.data, wanted.out, wanted.cache):
        assert any(path.is_relative_to(mount) for mount in mounts), path
