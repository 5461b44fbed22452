"""Is this window like the reference, and if not, what kind of wrong is it? Numbers in, a verdict out.

No clock, no bus. A group's clips flow through a `Detector`, which keeps `Block`s and looks at them whenever one closes:
`compare` tells what differs from the `Reference`, `judge` what that means, `Episodes` when it is worth telling.
"""
