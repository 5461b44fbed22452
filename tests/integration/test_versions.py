"""Versions of real data: pushed to a real S3 API, and to a folder; brought back, by us and by stock DVC."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from lipsol import versions
from lipsol.data.dataset import Dataset, Item, open_dataset, save
from lipsol.errors import BadInput, NotFound, Transient
from lipsol.runtime.settings import DataSettings
from services.local.s3 import BUCKET
from tests.conftest import Sample


@pytest.fixture(params=["s3", "folder"])
def remote(request, tmp_path):
    """Where versions go: a bucket, or a folder."""
    if request.param == "folder":
        return DataSettings(remote=str(tmp_path / "remote"))
    server = request.getfixturevalue("s3")
    return DataSettings(remote=f"s3://{BUCKET}/{uuid.uuid4().hex}", endpoint=server.uri, region="us-east-1")


@pytest.fixture
def data(tmp_path, samples):
    """A small data set of real clips."""
    return made(tmp_path / "data", samples[:3])


def made(folder: Path, samples: list[Sample]) -> Path:
    items = tuple(Item(sample.path, sample.speaker, (), "train", sample.text) for sample in samples)
    dataset = Dataset("grid", "en", "grid", (), items, "CC-BY-4.0", "GRID", "all train", "GRID", "", False, folder)
    save(dataset, folder, copy=True)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != versions.MARK
    }


def test_either_of_two_versions_comes_back_byte_for_byte(remote, data, tmp_path, samples):
    first, before = versions.keep(data, remote, message="three clips"), content(data)
    made(data, samples[:4])
    second, after = versions.keep(data, remote), content(data)
    assert (first.sent, second.sent) == (5, 2)  # the fourth clip and the manifest: what is there is not sent again
    assert second.previous == first.rev
    assert [each.rev for each in versions.versions(remote, "grid")] == [second.rev, first.rev]
    assert content(versions.pull("grid", first.rev[:8], tmp_path / "old", remote)) == before
    new = versions.resolve("grid@latest", tmp_path / "new", remote)
    assert content(new) == after
    assert (versions.rev_of(new), versions.rev_of(tmp_path / "old")) == (second.rev, first.rev)
    assert open_dataset(new).version() == second.sha256


def test_the_same_content_is_the_same_revision_whoever_pushes_it(remote, data, tmp_path):
    first = versions.keep(data, remote, message="mine")
    other = shutil.copytree(data, tmp_path / "other", ignore=shutil.ignore_patterns(versions.MARK))
    second = versions.keep(other, remote, message="theirs")
    assert (second.rev, second.message, second.sent) == (first.rev, "mine", 0)
    assert versions.rev_of(other) == first.rev
    assert len(versions.versions(remote)) == 1


def test_two_who_push_from_the_same_revision_lose_neither(remote, data, tmp_path, samples):
    base = versions.keep(data, remote)
    other = versions.pull("grid", base.rev, tmp_path / "other", remote)
    pushed = {versions.keep(made(data, samples[:4]), remote).rev, versions.keep(made(other, samples[:5]), remote).rev}
    assert {each.rev for each in versions.versions(remote) if each.previous == base.rev} == pushed
    assert len(pushed) == 2


def test_nobody_is_told_what_is_versioned(remote, data):
    versions.keep(data, remote)
    assert "dvc.analytics" not in sys.modules  # DVC's command line reports to its makers; we don't use it


def test_a_folder_that_was_changed_has_no_revision(remote, data):
    rev = versions.keep(data, remote).rev
    assert versions.rev_of(data) == versions.rev_of(data / "manifest.csv") == rev
    clip = next(data.rglob("*.mp4"))
    clip.write_bytes(clip.read_bytes() + b" ")
    assert versions.rev_of(data) == ""


def test_bundles_are_versioned_too(remote, tmp_path, top):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "one.lipsol").write_bytes(b"a bundle")
    version = versions.keep(folder, remote)
    back = versions.pull("models", version.rev, tmp_path / "back", remote)
    assert (version.kind, content(back)) == ("bundles", {"one.lipsol": b"a bundle"})


def test_what_was_interrupted_goes_on(remote, data, tmp_path):
    version = versions.keep(data, remote)
    to = tmp_path / "to"
    part = shutil.copytree(data, tmp_path / "to.part")
    clips = sorted(part.rglob("*.mp4"))
    os.utime(clips[0], (1, 1))
    clips[1].write_bytes(clips[1].read_bytes()[:100])
    clips[2].unlink()
    (part / "rubbish").write_bytes(b"of another try")
    versions.pull("grid", version.rev, to, remote)
    assert content(to) == content(data)
    assert min(to.rglob("*.mp4")).stat().st_mtime == 1  # it was not fetched again


def test_a_push_that_died_before_its_description_is_no_version_and_is_finished_by_the_next(remote, data):
    with versions._opened(remote) as place:
        place.send(data)
    assert versions.versions(remote) == []
    assert versions.keep(data, remote).sent == 0
    assert len(versions.versions(remote)) == 1


def test_an_unknown_revision_is_told_with_those_there_are(remote, data, tmp_path):
    rev = versions.keep(data, remote).rev
    with pytest.raises(NotFound, match=f"'beefbeef' of 'grid': there are {rev[:12]}"):
        versions.pull("grid", "beefbeef", tmp_path / "to", remote)
    with pytest.raises(NotFound, match="there are none"):
        versions.pull("other", "latest", tmp_path / "to", remote)


def test_what_was_altered_in_the_remote_is_refused(data, tmp_path):
    remote = DataSettings(remote=str(tmp_path / "remote"))
    version = versions.keep(data, remote)
    clip = max((tmp_path / "remote" / "files").rglob("*"), key=lambda path: path.is_file() and path.stat().st_size)
    clip.chmod(0o600)
    clip.write_bytes(b"another clip")
    with pytest.raises(Transient, match="1 files came damaged"):
        versions.pull("grid", version.rev, tmp_path / "to", remote)
    description = next((tmp_path / "remote" / "versions").rglob("*.dvc"))
    told = json.loads(description.read_bytes())
    told["meta"]["lipsol"]["sha256"] = "0" * 64
    description.write_text(json.dumps(told))
    named = clip.parent.name + clip.name
    clip.write_bytes(next(path for path in data.rglob("*.mp4") if versions._md5(path) == named).read_bytes())
    with pytest.raises(BadInput, match="is not what was pushed"):
        versions.pull("grid", version.rev, tmp_path / "to", remote)
    assert not (tmp_path / "to").exists()


def test_a_folder_that_holds_something_else_is_left_alone(remote, data, tmp_path):
    rev = versions.keep(data, remote).rev
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    with pytest.raises(BadInput, match="is there already"):
        versions.pull("grid", rev, tmp_path / "mine", remote)
    assert versions.pull("grid", rev, data, remote) == data


def test_what_can_not_be_versioned_is_told_with_the_cure(tmp_path, samples, data):
    remote = DataSettings(remote=str(tmp_path / "remote"))
    with pytest.raises(BadInput, match="set LIPSOL_DATA__REMOTE"):
        versions.keep(data, DataSettings())
    with pytest.raises(BadInput, match=r"no dataset.json and no \*.lipsol"):
        versions.keep(tmp_path, remote)
    with pytest.raises(BadInput, match="no name for versions"):
        versions.keep(data, remote, name="../up")
    pointing = replace(open_dataset(data), folder=tmp_path / "pointing")
    save(pointing, tmp_path / "pointing", copy=False)
    with pytest.raises(BadInput, match="3 clips of .* lie elsewhere"):
        versions.keep(tmp_path / "pointing", remote)


def test_a_bucket_that_is_not_there_and_credentials_that_are_not_are_told(s3, data, tmp_path, monkeypatch):
    with pytest.raises(NotFound, match="bucket"):
        versions.keep(data, DataSettings(remote="s3://no-such-bucket/x", endpoint=s3.uri))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(BadInput, match="set AWS_ACCESS_KEY_ID"):
        versions.versions(DataSettings(remote=f"s3://{BUCKET}/x", endpoint=s3.uri, region="eu-north-1"))


def test_stock_dvc_brings_back_a_version_from_its_description_alone(data, tmp_path):
    remote = DataSettings(remote=str(tmp_path / "remote"))
    version = versions.keep(data, remote)
    repo = tmp_path / "repo"
    repo.mkdir()
    dvc = [sys.executable, "-m", "dvc"]
    quiet = {"DVC_NO_ANALYTICS": "1", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    for command in (["init", "--no-scm", "-q"], ["remote", "add", "-q", "-d", "shared", remote.remote]):
        subprocess.run([*dvc, *command], cwd=repo, env=quiet, check=True, timeout=600)
    shutil.copy(tmp_path / "remote" / "versions" / "grid" / f"{version.rev}.dvc", repo / "grid.dvc")
    subprocess.run([*dvc, "pull", "-q"], cwd=repo, env=quiet, check=True, timeout=600)
    assert content(repo / "grid") == content(data)
