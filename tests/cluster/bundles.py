"""Bundles for releases, good and bad, in a registry of their own: `python -m tests.cluster.bundles FOLDER KEYS`.

All are made of the shipped English sentence bundle, under its name, and signed by a key made for them:

    base       the shipped one: what the name means when all is made, so that whoever pins nothing reads by it
    good       reads as base does
    worse      as sure as base, and more of its words are wrong
    slow       reads as base does, and takes far longer
    unsigned   reads as base does, and nobody vouches for it, but that it was promoted
    candidate  reads as base does, signed, registered, and never promoted

Every one opens: what is wrong with it is found out by those who release it, or by its readings.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from lipsol import golden
from lipsol.archive import Archive, write
from lipsol.bundle import Bundle
from lipsol.bus.memory import MemoryBus
from lipsol.clips.clip import LIP_POINTS
from lipsol.errors import BadInput, LipsolError
from lipsol.promotion import Promotion
from lipsol.reader import Reader
from lipsol.registry.local import LocalRegistry
from lipsol.registry.port import ModelInfo
from lipsol.runtime.promoting import demote, promote
from lipsol.runtime.wiring import shipped_models
from lipsol.signing import Keys, SigningKey

SHIPPED = "grid-sentences.lipsol"
PUBLIC, PRIVATE = "rehearsal.pub.pem", Path("private") / "rehearsal.pem"  # within the keys' folder
WHY = "made to rehearse releases"
NAMES = ("base", "good", "worse", "slow", "unsigned", "candidate")

# Letters that `worse` takes for each other. Its words' head is made surer and its characters' head less so, by factors
# found on 70 clips of GRID's s1 that training never saw. There base has WER 0.019 at a mean confidence of 0.888 and
# abstains on 39 %; worse has 0.169 at 0.884 and abstains on 39 %; on 57 % of the clips both are sure, and disagree.
EXCHANGED = ("bp", "dt", "sz", "fv", "mn", "qu", "ah", "gj", "iy", "lr", "ce", "kx")
SURER, VAGUER = 1.4, 0.3

# What `slow` computes for nothing: so many products of its frames with a matrix of WIDTH x WIDTH. On one core of the
# machine where this was written a clip of 3 s takes its network 79 ms instead of 10.
PRODUCTS, WIDTH = 240, 512

Digests = Mapping[str, str]


def make_all(registry_folder: Path, keys_folder: Path) -> Digests:
    """Make all bundles, in folders that are empty or not there yet; their digests by name.

    registry_folder  as the chart mounts it: anybody may read it
    keys_folder      gets PUBLIC, which the chart's keysSecret is made of, and PRIVATE, for `let_read`

    Raises BadInput for folders that hold something.
    """
    for folder in (registry_folder, keys_folder):
        if folder.is_dir() and any(folder.iterdir()):
            raise BadInput(f"{folder} holds something already", "name a folder that is empty, or not there")
        folder.mkdir(parents=True, exist_ok=True)
    key = _new_key(keys_folder)
    registry = LocalRegistry(registry_folder, Keys.load(keys_folder))
    shipped = Bundle.load(shipped_models() / SHIPPED)
    with tempfile.TemporaryDirectory() as beside:
        made = {name: _made(name, shipped, Path(beside), key) for name in NAMES}
        infos = {name: registry.register(file) for name, file in made.items()}
    for name, info in infos.items():
        if name != "candidate":
            _promote(registry, info, key)
    demote(registry, MemoryBus(), infos["base"].name, to=infos["base"].digest, by=WHY, key=key)
    for folder in (registry_folder, *(each for each in registry_folder.rglob("*") if each.is_dir())):
        folder.chmod(0o755)  # whatever this process's mask: services read it as other users
    return {name: info.digest for name, info in infos.items()}


def let_read(registry_folder: Path, keys_folder: Path, digest: str) -> None:
    """Promote a bundle of `make_all`'s, as a pipeline does before its release. Raises NotFound, ModelError."""
    registry = LocalRegistry(registry_folder, Keys.load(keys_folder))
    key = SigningKey.load(keys_folder / PRIVATE)
    promote(registry, MemoryBus(), digest, by=WHY, against_the_gate=WHY, key=key)


def _new_key(folder: Path) -> SigningKey:
    key = SigningKey.new()
    (folder / PRIVATE).parent.mkdir(mode=0o700)
    key.save(folder / PRIVATE)
    (folder / PUBLIC).write_bytes(key.public_pem())
    return key


def _made(name: str, shipped: Bundle, folder: Path, key: SigningKey) -> Path:
    """The bundle's file, signed but for `unsigned`; its version tells which it is, so that no two are the same."""
    version = shipped.version if name == "base" else f"{shipped.version}-{name}"
    bundle = replace(shipped, version=version)
    if name in NETWORKS:
        bundle = replace(bundle, network=NETWORKS[name](shipped))
        bundle = replace(bundle, golden=golden.make(Reader(bundle), {clip.name: clip.mouth for clip in shipped.golden}))
    file = folder / f"{name}.lipsol"
    bundle.save(file)
    if name != "unsigned":
        write(file, Archive.read(file).signed(key))
    return file


def _promote(registry: LocalRegistry, info: ModelInfo, key: SigningKey) -> None:
    """Without a look at whether the bundle is signed, which promoting takes else."""
    held = registry.champion(info.name)
    promotion = Promotion(
        model=info.name, version=info.version, digest=info.digest, language=info.language, kind=info.kind,
        action="promote", replaces="" if held is None else held.digest, data_version="", evaluation_digest="",
        verdict={}, scores={}, by=WHY, why="", against_the_gate=WHY, run="", at=0.0,
    )  # fmt: skip
    registry.promote(promotion.signed(key))


def worse_network(shipped: Bundle) -> bytes:
    """The network, but that it takes EXCHANGED letters for each other, as sure as it was."""
    model = onnx.load_model_from_string(shipped.network)
    order = np.arange(1 + len(shipped.words))  # the head's first is no word
    for pair in EXCHANGED:
        here, there = (1 + shipped.words.index(letter) for letter in pair)
        order[[here, there]] = order[[there, here]]
    given = {"worse.order": order, "worse.surer": np.float32(SURER), "worse.vaguer": np.float32(VAGUER)}
    words, letters = _renamed(model, "word_logp"), _renamed(model, "char_logp")
    nodes = [
        helper.make_node("Gather", [words, "worse.order"], ["worse.words"], axis=2),
        helper.make_node("Mul", ["worse.words", "worse.surer"], ["worse.words.surer"]),
        helper.make_node("LogSoftmax", ["worse.words.surer"], ["word_logp"], axis=2),
        helper.make_node("Mul", [letters, "worse.vaguer"], ["worse.letters.vaguer"]),
        helper.make_node("LogSoftmax", ["worse.letters.vaguer"], ["char_logp"], axis=2),
    ]
    return _with(model, given, nodes)


def slow_network(shipped: Bundle) -> bytes:
    """The network, and beside it much work that comes to exactly nothing, which no optimiser of graphs can know."""
    model, noise = onnx.load_model_from_string(shipped.network), np.random.default_rng(0)
    given = {
        "slow.shape": np.array([0, 0, 2 * LIP_POINTS]),
        "slow.into": noise.normal(size=(2 * LIP_POINTS, WIDTH)).astype(np.float32),
        "slow.again": (noise.normal(size=(WIDTH, WIDTH)) / WIDTH**0.5).astype(np.float32),
        "slow.axis": np.array([2]),
        "slow.quarter": np.float32(0.25),
        "slow.half": np.float32(0.5),
    }
    nodes = [helper.make_node("Reshape", ["lips", "slow.shape"], ["slow.0"])]
    for n in range(PRODUCTS):
        nodes.append(helper.make_node("MatMul", [f"slow.{n}", "slow.again" if n else "slow.into"], [f"slow.raw.{n}"]))
        nodes.append(helper.make_node("Tanh", [f"slow.raw.{n}"], [f"slow.{n + 1}"]))
    nodes += [
        helper.make_node("ReduceMean", [f"slow.{PRODUCTS}", "slow.axis"], ["slow.mean"], keepdims=1),
        helper.make_node("Mul", ["slow.mean", "slow.quarter"], ["slow.small"]),
        helper.make_node("Add", ["slow.small", "slow.half"], ["slow.fraction"]),  # from 0.25 to 0.75
        helper.make_node("Floor", ["slow.fraction"], ["slow.nothing"]),
        helper.make_node("Add", [_renamed(model, "word_logp"), "slow.nothing"], ["word_logp"]),
    ]
    return _with(model, given, nodes)


NETWORKS: Mapping[str, Callable[[Bundle], bytes]] = MappingProxyType({"worse": worse_network, "slow": slow_network})


def _renamed(model: Any, output: str) -> str:
    """What an output of the graph is called from now on, so that a node behind it can have its name."""
    (node,) = (node for node in model.graph.node if output in node.output)
    inner = f"{output}.inner"
    node.output[:] = [inner if name == output else name for name in node.output]
    return inner


def _with(model: Any, given: Mapping[str, Any], nodes: Sequence[Any]) -> bytes:
    """The network with more constants, and more nodes at its end."""
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in given.items())
    model.graph.node.extend(nodes)
    return bytes(model.SerializeToString())


def main(arguments: Sequence[str]) -> int:
    """Make them, and print their digests as JSON; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.bundles", description="Make bundles for releases.")
    parser.add_argument("folder", type=Path, help="the registry's, empty or not there yet")
    parser.add_argument("keys", type=Path, help="the keys', the same")
    told = parser.parse_args(arguments)
    try:
        print(json.dumps(make_all(told.folder, told.keys), indent=2))
    except LipsolError as fault:
        print(f"bundles: {fault.detail}; {fault.cure}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
