"""`lipsol models keys`, `sign`, `verify` and `gild`, as they are typed."""

import json
import shutil

import pytest

from lipsol.archive import Archive
from lipsol.bundle import Bundle
from services.cli import main
from tests.bundles_broken import FAULTS, bench


@pytest.fixture
def file(top, tmp_path):
    """A copy of a shipped bundle."""
    return shutil.copy(top / "models" / "grid-words.lipsol", tmp_path / "mine.lipsol")


@pytest.fixture
def key(tmp_path):
    """A key with a passphrase, as the command line makes it."""
    (tmp_path / "pass").write_text("a secret\n")
    path = tmp_path / "op.pem"
    assert main(["models", "keys", "new", str(path), "--passphrase-file", str(tmp_path / "pass")]) == 0
    return path


def run(*arguments):
    return main(["models", *map(str, arguments)])


def test_a_signed_bundle_is_verified_by_the_key_s_public_half(file, key, capsys):
    assert run("sign", file, "--key", key, "--passphrase-file", key.with_name("pass")) == 0
    capsys.readouterr()
    assert run("verify", file, "--keys", key.with_suffix(".pub.pem"), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told[0]["name"], told[0]["verified"], told[0]["golden"], told[0]["fault"]) == ("grid-words", True, 2, "")
    assert told[0]["digest"] == Archive.read(file).digest and told[0]["signed_by"] == Archive.read(file).signature().key


def test_signing_changes_nothing_but_the_signature(file, key):
    before = Archive.read(file)
    run("sign", file, "--key", key, "--passphrase-file", key.with_name("pass"))
    after = dict(Archive.read(file).members)
    assert after.pop("signature.json") and after == before.members


def test_an_unsigned_bundle_is_fine_while_no_key_is_set(file, key, monkeypatch, capsys):
    assert run("verify", file) == 0
    assert "unsigned, 2 golden answers given" in capsys.readouterr().out
    monkeypatch.setenv("LIPSOL_REGISTRY__KEYS", str(key.with_suffix(".pub.pem")))
    assert run("verify", file) == 1
    assert "mine.lipsol is unsigned" in capsys.readouterr().out


def test_a_signature_that_nobody_checked_is_called_that(file, key, capsys):
    run("sign", file, "--key", key, "--passphrase-file", key.with_name("pass"))
    assert run("verify", file) == 0
    assert "(not checked: no key is set)" in capsys.readouterr().out


def test_every_bundle_is_tried_and_one_refused_is_enough(file, tmp_path, capsys):
    made = bench(tmp_path)
    FAULTS["flipped network"].make(made)
    assert run("verify", made.file, file) == 1
    refused, fine = capsys.readouterr().out.splitlines()
    assert refused.startswith("✗") and "damaged model.onnx" in refused and "train it again" in refused
    assert fine.startswith("✓")


def test_nobody_signs_what_would_be_refused(file, key, tmp_path, capsys):
    made = bench(tmp_path)
    FAULTS["other golden text"].make(made)
    before = file.read_bytes()
    assert run("sign", file, made.file, "--key", key, "--passphrase-file", key.with_name("pass")) == 1
    assert "golden clip" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_gilding_leaves_alone_what_holds(file, capsys):
    before = file.read_bytes()
    assert run("gild", file) == 0
    assert "stays" in capsys.readouterr().out
    assert file.read_bytes() == before


def test_gilding_renews_answers_that_no_longer_hold_and_says_that_the_signature_is_gone(tmp_path, capsys):
    made = bench(tmp_path)
    FAULTS["other golden text"].make(made)
    assert run("gild", made.file) == 0
    told = capsys.readouterr()
    assert "s1-lriq8p (words): 'please' at 0.36" in told.out and "was 'bin' at 0.36" in told.out
    assert "the signature is gone" in told.err
    assert run("verify", made.file) == 0


def test_a_bundle_of_before_golden_answers_is_gilded_with_clips_of_ones_own(tmp_path, sample, capsys):
    made = bench(tmp_path)
    FAULTS["no golden answers"].make(made)
    assert run("gild", made.file) == 2
    assert "--clip" in capsys.readouterr().err
    assert run("gild", made.file, "--clip", sample.path) == 0
    assert [clip.name for clip in Bundle.load(made.file).golden] == [sample.path.stem]


def test_a_new_key_tells_the_id_of_its_public_half(tmp_path, capsys):
    assert run("keys", "new", tmp_path / "op.pem", "--unencrypted") == 0
    told = capsys.readouterr().out
    assert run("keys", "show", tmp_path / "op.pub.pem") == 0
    assert capsys.readouterr().out.strip() == told.split()[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["keys", "new", "op.pem", "--unencrypted"], "never overwritten"),
        (["keys", "new", "other.pem", "--passphrase-file", "empty"], "begins with no passphrase"),
        (["keys", "new", "other.pem", "--passphrase-file", "nowhere"], "nowhere can't be read"),
        (["keys", "new", "no/folder/x.pem", "--unencrypted"], "can't be written"),
        (["keys", "show", "op.pem"], "holds a private key"),
        (["sign", "mine.lipsol", "--key", "op.pub.pem"], "no private key"),
        (
            ["sign", "mine.lipsol", "--key", "op.pem", "--passphrase-file", "wrong"],
            "no private key that this passphrase",
        ),
        (["sign", "mine.lipsol", "--key", "op.pem"], "nobody to ask"),
    ],
    ids=["there already", "empty", "no file", "no folder", "private", "public", "wrong", "no terminal"],
)
def test_what_can_t_be_done_with_keys_is_bad_input_and_says_why(arguments, said, file, key, monkeypatch, capsys):
    monkeypatch.chdir(key.parent)
    (key.parent / "empty").write_text("\n")
    (key.parent / "wrong").write_text("another\n")
    before = sorted(key.parent.iterdir())
    assert run(*arguments) == 2
    assert said in capsys.readouterr().err
    assert sorted(key.parent.iterdir()) == before


def test_models_alone_and_with_a_name_still_shows(capsys):
    assert run() == 0
    assert "grid-words" in capsys.readouterr().out
    assert run("grid-words", "--json") == 0
    card = json.loads(capsys.readouterr().out)["card"]
    assert [clip["clip"] for clip in card["golden"]] == ["s1-lriq8p", "s5-bbar9a"]
