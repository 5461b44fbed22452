"""The platform on one machine, in the processes that a cluster would give it: a real Kafka and the three services."""
