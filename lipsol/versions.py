"""Versions of data and bundles on any S3, or in a plain folder: the one door to DVC.

The remote alone holds everything. Content lies in it as DVC keeps it (`files/md5`), and beside it, a file a version,
`versions/NAME/REV.dvc`: DVC's own description of a tracked folder (as JSON, which is YAML), with what we know of it
under `meta`. So a new machine needs nothing but the settings, and stock DVC can bring back any version too.

- A revision is named by its content (the MD5 of DVC's list of files). The same content again is the same revision.
- Nothing in the remote is ever changed: two people who push at once write two versions, and neither is lost.
- A file that the remote has is not sent again; the description comes last, so what is listed is there in full. Who was
  interrupted calls again, and goes on.
- What was brought back is what was pushed: each file by its MD5, the whole by its SHA-256, or it is refused.
- A folder knows its revision by `version.dvc` in it, for as long as its content is that revision's.
"""

import getpass
import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from lipsol.data.dataset import FACTS, open_dataset
from lipsol.errors import BadInput, LipsolError, NotFound, Transient

MARK = "version.dvc"  # in a folder: the revision that it is
CONTENT = ("files", "md5")  # where DVC 3 keeps content
HISTORY = "versions"  # where the versions' descriptions lie
REV_MIN = 6  # characters that a revision may be shortened to
LATEST = "latest"  # stands for the newest revision
BUNDLES = "*.lipsol"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_REV = re.compile(r"[0-9a-f]{6,32}")
_LOCKED_OUT = frozenset({"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "TokenRetrievalError"})


@runtime_checkable
class Remote(Protocol):
    """Where versions are kept: `lipsol.runtime.settings.DataSettings` is one."""

    @property
    def remote(self) -> str:
        """`s3://bucket/prefix`, or a folder; "": nowhere."""
        ...

    @property
    def endpoint(self) -> str:
        """Address of the S3-compatible server; "": Amazon's own."""
        ...

    @property
    def region(self) -> str:
        """Region of the bucket; "": the environment's."""
        ...


@dataclass(frozen=True)
class Version:
    """One version of a folder.

    kind      "dataset" or "bundles"
    sha256    of the data set as `Dataset.version` has it, or of all bundles, hex
    previous  the revision that the folder was before it was changed; "": not known
    files, size_bytes  how much it is; sent: files that the remote did not have, told by `keep` alone
    by, at    who pushed it, and when, Unix seconds
    """

    name: str
    rev: str
    kind: str
    sha256: str
    message: str
    previous: str
    files: int
    size_bytes: int
    by: str
    at: float
    sent: int = 0


def keep(folder: Path, remote: Remote, name: str = "", message: str = "") -> Version:
    """Push a folder as a version of `name` ("": the data set's own name, or the folder's).

    Raises BadInput for a folder that is no data set and holds no bundles, or whose clips lie elsewhere; Transient where
    the remote took part of it only.
    """
    kind, sha256, own = _content(folder)
    name = _named(name or own)
    with _opened(remote) as place:
        tree, size, sent = place.send(folder)
        rev = tree.removesuffix(".dir")
        try:
            version = replace(_one(place, name, rev), sent=sent)
        except NotFound:
            version = Version(name, rev, kind, sha256, message, _marked(folder), *size, _user(), time.time(), sent)
            place.write(f"{HISTORY}/{name}/{rev}.dvc", _document(version))
    with suppress(OSError):  # a folder that can't be written to is a version all the same
        (folder / MARK).write_bytes(_document(version))
    return version


def versions(remote: Remote, name: str = "") -> list[Version]:
    """What the remote holds of `name` ("": of all names), newest first."""
    with _opened(remote) as place:
        return _all(place, _named(name) if name else "")


def pull(name: str, rev: str, to: Path, remote: Remote) -> Path:
    """Bring a version back as the folder `to`; returns that. `rev` may be shortened, or `latest`.

    What an interrupted call left in `to.part` is gone on with. Raises NotFound for a revision that is not there, naming
    those that are; BadInput if `to` holds something else, or the content is not what was pushed.
    """
    with _opened(remote) as place:
        version = _one(place, _named(name), rev)
        if _marked(to) == version.rev and rev_of(to):
            return to
        if to.exists() and (not to.is_dir() or any(to.iterdir())):
            raise BadInput(f"{to} is there already, and is not {name}@{version.rev}", "name a folder that is not there")
        part = to.with_name(f"{to.name}.part")
        part.mkdir(parents=True, exist_ok=True)
        place.fetch(f"{version.rev}.dir", part)
    if _content(part)[1] != version.sha256:
        raise BadInput(
            f"{name}@{version.rev} in {part} is not what was pushed: its digest is not {version.sha256[:12]}",
            "remove that folder and pull again; if it stays so, the remote was altered",
        )
    (part / MARK).write_bytes(_document(version))
    if to.exists():
        to.rmdir()
    part.rename(to)
    return to


def resolve(data: str, to: Path, remote: Remote) -> Path:
    """The folder that `data` names: a path as it is, or NAME@REV brought back as `to`."""
    name, at, rev = data.rpartition("@")
    if Path(data).exists() or not at:
        return Path(data)
    return pull(name, rev, to, remote)


def rev_of(folder: Path, sha256: str = "") -> str:
    """The revision that a folder is; "": it is not versioned, or was changed since.

    folder  may be named by its manifest.csv too
    sha256  of its content, where the caller knows it already
    """
    folder = folder.parent if folder.is_file() else folder
    try:
        mark = _read((folder / MARK).read_bytes())
        return mark.rev if (sha256 or _content(folder)[1]) == mark.sha256 else ""
    except (OSError, LipsolError):
        return ""


def _content(folder: Path) -> tuple[str, str, str]:
    """Kind, SHA-256 and own name of what a folder holds. Raises BadInput if that is nothing to be versioned."""
    if (folder / FACTS).exists():
        dataset = open_dataset(folder)
        outside = [item.path for item in dataset.items if not item.path.resolve().is_relative_to(folder.resolve())]
        if outside:
            raise BadInput(
                f"{len(outside)} clips of {folder} lie elsewhere, {outside[0]} first",
                "take them in: `lipsol data import FOLDER --out OTHER --copy`",
            )
        return "dataset", dataset.version(), dataset.name
    bundles = sorted(folder.glob(BUNDLES))
    if not bundles:
        raise BadInput(
            f"{folder} holds no {FACTS} and no {BUNDLES}", "name a data set (`lipsol data import` makes one) or bundles"
        )
    total = hashlib.sha256()
    for path in bundles:
        total.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return "bundles", total.hexdigest(), folder.resolve().name.lower()


def _marked(folder: Path) -> str:
    """The revision that a folder was when it was pushed or pulled; "": never."""
    try:
        return _read((folder / MARK).read_bytes()).rev
    except (OSError, BadInput):
        return ""


def _all(place: "_Place", name: str = "") -> list[Version]:
    found = [_read(data) for data in place.read_all(f"{HISTORY}/{name}" if name else HISTORY)]
    return sorted(found, key=lambda version: (-version.at, version.rev))


def _one(place: "_Place", name: str, rev: str) -> Version:
    """The one version that `rev` means. Raises NotFound or BadInput naming what there is."""
    known = _all(place, name)
    fits = known[:1] if rev == LATEST else [each for each in known if _REV.fullmatch(rev) and each.rev.startswith(rev)]
    if len(fits) == 1:
        return fits[0]
    there = ", ".join(each.rev[:12] for each in known) or "none"
    if fits:
        raise BadInput(f"{name}@{rev} may be any of {len(fits)} revisions", f"write more of it; there are {there}")
    raise NotFound(f"no revision {rev!r} of {name!r}", f"there are {there}; give {REV_MIN} characters or more")


def _document(version: Version) -> bytes:
    """A version as DVC describes a tracked folder."""
    own = {key: getattr(version, key) for key in ("kind", "sha256", "previous", "by", "at")}
    output = {
        "md5": f"{version.rev}.dir", "size": version.size_bytes, "nfiles": version.files, "hash": "md5",
        "path": version.name,
    }  # fmt: skip
    told = {"outs": [output], "desc": version.message, "meta": {"lipsol": own}}
    return json.dumps(told, ensure_ascii=False, indent=2).encode() + b"\n"


def _read(data: bytes) -> Version:
    try:
        told: Mapping[str, Any] = json.loads(data)
        (output,) = told["outs"]
        rev = output["md5"].removesuffix(".dir")
        return Version(
            name=output["path"], rev=rev, message=told["desc"], files=output["nfiles"], size_bytes=output["size"],
            **told["meta"]["lipsol"],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as fault:
        raise BadInput(f"{len(data)} bytes that describe no version ({fault!r})", "push it again") from fault


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} is no name for versions", "use a-z, 0-9, '.', '_' and '-', 64 at most: --name")
    return name


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        return ""


class _Place:
    """A remote that is open: DVC's file system, and its content below a path."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        from dvc.fs import get_cloud_fs
        from dvc_data.hashfile.db import get_odb

        kind, config, self._path = get_cloud_fs({}, url=url, **options)
        self._fs = kind(**config)
        self._content: Any = get_odb(self._fs, self._fs.join(self._path, *CONTENT), hash_name="md5")  # type: ignore[no-untyped-call]

    def send(self, folder: Path) -> tuple[str, tuple[int, int], int]:
        """Send what is not there yet; the list's name, how many files and bytes it names, and how many were new."""
        from dvc.fs import localfs
        from dvc_data.hashfile.build import build
        from dvc_data.hashfile.transfer import transfer

        staged, meta, tree = build(self._content, str(folder), localfs, "md5", ignore=_Unmarked())
        done = transfer(staged, self._content, {tree.hash_info}, shallow=False)
        if done.failed:
            raise Transient(
                f"{len(done.failed)} of {len(tree) + 1} objects did not arrive", "push again: it goes on from there"
            )
        new = sum(not each.isdir for each in done.transferred)
        return str(tree.hash_info.value), (meta.nfiles or 0, meta.size or 0), new

    def fetch(self, name: str, to: Path) -> None:
        """Bring what a list names into a folder; what is there already stays."""
        from dvc_data.hashfile.hash_info import HashInfo
        from dvc_data.hashfile.tree import Tree

        digests = {to.joinpath(*key): held.value for key, _, held in Tree.load(self._content, HashInfo("md5", name))}
        if any(".." in path.parts or not path.is_relative_to(to) for path in digests):
            raise BadInput(f"{name} names files outside its folder", "the remote was altered; ask who keeps it")
        for path in to.rglob("*"):
            if not path.is_dir() and path not in digests:
                path.unlink()
        lacking = {path: digest for path, digest in digests.items() if _md5(path) != digest}
        for path in lacking:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._fs.get([self._content.oid_to_path(digest) for digest in lacking.values()], [*map(str, lacking)])
        spoilt = [path for path, digest in lacking.items() if _md5(path) != digest]
        if spoilt:
            raise Transient(f"{len(spoilt)} files came damaged, {spoilt[0].name} first", "pull again: it goes on")

    def write(self, name: str, data: bytes) -> None:
        """Put a small file."""
        path = self._fs.join(self._path, *name.split("/"))
        self._fs.makedirs(self._fs.parent(path), exist_ok=True)
        self._fs.pipe_file(path, data)

    def read_all(self, name: str) -> Iterator[bytes]:
        """The files below a name."""
        root = self._fs.join(self._path, *name.split("/"))
        self._fs.fs.invalidate_cache()
        if self._fs.exists(root):
            for path in self._fs.find(root):
                yield self._fs.cat_file(path)


class _Unmarked:
    """Lets DVC see all files of a folder but the one that names its revision."""

    def find(self, fs: Any, path: str) -> Iterator[str]:
        yield from (each for each in fs.find(path) if fs.name(each) != MARK)

    def walk(self, fs: Any, path: str, **how: Any) -> Iterator[tuple[str, list[str], list[str]]]:
        for root, folders, files in fs.walk(path, **how):
            yield root, folders, [name for name in files if name != MARK]


@contextmanager
def _opened(remote: Remote) -> Iterator[_Place]:
    """The remote, with what DVC and its file systems raise turned into our own.

    They raise each other's and their clients' errors; those that no name was found for are told as they are.
    """
    if not remote.remote:
        raise BadInput("no remote for versions", "set LIPSOL_DATA__REMOTE to s3://bucket/prefix, or a folder")
    url, options = remote.remote, {"endpointurl": remote.endpoint, "region": remote.region}
    if not url.startswith("s3://"):
        url, options = str(Path(url).absolute()), {}
    try:
        yield _Place(url, {key: value for key, value in options.items() if value})
    except LipsolError:
        raise
    except PermissionError as fault:
        raise BadInput(f"{remote.remote} refuses us ({fault})", "see to the credentials and their rights") from fault
    except FileNotFoundError as fault:
        raise NotFound(f"{remote.remote} lacks what was asked for ({fault})", "make the bucket or folder") from fault
    except Exception as fault:
        kind = type(fault).__name__
        if kind in _LOCKED_OUT:
            raise BadInput(
                f"there are no credentials for {remote.remote} ({fault})",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile by AWS_PROFILE",
            ) from fault
        raise Transient(f"{remote.remote} fails ({kind}: {fault})", "see LIPSOL_DATA__..., then try again") from fault


def _md5(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError:
        return ""
