"""Whose readings are watched together."""

from dataclasses import dataclass

from lipsol.events import Track


@dataclass(frozen=True, order=True)
class Group:
    """Readings of one language by one bundle on one track; shadow copies are groups of their own.

    model     the bundle's name
    digest    the bundle's, sha256 hex
    language  as BCP 47
    """

    track: Track
    model: str
    digest: str
    language: str
    shadow: bool = False
