"""From data to a promoted model: Kubeflow Pipelines whose components each call one function of `lipsol`."""
