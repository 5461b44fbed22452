"""The Open Inference Protocol, version 2, over REST and gRPC: what Triton's, KServe's and Seldon's clients speak."""
