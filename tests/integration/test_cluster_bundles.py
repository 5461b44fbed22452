"""The bundles that releases are rehearsed with: each opens, and is what its name says, and nothing else is wrong."""

import io
import json
import shutil
import statistics
import time
from contextlib import redirect_stdout

import pytest

from lipsol.clips.watch import Watcher
from lipsol.engine import Engine
from lipsol.errors import BadInput, ModelError
from lipsol.registry.local import LocalRegistry
from lipsol.registry.standing import check
from lipsol.signing import Keys
from services.inference.opening import opener
from tests.cluster.bundles import NAMES, PRIVATE, PUBLIC, let_read, main, make_all


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    top = tmp_path_factory.mktemp("bundles")
    return top / "models", top / "keys"


@pytest.fixture(scope="module")
def digests(folders):
    """Made from the command line, which prints them as JSON."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert main([str(folder) for folder in folders]) == 0
    return json.loads(printed.getvalue())


@pytest.fixture
def registry(folders, digests):
    assert tuple(digests) == NAMES
    return LocalRegistry(folders[0], Keys.load(folders[1]))


@pytest.fixture
def opened(registry, digests):
    """Opens a bundle as the reading service does, its golden answers and all."""

    def by_name(name):
        info = registry.find(digests[name])
        return opener(Engine(), registry.keys)(registry.path(info.digest), info)

    return by_name


@pytest.fixture(scope="module")
def mouths(samples):
    """What the known speaker said, and the mouth."""
    watcher, known = Watcher(), [sample for sample in samples if sample.speaker == "s1"]
    return [(sample.text, watcher.watch(sample.bytes()).mouth) for sample in known]


def readings(reader, mouths):
    return [reader.decode(heard) for heard in reader.hear([mouth for _, mouth in mouths], 8)]


def wrong_words(read, mouths):
    pairs = [
        pair
        for each, (said, _) in zip(read, mouths, strict=True)
        for pair in zip(each.text.split(), said.split(), strict=True)
    ]
    return sum(one != other for one, other in pairs) / len(pairs)


def test_all_differ_and_the_name_means_base_for_whoever_pins_nothing(registry, digests):
    assert len(set(digests.values())) == len(NAMES)
    assert registry.default("en").digest == registry.champion("grid-sentences").digest == digests["base"]
    assert registry.faults() == []
    assert registry.history()[-1].digest == digests["base"]


@pytest.mark.parametrize("name", ["base", "good", "worse", "slow"])
def test_these_may_be_released(name, registry, digests):
    assert check(registry, digests[name]).digest == digests[name]


@pytest.mark.parametrize(("name", "why"), [("unsigned", "is unsigned"), ("candidate", "was never promoted")])
def test_these_may_not_and_it_is_said_why(name, why, registry, digests):
    with pytest.raises(ModelError, match=why):
        check(registry, digests[name])


def test_good_reads_as_base_does(opened, mouths):
    assert readings(opened("good"), mouths) == readings(opened("base"), mouths)


def test_worse_is_as_sure_and_wrong_more_often(opened, mouths):
    base, worse = readings(opened("base"), mouths), readings(opened("worse"), mouths)
    assert wrong_words(worse, mouths) >= wrong_words(base, mouths) + 0.1
    means = [statistics.mean(each.confidence for each in read) for read in (base, worse)]
    assert abs(means[0] - means[1]) < 0.05
    opposed = [one.text != other.text for one, other in zip(base, worse, strict=True) if not one.abstained]
    assert sum(opposed) > len(opposed) / 2


def test_slow_reads_as_base_does_and_takes_twice_as_long_at_least(opened, mouths):
    base, slow = opened("base"), opened("slow")
    assert readings(slow, mouths) == readings(base, mouths)
    assert quickest(slow, mouths) > 2 * quickest(base, mouths)


def quickest(reader, mouths):
    """Seconds of a network for a clip, whatever else this machine does."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        reader.hear([mouths[0][1]], 1)
        took.append(time.perf_counter() - began)
    return min(took)


def test_only_the_public_key_lies_where_keys_are_read(folders, digests):
    assert digests
    assert [path.name for path in folders[1].glob("*.pem")] == [PUBLIC]
    assert (folders[1] / PRIVATE).stat().st_mode & 0o077 == 0


def test_other_users_can_read_all_of_the_registry(folders, digests):
    assert digests
    modes = [(path.is_dir(), path.stat().st_mode & 0o777) for path in folders[0].rglob("*")]
    assert set(modes) == {(True, 0o755), (False, 0o644)}


def test_a_folder_that_holds_something_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine").write_text("")
    with pytest.raises(BadInput, match="holds something already"):
        make_all(tmp_path, tmp_path / "keys")
    assert main([str(tmp_path), str(tmp_path / "keys")]) == 2
    assert "holds something already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_another_may_be_let_read(tmp_path, folders, digests):
    models = shutil.copytree(folders[0], tmp_path / "models")
    let_read(models, folders[1], digests["good"])
    assert LocalRegistry(models, Keys.load(folders[1])).default("en").digest == digests["good"]
