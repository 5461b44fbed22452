"""Who trains together: one process alone, or the ranks that `torchrun` starts, by gloo on CPUs and nccl on GPUs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from lipsol.errors import BadInput

T = TypeVar("T")
WAIT = timedelta(hours=24)  # for a rank that watches every clip or packages; torchrun itself ends all when one dies
WORKSPACE = ":4096:8"  # what cuBLAS needs to give one seed one set of weights


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together: `rank` of `size`; `local` is its number on its own machine."""

    rank: int = 0
    size: int = 1
    local: int = 0

    def share(self, clips: int) -> slice:
        """The part of a batch that is this rank's: all parts differ by one clip at most.

        Raises BadInput for a batch that can't give each rank a clip.
        """
        if clips < self.size:
            raise BadInput(f"a batch of {clips} can't be shared out among {self.size}", "start fewer processes")
        return slice(clips * self.rank // self.size, clips * (self.rank + 1) // self.size)

    def mean(self, value: float, device: torch.device) -> float:
        """The mean over all ranks."""
        if self.size == 1:
            return value
        total = torch.tensor(value, device=device)
        distributed.all_reduce(total)
        return float(total) / self.size

    def all_of(self, mine: Tensor) -> list[Tensor]:
        """Everybody's, by rank."""
        if self.size == 1:
            return [mine]
        gathered: list[Any] = [None] * self.size
        distributed.all_gather_object(gathered, mine)
        return gathered

    def first_ones(self, value: T) -> T:
        """What rank 0 has, for all."""
        if self.size == 1:
            return value
        held = [value]
        distributed.broadcast_object_list(held)
        return held[0]

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            distributed.barrier()


ALONE = Ranks()


def device_of(kind: str, ranks: Ranks) -> torch.device:
    """The device that this rank computes on. Raises BadInput for a GPU that is not here."""
    if kind == "cuda" and torch.cuda.device_count() <= ranks.local:
        raise BadInput(f"no GPU {ranks.local}: torch sees {torch.cuda.device_count()}", "train with --device cpu")
    return torch.device(kind, ranks.local) if kind == "cuda" else torch.device(kind)


def one_way() -> None:
    """Compute in one order, on one thread: one seed gives one set of weights. Called before a GPU is first used."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", WORKSPACE)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


@contextmanager
def joined(kind: str) -> Iterator[Ranks]:
    """Together with the ranks that torchrun started, or alone where it did not."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    local = int(os.environ["LOCAL_RANK"])
    if kind == "cuda":
        torch.cuda.set_device(device_of(kind, Ranks(local=local)))
    distributed.init_process_group("nccl" if kind == "cuda" else "gloo", timeout=WAIT)
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size(), local)
    finally:
        distributed.destroy_process_group()
