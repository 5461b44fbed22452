"""`make images`: what is built unasked, and what is said of its size."""

import json
import subprocess
import sys

import pytest

from lipsol.errors import BadInput
from services.local import images
from tests.images_made import IMAGES


def test_the_services_are_built_unasked_and_any_by_name():
    assert images.chosen([]) == ("preprocess", "inference", "monitor")
    assert images.chosen(["pipelines"]) == ["pipelines"]
    assert set(images.IMAGES) == set(IMAGES)


def test_an_image_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(BadInput, match="edge.*there are preprocess"):
        images.chosen(["edge"])


def test_every_file_counts_once_for_what_it_belongs_to(tmp_path):
    site = f"opt/lipsol/lib/python3.{sys.version_info[1]}/site-packages"
    sizes = {
        f"{site}/numpy/core/a.so": 500,
        f"{site}/numpy/b.py": 30,
        "srv/lipsol/models/grid.lipsol": 200,
        "opt/lipsol/bin/python": 7,
        "usr/lib/libc.so": 1000,
        "proc/kcore": 10**6,
    }
    for name, size in sizes.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    (tmp_path / "usr/lib/again").hardlink_to(tmp_path / "usr/lib/libc.so")
    looked = subprocess.run([sys.executable, "-c", images.LOOK, tmp_path], capture_output=True, check=True).stdout
    assert json.loads(looked) == {
        "numpy": 530, "srv/lipsol/models": 200, "packages' programs": 7, "the base": 1000,
    }  # fmt: skip


def test_what_fills_an_image_is_told_largest_first():
    parts = {f"part-{n}": n * 1_000_000 for n in range(1, 12)}
    lines = images.told(images.Built("monitor", "lipsol-monitor:1", 66_000_000, 2.0, parts)).splitlines()
    assert lines[0] == "lipsol-monitor:1  66 MB, built in 2 s"
    assert lines[1].split() == ["11", "MB", "part-11"]
    assert lines[-1].split() == ["6", "MB", "all", "else"]
