"""What operators do with a running platform, on the bus itself or through its operating door."""
