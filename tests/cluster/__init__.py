"""The platform on a real Kubernetes with a real Kafka: `python -m tests.cluster`, which no pytest collects."""
