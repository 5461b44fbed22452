import subprocess
import sys

import pytest

from lipsol.errors import BadInput, LipsolError, NotFound
from services.cli import main, reason
from services.cli.app import lipsol

HEAVY = (
    "numpy",
    "cv2",
    "onnxruntime",
    "fastapi",
    "pydantic",
    "rich",
    "torch",
    "services.embedded",
    "lipsol.clips.clip",
)


def raising(monkeypatch, fault):
    """Let `lipsol doctor` meet a fault as a verb would raise it."""

    def faulty(**_):
        raise fault

    monkeypatch.setattr(lipsol.commands["doctor"], "callback", faulty)


def test_help_names_every_verb_in_the_order_a_person_meets_them(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    places = [said.index(f"\n  {verb} ") for verb in ("read", "evaluate", "train", "models", "serve", "doctor")]
    assert places == sorted(places)


def test_help_loads_nothing_heavy():
    probe = (
        f"import sys; from services.cli import main; main(['--help']); print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_wrong_option_is_bad_input_and_says_which_was_meant(capsys):
    assert main(["read", "--grammer", "grid", "clip.mp4"]) == 2
    assert "--grammar" in capsys.readouterr().err


def test_no_clip_at_all_is_bad_input(capsys):
    assert main(["read"]) == 2
    assert "CLIP" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "code"),
    [(BadInput("9 clips", "give 8"), 2), (NotFound("no model"), 2), (LipsolError("no torch"), 1), (KeyError("x"), 1)],
    ids=["bad-input", "not-found", "ours", "unforeseen"],
)
def test_a_fault_is_one_line_without_a_traceback(fault, code, monkeypatch, capsys):
    raising(monkeypatch, fault)
    assert main(["doctor"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


def test_a_fault_is_told_with_its_cure():
    assert reason(BadInput("9 clips are over 8", "give\nfewer")) == "9 clips are over 8; give fewer"


def test_debugging_shows_where_a_fault_came_from(monkeypatch, capsys):
    monkeypatch.setenv("LIPSOL_DEBUG", "1")
    raising(monkeypatch, BadInput("9 clips"))
    assert main(["doctor"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_ends_quietly(monkeypatch, capsys):
    raising(monkeypatch, KeyboardInterrupt())
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_pipe_that_nobody_reads_any_more_ends_quietly(monkeypatch, capsys):
    raising(monkeypatch, BrokenPipeError(32, "Broken pipe"))
    main(["doctor"])
    assert capsys.readouterr().err == ""
