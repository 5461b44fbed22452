import hashlib
import shutil
import stat
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from lipsol.errors import BadInput, ModelError
from lipsol.signing import Keys, Signature, SigningKey, is_locked, key_id, message

KEY = SigningKey.new()


def trusting(folder, *keys):
    """The public keys, as a folder has them."""
    for n, key in enumerate(keys):
        (folder / f"{n}.pem").write_bytes(key.public_pem())
    return Keys.load(folder)


def test_what_a_trusted_key_signed_is_verified(tmp_path):
    keys = trusting(tmp_path, SigningKey.new(), KEY)
    keys.verify("bundle", b"data", KEY.sign("bundle", b"data"), "it")


@given(st.binary(), st.binary())
def test_nothing_else_is(data, other):
    keys = Keys({KEY.id: KEY._key.public_key().public_bytes_raw()}, "test")
    signature = KEY.sign("bundle", data)
    if other != data:
        with pytest.raises(ModelError, match="it was altered"):
            keys.verify("bundle", other, signature, "it")
    with pytest.raises(ModelError, match="it was altered"):
        keys.verify("promotion", data, signature, "it")


def test_the_signature_is_that_of_rfc_8032(tmp_path):
    """Section 7.1, test 1: key, empty message, signature; our own line stands before what is signed."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    key = Ed25519PrivateKey.from_private_bytes(seed)
    assert key.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
    assert SigningKey(key).sign("bundle", b"x").value == key.sign(b"lipsol-bundle-v1\nx")
    assert message("promotion", b"x") == b"lipsol-promotion-v1\nx"


def test_a_stranger_s_key_is_named_with_those_that_are_trusted(tmp_path):
    keys, stranger = trusting(tmp_path, KEY), SigningKey.new()
    with pytest.raises(ModelError) as refusal:
        keys.verify("bundle", b"data", stranger.sign("bundle", b"data"), "model.lipsol")
    for said in ("model.lipsol", stranger.id, KEY.id, str(tmp_path)):
        assert said in refusal.value.detail


def test_a_signature_under_another_s_name_is_found_out(tmp_path):
    keys, stranger = trusting(tmp_path, KEY), SigningKey.new()
    forged = Signature(KEY.id, stranger.sign("bundle", b"data").value)
    with pytest.raises(ModelError, match="its signature is another's"):
        keys.verify("bundle", b"data", forged, "it")


def test_a_signature_survives_its_json():
    signature = KEY.sign("bundle", b"data")
    assert Signature.from_json(signature.to_json(), "it") == signature


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"algorithm": "none", "key": "a", "signature": ""}',
        b'{"algorithm": "Ed25519", "key": "a", "signature": "AAAA"}',
        b'{"algorithm": "Ed25519", "key": 1, "signature": 2}',
    ],
    ids=["empty", "list", "object", "no-text", "algorithm", "short", "types"],
)
def test_what_is_no_signature_is_told_with_the_file(data):
    with pytest.raises(ModelError, match="model.lipsol has a signature that is none"):
        Signature.from_json(data, "model.lipsol")


@pytest.mark.parametrize("passphrase", [b"", b"a secret"], ids=["open", "locked"])
def test_a_private_key_survives_its_file_which_is_its_owner_s_alone(tmp_path, passphrase):
    path = tmp_path / "key.pem"
    KEY.save(path, passphrase)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert is_locked(path) == bool(passphrase)
    assert SigningKey.load(path, passphrase).id == KEY.id
    with pytest.raises(BadInput, match="no private key"):
        SigningKey.load(path, b"another")


def test_a_locked_key_without_its_passphrase_says_so(tmp_path):
    KEY.save(tmp_path / "key.pem", b"a secret")
    with pytest.raises(BadInput, match="needs a passphrase"):
        SigningKey.load(tmp_path / "key.pem")


def test_a_key_is_never_overwritten(tmp_path):
    KEY.save(tmp_path / "key.pem")
    with pytest.raises(BadInput, match="never overwritten"):
        SigningKey.new().save(tmp_path / "key.pem")
    assert SigningKey.load(tmp_path / "key.pem").id == KEY.id


def _other_kind(half):
    key = X25519PrivateKey.generate()
    if half == "private":
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _private():
    return KEY._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no public key is in"),
        (b"nothing of the kind", "no public key is in"),
        (_private(), "holds a private key"),
        (_other_kind("public"), "a public key of another kind"),
        (KEY.public_pem().replace(b"MC", b"XX", 1), "what is no public key"),
        (b"x" * (1 << 20) + b"x", "over 1048576 bytes"),
    ],
    ids=["empty", "text", "private", "other-kind", "damaged", "huge"],
)
def test_keys_that_can_t_be_used_are_refused_with_the_file(tmp_path, data, said):
    (tmp_path / "keys.pem").write_bytes(data)
    with pytest.raises(BadInput, match=said) as refusal:
        Keys.load(tmp_path / "keys.pem")
    assert "keys.pem" in refusal.value.detail and refusal.value.cure


def test_a_key_of_another_kind_signs_nothing(tmp_path):
    (tmp_path / "key.pem").write_bytes(_other_kind("private"))
    with pytest.raises(BadInput, match="another kind"):
        SigningKey.load(tmp_path / "key.pem")


def test_keys_that_are_not_there_are_told(tmp_path):
    with pytest.raises(BadInput, match="can't be read"):
        Keys.load(tmp_path / "nowhere.pem")
    with pytest.raises(BadInput, match="no public key is in"):
        Keys.load(tmp_path)


def test_a_file_may_hold_several_keys_and_a_folder_several_files(tmp_path):
    first, second, third = SigningKey.new(), SigningKey.new(), SigningKey.new()
    (tmp_path / "both.pem").write_bytes(first.public_pem() + b"\nsome words\n" + second.public_pem())
    (tmp_path / "third.pem").write_bytes(third.public_pem())
    (tmp_path / "README").write_text("not looked at")
    assert set(Keys.load(tmp_path).public) == {first.id, second.id, third.id}
    assert set(Keys.load(tmp_path / "both.pem").public) == {first.id, second.id}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
def test_openssl_agrees_on_the_id_and_the_signature(tmp_path):
    KEY.save(tmp_path / "key.pem", b"a secret")
    (tmp_path / "key.pub.pem").write_bytes(KEY.public_pem())
    der = _openssl(tmp_path, "pkey", "-pubin", "-in", "key.pub.pem", "-outform", "DER")
    assert hashlib.sha256(der).hexdigest()[:16] == KEY.id == key_id(KEY._key.public_key())
    (tmp_path / "signed").write_bytes(message("bundle", b"data"))
    (tmp_path / "signature").write_bytes(KEY.sign("bundle", b"data").value)
    verify = (
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pub.pem",
        "-rawin",
        "-in",
        "signed",
        "-sigfile",
        "signature",
    )
    assert b"Verified Successfully" in _openssl(tmp_path, *verify)


def _openssl(folder, *arguments):
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True).stdout
