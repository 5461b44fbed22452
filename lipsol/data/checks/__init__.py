"""What would spoil a training, looked for before it: `check` is the whole of it.

The rules (`rules`) say what is too much; each other module measures one side of a data set and finds, never raises.
"""

from lipsol.data.checks.check import FACTS, check

__all__ = ["FACTS", "check"]
