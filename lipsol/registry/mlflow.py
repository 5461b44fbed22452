"""The registry on an MLflow server: a registered model a name, a model version a bundle.

A bundle lies with its card, its `MLmodel` and its example among the artifacts of a run; tags of the version hold its
digest, whether it was released, and each file's digest. The history is a registered model of its own (`LEDGER`), whose
versions are the promotions: the server numbers them, one after the other. A record says the number that it came after,
and counts only if the server gave it the next one: of two that were written at once the second is void, for everybody
and for ever. The alias `champion` is for people and other programs; nothing here goes by it.

What was fetched is kept in a folder by its digest, and tried against that whenever it is used.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from lipsol.archive import GOLDEN, Archive
from lipsol.errors import BadInput, LipsolError, ModelError, NotFound
from lipsol.mlflow import MlflowServer
from lipsol.promotion import Promotion, of_name
from lipsol.registry.cards import info_of, info_of_card
from lipsol.registry.naming import Entry, Named, check, check_files, entry_of, matches, name_all, sha256, waiting
from lipsol.registry.port import NONE, ModelInfo
from lipsol.registry.telling import PLACE, description, figures, mlmodel, promoted
from lipsol.signing import Keys

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

LEDGER = "lipsol-promotions"
EXPERIMENT = "lipsol-models"
CHAMPION = "champion"  # the alias of what a name means
BUNDLE, FILES = "bundle", "files"  # folders of a run
DIGEST, RELEASED, FILE = "lipsol.digest", "lipsol.released", "lipsol.file."  # tags of a model version
PROMOTED = "lipsol.promoted"  # a tag for people: the last promotion in words
RECORD, AFTER = "lipsol.promotion", "lipsol.after"  # tags of the ledger's versions
KEEP = "It is the history of promotions: each version is one, and is never changed. Don't delete any."

log = structlog.get_logger()


@dataclass(frozen=True)
class _Row:
    """A model version that holds a bundle. info: None if its card can't be used, `fault` says why."""

    version: "ModelVersion"
    digest: str
    released: bool
    info: ModelInfo | None
    fault: str = ""

    @property
    def files(self) -> dict[str, str]:
        """Digest by name of what was registered with the bundle."""
        return {key.removeprefix(FILE): value for key, value in self.version.tags.items() if key.startswith(FILE)}


@dataclass(frozen=True)
class _Seen:
    """The server's models as they are now. last: number of the ledger's last version."""

    rows: tuple[_Row, ...]
    named: Named
    last: int


class MlflowRegistry:
    """Models of an MLflow server. cache: where fetched files are kept; prefix: before every name at the server."""

    def __init__(self, server: MlflowServer, cache: Path, keys: Keys | None = None, prefix: str = "") -> None:
        self._server = server
        self._cache = cache
        self._keys = keys
        self._prefix = prefix
        self._lock = Lock()
        self._cards: dict[str, ModelInfo] = {}

    @property
    def keys(self) -> Keys | None:
        return self._keys

    def models(self) -> list[ModelInfo]:
        return list(self._look().named.models)

    def candidates(self) -> list[ModelInfo]:
        seen = self._look()
        return waiting((row.info for row in seen.rows if row.info is not None), seen.named)

    def faults(self) -> list[str]:
        seen = self._look()
        return [row.fault for row in seen.rows if row.info is None] + list(seen.named.faults)

    def find(self, name_or_digest: str) -> ModelInfo:
        return _find(self._look(), name_or_digest)

    def default(self, language: str) -> ModelInfo:
        return self._look().named.default(language)

    def champion(self, name: str) -> ModelInfo | None:
        return self._look().named.champion(name)

    def path(self, digest: str) -> Path:
        row = _row(self._look(), digest)
        if row is None:
            raise NotFound(f"no model with the digest {digest!r}", "ask for one that `models` names")
        path = self._fetched(row, f"{BUNDLE}/{PLACE['model']}", digest)
        if row.info is not None and info_of(path).card != row.info.card:
            raise ModelError(f"{row.info.name} {digest[:12]} has another card at the server", "register it again")
        return path

    def file(self, digest: str, name: str) -> Path:
        row = _row(self._look(), digest)
        files = {} if row is None else row.files
        if row is None or name not in files:
            told = ", ".join(sorted(files)) or "nothing: none is"
            raise NotFound(f"no file {name!r} is with {digest[:12]}", f"ask for {told}")
        return self._fetched(row, f"{FILES}/{files[name]}/{name}", files[name])

    def register(self, path: Path, files: Mapping[str, Path] = NONE, *, candidate: bool = True) -> ModelInfo:
        info = info_of(path)
        seen = self._look()
        row = _row(seen, info.digest)
        kept = {} if row is None else row.files
        told = check_files(info, files, lambda name: kept.get(name, ""), seen.named.history)
        if row is None:
            self._create(info, path, files, told, candidate)
        else:
            self._complete(row, files, told, candidate)
        return self.find(info.digest)

    def promote(self, promotion: Promotion) -> None:
        while True:
            seen = self._look()
            check(promotion, _find(seen, promotion.digest), seen.named, self._keys)
            row = _row(seen, promotion.digest)
            if row is not None and self._append(promotion, row.version, seen.last):
                self._crown(promotion, row.version)
                return

    def history(self, name: str = "") -> list[Promotion]:
        return of_name(self._look().named.history, name)

    def _look(self) -> _Seen:
        """All that the server has, by one call and one more for each card that is new."""
        versions = self._versions()
        rows = {}
        for version in sorted(versions, key=lambda each: int(each.version), reverse=True):
            if digest := version.tags.get(DIGEST, ""):
                rows[digest] = self._read(version, digest)
        records = [each for each in versions if RECORD in each.tags]
        last = max((int(each.version) for each in records), default=0)
        good = {digest: row.info for digest, row in rows.items() if row.info is not None}
        released = [info for digest, info in good.items() if rows[digest].released]
        return _Seen(tuple(rows.values()), name_all(released, good, self._entries(records)), last)

    def _versions(self) -> "list[ModelVersion]":
        found: list[ModelVersion] = []
        token = None
        while True:
            with self._server.told("models"):
                page = self._server.client.search_model_versions(f"name LIKE '{self._prefix}%'", page_token=token)
            found += [each for each in page if each.name.startswith(self._prefix)]
            token = page.token
            if not token:
                return found

    def _entries(self, records: "Sequence[ModelVersion]") -> list[Entry]:
        """The history, newest first, without what lost a race."""
        good = [each for each in records if each.tags.get(AFTER) == str(int(each.version) - 1)]
        good.sort(key=lambda each: int(each.version), reverse=True)
        return [entry_of(each.tags[RECORD].encode(), f"{each.name} {each.version}", self._keys) for each in good]

    def _read(self, version: "ModelVersion", digest: str) -> _Row:
        released = version.tags.get(RELEASED) == "true"
        try:
            info = self._info(version, digest)
        except (ModelError, NotFound) as fault:
            what = f"{version.name} {version.version}: {fault.detail}; {fault.cure}"
            return _Row(version, digest, released, None, what)
        return _Row(version, digest, released, info)

    def _info(self, version: "ModelVersion", digest: str) -> ModelInfo:
        """What a version's card says, fetched once. Raises ModelError or NotFound for one that can't be used."""
        with self._lock:
            known = self._cards.get(digest)
        if known is None:
            with tempfile.TemporaryDirectory() as folder:
                card = self._download(version, f"{BUNDLE}/{PLACE['card']}", Path(folder)).read_bytes()
            known = info_of_card(card, digest, f"{version.name} {version.version}")
            if self._prefix + known.name != version.name:
                raise ModelError(f"its card is of {known.name}", "register the bundle again, under its own name")
            with self._lock:
                self._cards[digest] = known
        return known

    def _fetched(self, row: _Row, artifact: str, digest: str) -> Path:
        """A file of the cache that holds just the bytes of that digest."""
        kept = self._cache / digest / Path(artifact).name
        if kept.is_file() and sha256(kept) == digest:
            return kept
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            came = self._download(row.version, artifact, Path(folder))
            if (found := sha256(came)) != digest:
                raise ModelError(f"{artifact} came as {found[:12]}, not {digest[:12]}", "register it again")
            came.replace(kept)
        return kept

    def _download(self, version: "ModelVersion", artifact: str, folder: Path) -> Path:
        with self._server.told(f"{artifact} of {version.name} {version.version}"):
            return Path(self._server.client.download_artifacts(str(version.run_id), artifact, str(folder)))

    def _create(
        self, info: ModelInfo, path: Path, files: Mapping[str, Path], told: Mapping[str, str], candidate: bool
    ) -> None:
        """A run that holds the bundle, then the version, which is there when all that it names is."""
        client, name = self._server.client, self._prefix + info.name
        with self._server.told(f"the bundle {info.name}"), tempfile.TemporaryDirectory() as folder:
            where, run_id = self._run(info)
            _lay_out(Path(folder), info, path, run_id)
            client.log_artifacts(run_id, folder, BUNDLE)
            self._upload(run_id, files, told)
            for figure, value in figures(info.card).items():
                client.log_metric(run_id, figure, value)
            client.set_terminated(run_id)
            self._have_model(name, f"Reads {info.kind} in `{info.language}`.")
            tags = {DIGEST: info.digest, RELEASED: _flag(not candidate)} | {
                FILE + key: value for key, value in told.items()
            }
            at = f"{self._server.uri}/#/experiments/{where}/runs/{run_id}/artifacts/{FILES}"
            links = {key: f"{at}/{digest}/{key}" for key, digest in told.items()}
            client.create_model_version(
                name, f"runs:/{run_id}/{BUNDLE}", run_id, tags=tags, description=description(info, links),
                await_creation_for=0,
            )  # fmt: skip

    def _complete(self, row: _Row, files: Mapping[str, Path], told: Mapping[str, str], candidate: bool) -> None:
        """Add to a version what it does not have yet."""
        client, version = self._server.client, row.version
        new = {name: digest for name, digest in told.items() if row.files.get(name) != digest}
        with self._server.told(f"{version.name} {version.version}"):
            self._upload(str(version.run_id), {name: files[name] for name in new}, new)
            for name, digest in new.items():
                client.set_model_version_tag(version.name, version.version, FILE + name, digest)
            if not candidate and not row.released:
                client.set_model_version_tag(version.name, version.version, RELEASED, _flag(True))

    def _upload(self, run_id: str, files: Mapping[str, Path], told: Mapping[str, str]) -> None:
        for name, file in files.items():
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / name).write_bytes(file.read_bytes())
                self._server.client.log_artifacts(run_id, folder, f"{FILES}/{told[name]}")

    def _run(self, info: ModelInfo) -> tuple[str, str]:
        """A new run for a bundle: the id of its experiment, and its own."""
        client, experiment = self._server.client, self._prefix + EXPERIMENT
        held = client.get_experiment_by_name(experiment)
        where = client.create_experiment(experiment) if held is None else held.experiment_id
        tags = {DIGEST: info.digest, "lipsol.model": info.name, "lipsol.version": info.version}
        run = client.create_run(where, tags=tags, run_name=f"{info.name} {info.version} {info.digest[:12]}")
        return str(where), str(run.info.run_id)

    def _have_model(self, name: str, what: str) -> None:
        with suppress(BadInput), self._server.told(f"the model {name}"):  # it is there already
            self._server.client.create_registered_model(name, description=what)

    def _append(self, promotion: Promotion, version: "ModelVersion", last: int) -> bool:
        """Write the promotion behind the ledger's `last`; False if another came first, which makes this one void."""
        ledger = self._prefix + LEDGER
        self._have_model(ledger, KEEP)
        with self._server.told("the promotion"):
            made = self._server.client.create_model_version(
                ledger, str(version.source), version.run_id,
                tags={RECORD: promotion.to_json().decode(), AFTER: str(last)},
                description=promoted(promotion), await_creation_for=0,
            )  # fmt: skip
        return int(made.version) == last + 1

    def _crown(self, promotion: Promotion, version: "ModelVersion") -> None:
        """Show on the version's own page that it reads now. It counts already, whether that can be shown or not."""
        try:
            with self._server.told("the champion's alias"):
                client = self._server.client
                client.set_registered_model_alias(version.name, CHAMPION, version.version)
                client.set_model_version_tag(version.name, version.version, PROMOTED, promoted(promotion))
        except LipsolError as fault:
            log.warning("champion-not-shown", model=version.name, reason=fault.detail)


def _find(seen: _Seen, name_or_digest: str) -> ModelInfo:
    found = seen.named.find(name_or_digest)
    if found is None:
        held = (row.info for row in seen.rows if row.info is not None)
        found = next((info for info in held if matches(info, name_or_digest)), None)
    if found is None:
        raise seen.named.missing(name_or_digest)
    return found


def _row(seen: _Seen, digest: str) -> _Row | None:
    return next((row for row in seen.rows if row.digest == digest), None)


def _lay_out(folder: Path, info: ModelInfo, path: Path, run_id: str) -> None:
    """All that lies with a bundle at the server, under the names that MLflow's page knows."""
    members = Archive.read(path).members
    (folder / PLACE["model"]).write_bytes(path.read_bytes())
    (folder / PLACE["card"]).write_text(json.dumps(info.card, indent=1, ensure_ascii=False))
    (folder / PLACE["mlmodel"]).write_text(mlmodel(info, run_id, BUNDLE))
    if GOLDEN in members:
        (folder / PLACE["example"]).write_bytes(members[GOLDEN])


def _flag(value: bool) -> str:
    return "true" if value else "false"
