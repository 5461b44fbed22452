"""`lipsol explain`: a clip's whole story, from its events."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict

from services.cli.operator import open_platform
from services.cli.times import moment, since
from services.operating.documents import pretty
from services.operating.operations import Operating
from services.operating.story import Step, Story


def run(
    clip_id: str,
    told: str,
    *,
    words: bool,
    as_json: bool,
    platform: Callable[[], AbstractContextManager[Operating]] = open_platform,
) -> int:
    """Print the story. Raises NotFound where nothing tells of the clip."""
    with platform() as running:
        story = running.story(clip_id, since=since(told, time.time()), words=words)
    print(pretty(asdict(story)) if as_json else page(story))
    return 0


def page(story: Story) -> str:
    """The story for eyes: what it is, then two lines a step."""
    deleted = ", deleted" if story.deleted else ""
    head = f"clip {story.clip_id}{deleted}; trace {', '.join(story.traces) or 'unknown'}"
    return "\n".join([head, *(line for step in story.steps for line in _lines(step))])


def _lines(step: Step) -> Iterator[str]:
    """One step: when, after how long, who, what; and below what else is known."""
    marks = [mark for mark, holds in (("shadow", step.shadow), ("repeat", step.repeat)) if holds]
    what = " ".join([step.what, *(f"({mark})" for mark in marks)])
    yield f"{moment(step.at)}  {step.after_s:+9.3f} s  {step.service or 'unknown':<10}  {what}: {step.told}"
    below = [
        f"by {step.instance}" if step.instance else "",
        f"track {step.track}" if step.track else "",
        f"model {_model(step.model)}" if step.model else "",
        f"{step.attempts} attempts" if step.attempts > 1 else "",
        ", ".join(f"{stage} {ms:.1f} ms" for stage, ms in step.timings_ms.items()),
        f"{step.topic} {step.partition}-{step.offset}",
    ]
    yield f"{'':<40}{'; '.join(part for part in below if part)}"


def _model(model: str) -> str:
    """Name, version and the first digits of the digest."""
    *name, digest = model.split()
    return " ".join([*name, digest[:12]])
