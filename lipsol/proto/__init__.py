"""The schema of events and gRPC: `v1/*.proto` is the source, the modules beside it are generated (`make proto`)."""
