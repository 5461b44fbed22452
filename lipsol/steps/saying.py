"""How a step speaks to people: a line that whoever runs it can tell from a library's."""

SAID = "│ "  # begins each line that is meant for a person


def say(line: str) -> None:
    """Tell a person."""
    for part in line.splitlines():
        print(f"{SAID}{part}", flush=True)  # noqa: T201 - a step's output is its log
