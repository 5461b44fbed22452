import os

import pytest

from services.cli.hush import STDERR, unheard


def test_what_native_code_says_meanwhile_is_not_heard(capfd):
    os.write(STDERR, b"before\n")
    with unheard():
        os.write(STDERR, b"greeting\n")
    os.write(STDERR, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_a_fault_meanwhile_gives_the_voice_back(capfd):
    with pytest.raises(ValueError, match="odd"), unheard():
        raise ValueError("odd")
    os.write(STDERR, b"after\n")
    assert capfd.readouterr().err == "after\n"
