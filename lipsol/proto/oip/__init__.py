"""The Open Inference Protocol's messages, as stock clients speak them."""
