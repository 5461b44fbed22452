"""A bundle that can't be trusted or used is refused, and the message says which file, why, and what helps."""

import pytest

from lipsol import golden
from lipsol.bundle import Bundle
from lipsol.errors import ModelError
from lipsol.reader import Reader
from lipsol.signing import Keys
from tests.bundles_broken import FAULTS, FILE, bench


def opened(made):
    """Open a bundle as a service does."""
    golden.check(Reader(Bundle.load(made.file, Keys.load(made.keys))))


def test_a_fine_bundle_is_opened(tmp_path):
    made = bench(tmp_path)
    made.put(made.held.members)
    opened(made)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_it_is_refused_naming_the_file_the_fault_and_the_cure(tmp_path, fault):
    made = bench(tmp_path)
    fault.make(made)
    with pytest.raises(ModelError) as refusal:
        opened(made)
    assert FILE in refusal.value.detail and fault.told in refusal.value.detail
    assert fault.cure in refusal.value.cure
