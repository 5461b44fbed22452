"""When the certificates end that are trusted."""

from datetime import UTC, datetime
from math import isnan

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from lipsol.runtime.certificates import expires_at, tell_certificates
from lipsol.runtime.settings import BusSettings
from lipsol.runtime.telemetry import Telemetry

NAME = "lipsol_certificate_expiry_timestamp_seconds"
START = datetime(2026, 1, 1, tzinfo=UTC)
SOON, LATER = (datetime(2026 + years, 11, 22, 3, 0, tzinfo=UTC) for years in (1, 9))


def authority(ends: datetime) -> bytes:
    """An authority's certificate that ends then, as PEM."""
    key, name = Ed25519PrivateKey.generate(), x509.Name([])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), START, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )
    return made.public_bytes(Encoding.PEM)


def test_the_first_certificate_to_end_is_told_and_a_renewed_file_is_seen(tmp_path):
    file, telemetry = tmp_path / "ca.pem", Telemetry()
    file.write_bytes(authority(LATER) + authority(SOON))
    tell_certificates(BusSettings(kind="kafka", protocol="SSL", ca_file=file), telemetry)
    assert telemetry.value(NAME, kind="bus") == SOON.timestamp()
    file.write_bytes(authority(LATER))
    assert telemetry.value(NAME, kind="bus") == LATER.timestamp()


@pytest.mark.parametrize("text", [None, "", "no certificate"], ids=["gone", "empty", "another text"])
def test_a_file_without_one_is_no_number(tmp_path, text):
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)
    assert isnan(expires_at(tmp_path / "ca.pem"))


def test_who_speaks_in_the_clear_trusts_no_certificate(tmp_path):
    telemetry = Telemetry()
    tell_certificates(BusSettings(kind="kafka", ca_file=tmp_path / "ca.pem"), telemetry)
    tell_certificates(BusSettings(kind="kafka", protocol="SSL"), telemetry)
    assert f"{NAME}{{" not in telemetry.text()
