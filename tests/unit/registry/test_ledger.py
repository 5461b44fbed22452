"""The history in a folder: one order, whoever writes; what was tampered with counts for nothing."""

from pathlib import Path
from threading import Barrier, Thread

import pytest

from lipsol.errors import BadInput
from lipsol.registry.ledger import Ledger
from lipsol.registry.local import LocalRegistry
from lipsol.signing import Keys, SigningKey
from tests.bundles_made import bundle, promotion_of


def candidates(tmp_path: Path, count: int) -> list[str]:
    """Registered, and nothing more."""
    (tmp_path / "made").mkdir()
    made = [bundle(tmp_path / "made", str(n), version=str(n)) for n in range(count)]
    for n in range(count):
        LocalRegistry(tmp_path / "models").register(tmp_path / "made" / f"{n}.lipsol")
    return made


def test_of_many_who_replace_the_same_bundle_at_once_one_does_and_the_others_are_told(tmp_path: Path):
    made = candidates(tmp_path, 6)
    ready, refused = Barrier(len(made)), []

    def write(digest: str, n: int) -> None:
        registry = LocalRegistry(tmp_path / "models")
        ready.wait()
        try:
            registry.promote(promotion_of(digest, version=str(n)))
        except BadInput as fault:
            refused.append(fault)

    threads = [Thread(target=write, args=(digest, n)) for n, digest in enumerate(made)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (record,) = LocalRegistry(tmp_path / "models").history()
    assert record.digest in made and len(refused) == 5
    assert all("by now, and this promotion replaces nothing" in fault.detail for fault in refused)


def test_a_number_is_taken_once_and_what_stands_under_it_stays(tmp_path: Path):
    ledger = Ledger(tmp_path / "promotions", None)
    assert ledger.entries() == (0, [])
    assert ledger.add(1, promotion_of("a" * 64)) and not ledger.add(1, promotion_of("b" * 64))
    last, (entry,) = ledger.entries()
    assert last == 1 and entry.promotion == promotion_of("a" * 64)
    assert [each.name for each in (tmp_path / "promotions").iterdir()] == ["00000001.json"]


def test_a_folder_that_keeps_nothing_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="keeps no promotion"):
        Ledger(tmp_path / "file" / "promotions", None).add(1, promotion_of("a" * 64))


def test_a_record_that_was_altered_counts_for_nothing_and_is_told_with_its_file(tmp_path: Path):
    first, second = candidates(tmp_path, 2)
    key = SigningKey.new()
    (tmp_path / "key.pem").write_bytes(key.public_pem())
    registry = LocalRegistry(tmp_path / "models", Keys.load(tmp_path / "key.pem"))
    registry.promote(promotion_of(first, version="0").signed(key))
    registry.promote(promotion_of(second, first, version="1").signed(key))
    record = tmp_path / "models" / "promotions" / "00000002.json"
    record.write_bytes(record.read_bytes().replace(b'"by": "test"', b'"by": "nobody"'))
    assert registry.find("grid-sentences").digest == first
    (fault,) = registry.faults()
    assert fault.startswith("00000002.json: ") and "it was altered" in fault
    record.write_bytes(b"{")
    assert "00000002.json is no promotion" in registry.faults()[0]
    assert registry.find("grid-sentences").digest == first


def test_a_champion_whose_bundle_is_taken_away_leaves_the_name_to_the_one_before_and_is_told(tmp_path: Path):
    first, second = candidates(tmp_path, 2)
    registry = LocalRegistry(tmp_path / "models")
    registry.promote(promotion_of(first, version="0"))
    registry.promote(promotion_of(second, first, version="1"))
    (tmp_path / "models" / "records" / second / "model.lipsol").unlink()
    assert registry.find("grid-sentences").digest == first
    assert f"promoted to {second[:12]}, which is not here" in registry.faults()[0]


def test_a_candidate_that_lies_under_anothers_digest_is_not_taken_for_it(tmp_path: Path):
    first, second = candidates(tmp_path, 2)
    records = tmp_path / "models" / "records"
    (records / first / "model.lipsol").write_bytes((records / second / "model.lipsol").read_bytes())
    registry = LocalRegistry(tmp_path / "models")
    assert [info.digest for info in registry.candidates()] == [second]


def test_one_bundle_file_alone_has_no_history_and_takes_nothing(tmp_path: Path):
    digest = bundle(tmp_path, "one")
    registry = LocalRegistry(tmp_path / "one.lipsol")
    assert registry.history() == registry.candidates() == []
    with pytest.raises(BadInput, match="one bundle alone"):
        registry.promote(promotion_of(digest, digest))
    with pytest.raises(BadInput, match="one bundle alone"):
        registry.register(tmp_path / "one.lipsol")
