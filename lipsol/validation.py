"""What pydantic found unfit, in a line for people."""

from pydantic import ValidationError


def told(fault: ValidationError, most: int | None = None, whole: str = "") -> str:
    """The place and the message of each fault, the first `most` of them (None: all).

    whole  what the place is called where it is all of what was checked
    """
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or whole}: {each['msg']}" for each in fault.errors()[:most])
