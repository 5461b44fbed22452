"""What somebody agrees to who lets LipSol learn from a clip. A change of the text is a new wording.

The version travels with every feedback that is to teach, and is kept with it: so it is known, of each mouth, what its
owner had read. An older wording is refused, since nobody here asks it any more.
"""

from lipsol.errors import BadInput

WORDING = "1"  # version of the text
TEXT = (
    "LipSol may learn from this clip: the picture of the mouth (never the face or the video) and my correction are"
    " kept for training. The person in the clip is me, or has agreed. I can take this back."
)
CONSENT_MAX = 20  # characters of a version


def checked_consent(wording: str) -> str:
    """The wording itself, "" for none. Raises BadInput for one that is not asked now."""
    if wording not in ("", WORDING):
        raise BadInput(
            f"consent {wording[:CONSENT_MAX]!r} is not to the wording that is asked now",
            f'show its text (docs/security.md), and send "{WORDING}" if it is agreed to, or nothing',
        )
    return wording
