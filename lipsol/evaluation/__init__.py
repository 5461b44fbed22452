"""How well a bundle reads: every clip, the figures, the slices, and what can be told from them."""
