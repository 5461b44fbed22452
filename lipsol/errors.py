"""Everything LipSol raises on purpose.

    LipsolError
    ├── BadInput     the caller's fault, and the same again if repeated: 4xx, dead letter
    │   └── NotFound     what was asked for is not here: 404
    ├── Transient    not now: 503, try again
    │   └── Busy         a bounded queue is full: 429
    ├── TooLate      nobody waits for it any more, so it was not done: 504, dead letter
    └── ModelError   a model or bundle that can't be trusted or used: 500, dead letter

A message names the value, the bound and the cure. Status codes live in the doors, not here.
"""


class LipsolError(Exception):
    """An expected fault: `detail` says what is wrong (value and bound), `cure` what a person can do about it."""

    def __init__(self, detail: str, cure: str = "") -> None:
        super().__init__(f"{detail}: {cure}" if cure else detail)
        self.detail = detail
        self.cure = cure


class BadInput(LipsolError):
    """The caller's fault; repeating it changes nothing."""


class NotFound(BadInput):
    """What was asked for is not here (any more)."""


class Transient(LipsolError):
    """Something is away for a moment; the same call may work later."""


class Busy(Transient):
    """A bounded queue is full; try again after `retry_after_s`."""

    def __init__(self, detail: str, cure: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(detail, cure)
        self.retry_after_s = retry_after_s


class TooLate(LipsolError):
    """The deadline that came with the work has passed; it was not done."""


class ModelError(LipsolError):
    """A model or bundle that can't be trusted or used here."""
