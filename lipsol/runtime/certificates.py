"""When the certificates end that this process trusts, so that somebody renews them before; read anew at each look."""

import ssl
from math import nan
from pathlib import Path

from lipsol.runtime.settings import BusSettings
from lipsol.runtime.telemetry import Telemetry


def expires_at(file: Path) -> float:
    """When the first of the authorities' certificates in a PEM file ends, Unix seconds; not a number where there is
    none to be read.
    """
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        trusted.load_verify_locations(file)
    except (OSError, ssl.SSLError):
        return nan
    ends = [ssl.cert_time_to_seconds(str(each["notAfter"])) for each in trusted.get_ca_certs()]
    return float(min(ends, default=nan))


def tell_certificates(bus: BusSettings, telemetry: Telemetry) -> None:
    """Tell of the brokers' authority from now on, where they are reached over TLS and a file names it."""
    file = bus.ca_file
    if file is not None and not bus.private and bus.protocol.endswith("SSL"):
        telemetry.follow("lipsol_certificate_expiry_timestamp_seconds", lambda: expires_at(file), kind="bus")
