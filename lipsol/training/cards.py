"""What a bundle's card tells of its training, and what is otherwise here than where that was."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import torch

from lipsol.evaluation.reading import processor
from lipsol.training.corpus import Corpus
from lipsol.training.job import Job, code_version


def card_of(job: Job, corpus: Corpus) -> dict[str, Any]:
    """What both bundles' cards tell about where they come from."""
    dataset = corpus.dataset
    names = ("command", "seed", "spoil", "limit", "device", "precision", "ranks")
    told = {name: getattr(job, name) for name in names}
    return {
        "created": datetime.now(UTC).date().isoformat(),
        "licence": dataset.licence,
        "attribution": dataset.attribution,
        **({"synthetic": True} if dataset.synthetic else {}),
        "data": {
            "name": dataset.name,
            "sha256": job.version_of_data(),
            "dvc": job.revision,
            "corpus": dataset.corpus,
            "split": dataset.split,
            "clips": {
                "training, known speaker": len(corpus.known("train")),
                "training, other speakers": len(corpus.others("train")),
                **{name: len(items) for name, items in corpus.groups().items()},
            },
        },
        "training": {**told, "plan": asdict(job.plan), **_made_with(job)},
    }


def unlike(card: Mapping[str, Any], job: Job) -> list[str]:
    """What differs here from where a card's bundle was trained, a line each; then its scores may come out otherwise."""
    there = card.get("training", {})
    return [
        f"the {name} of {card['name']} {card['version']} is {there.get(name, 'not told')}, here {here}: "
        "scores may come out otherwise, as with another seed"
        for name, here in _made_with(job).items()
        if here != there.get(name)
    ]


def _made_with(job: Job) -> dict[str, str]:
    """What decides on a training's last digits beside what it is asked for."""
    chip = torch.cuda.get_device_name() if job.device == "cuda" else processor()
    return {"processor": chip, "torch": torch.__version__, "code": code_version()}
