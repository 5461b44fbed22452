"""What an image is made of, as a CycloneDX 1.6 document: `python sbom.py NAME >sbom.cdx.json`, in the image's build.

Every Python package of the interpreter that runs this, and every package of the Debian below it, each with its package
URL (purl), by which scanners look up what is known of it. The same contents make the same document: it has no date.
"""

import json
import re
import sys
import uuid
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

INSTALLED = Path("/var/lib/dpkg/status")  # what Debian has installed; an image of another base has none
SPACE = uuid.UUID("6f6b1c0a-0d3c-5f5e-9c3b-3f1c1f6a8e21")  # of our serial numbers

Component = Mapping[str, Any]


def document(name: str, components: Iterable[Component]) -> dict[str, Any]:
    """The whole document. name: the image's; specification: ECMA-424, section "BOM"."""
    listed = sorted(components, key=lambda each: each["bom-ref"])
    serial = uuid.uuid5(SPACE, json.dumps([name, listed], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": {"type": "container", "bom-ref": name, "name": name}},
        "components": listed,
    }


def of_python(found: Iterable[Distribution]) -> list[Component]:
    """A component a package; one that is there twice counts once."""
    made = {}
    for each in found:
        told = each.metadata
        name = re.sub(r"[-_.]+", "-", told["Name"]).lower()  # PEP 503
        made[name] = component(name, told["Version"], f"pkg:pypi/{name}@{quote(told['Version'])}", _licence(told))
    return list(made.values())


def _licence(told: Any) -> str | None:
    """What a package says of its licence: an SPDX expression (PEP 639), else a short name, else nothing."""
    short = told.get("License-Expression") or told.get("License") or ""
    if short and "\n" not in short.strip() and len(short) <= 64:
        return str(short.strip())
    named = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier", ()) if line.startswith("License :: ")]
    return " / ".join(named) or None


def of_debian(status: str) -> list[Component]:
    """A component for each package that dpkg's status file calls installed."""
    made = []
    for entry in status.split("\n\n"):
        told = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", entry, flags=re.MULTILINE))
        if told.get("Status", "").endswith(" installed"):
            name, version, machine = told["Package"], told["Version"], told["Architecture"]
            purl = f"pkg:deb/debian/{name}@{quote(version)}?arch={machine}"
            made.append(component(name, version, purl, None))
    return made


def component(name: str, version: str, purl: str, licence: str | None) -> Component:
    """One entry of the list; `type` and `name` are what the schema insists on."""
    licences = {"licenses": [{"license": {"name": licence}}]} if licence else {}
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, **licences}


if __name__ == "__main__":
    debian = of_debian(INSTALLED.read_text()) if INSTALLED.exists() else []
    made = document(sys.argv[1], [*of_python(distributions()), *debian])
    sys.stdout.write(json.dumps(made, indent=1) + "\n")
