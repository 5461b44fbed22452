"""The reference that travels in a bundle."""

from pathlib import Path

from lipsol.archive import REFERENCE, member_of
from lipsol.drift.reference import Reference
from lipsol.errors import BadInput, ModelError


def reference_of(path: Path) -> Reference | None:
    """The reference of a bundle file; None: it brings none.

    Raises ModelError for a file that is no bundle, or whose reference is none of this LipSol.
    """
    data = member_of(path, REFERENCE)
    if not data:
        return None
    try:
        return Reference.from_bytes(data)
    except BadInput as fault:
        raise ModelError(f"{path.name} has a {REFERENCE} of {fault.detail}", "`lipsol models reference`") from fault
