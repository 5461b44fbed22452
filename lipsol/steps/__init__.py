"""What the steps of a pipeline do: one public function each, which takes and gives paths and plain values."""
