"""Model versions as folders: complete before they are visible, and never changed afterwards.

RegistryError
├── VersionMissing   there is no such version
├── VersionBroken    there is something, but it is not a whole version
└── VersionExists    a version of that name was written before
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict
from dataclasses import dataclass as plain_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from safetensors import SafetensorError

from model.encoders.tfidf import TfidfEncoder
from model.heads.single_label import LinearHead
from model.heads.trained import Metrics
from model.records import LabelSpace, Representation
from model.sealed_tensors import seal, unseal
from model.task_type import Tensors

HEAD_FILE = "head.safetensors"
MANIFEST_FILE = "manifest.json"
RECORD_FILE = "record.safetensors"
WORDS_FOLDER = "words"  # beside the versions, which share what is in it

_TEMPORARY = ".writing-"
_WORDS_REVISION = "tfidf@"
_WORDS_CACHED = 4  # up to 11 MB each
_ABANDONED_AFTER_S = 600.0  # a version takes well under a second to write
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


class RegistryError(ValueError):
    """Something is wrong with a stored model version."""


class VersionMissing(RegistryError):
    """There is no such version."""


class VersionBroken(RegistryError):
    """A version's folder is incomplete or was not written by this registry."""


class VersionExists(RegistryError):
    """A version is never written twice."""


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
class QuestionEntry:
    """A question whose head stands beside the first one: its name in the config, its kind, its columns."""

    name: str
    kind: str
    classes: tuple[str, ...]
    metrics: Metrics


# What a version goes by: answers, the names of labels alone, or nothing, so that it says nothing.
VersionKind: TypeAlias = Literal["trained", "label-names", "untaught"]


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
class Manifest:
    """Where a version came from: enough to repeat it and to explain each of its numbers.

    `kind` is what it goes by, `classes` and `metrics` are those of the project's first question. That one has
    the first head if it is a single choice; every other question stands among `questions`.
    """

    version: str
    kind: VersionKind
    classes: tuple[str, ...]
    encoder: str
    seed: int
    data_fingerprint: str
    audit_threshold: float
    metrics: Metrics
    strategy: str
    created_at: str
    code_version: str
    representation: Representation = "encoder"  # what the head takes; versions of old did not say
    words: str | None = None  # revision of the TF-IDF encoder that it needs
    questions: tuple[QuestionEntry, ...] = ()

    @model_validator(mode="after")
    def _has_words_where_needed(self) -> Manifest:
        if (self.words is not None) != (self.representation != "encoder"):
            raise ValueError("words must be given if and only if the head needs them")
        return self

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a manifest; raises ValueError on no JSON and on fields missing, unknown or of a wrong type."""
        try:
            return _MANIFEST.validate_json(text)
        except ValidationError as error:
            faults = (f"{'.'.join(map(str, one['loc']))} {one['msg']}".strip() for one in error.errors())
            raise ValueError(f"manifest: {'; '.join(faults)}") from error

    def to_json(self) -> str:
        """The manifest as indented JSON, in a fixed order."""
        found = {name: value for name, value in asdict(self).items() if name != "questions" or value}
        return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


_MANIFEST = TypeAdapter(Manifest)


@plain_dataclass(frozen=True, slots=True, eq=False)
class StoredQuestion:
    """The head of a question as it was written: what `Learner.load` of its kind makes a head of."""

    entry: QuestionEntry
    tensors: Tensors


class ModelRegistry:
    """Folders `root/project/version/` with a head and a manifest. Safe to read from many processes."""

    def __init__(self, root: Path, *, cached: int = 16) -> None:
        """Keep versions under `root`, which need not exist yet, and the last `cached` ones in memory."""
        self._root = root
        self._read = lru_cache(maxsize=cached)(_read_version)
        self._read_words = lru_cache(maxsize=_WORDS_CACHED)(_read_words)

    def save(
        self,
        project: str,
        version: str,
        head: LinearHead | None,
        manifest: Manifest,
        *,
        questions: Sequence[Tensors] = (),
        record: bytes | None = None,
    ) -> None:
        """Write a version aside, then make it visible in one step: a kill leaves a whole version or none.

        `head` is None where the first question is no single choice. `questions` are the heads of those that
        the manifest names, in their order. `record` is kept beside as it is: what the version was made from.
        Raises VersionExists when it was written before, ValueError when the manifest is of something else.
        """
        has_classes = head is None or manifest.classes == head.space.names
        if manifest.version != version or not has_classes or len(questions) != len(manifest.questions):
            raise ValueError(f"save: the manifest of {manifest.version!r} does not describe {version!r}")
        target = self._folder(project, version)
        if target.exists():
            raise _exists(project, version)
        self.sweep(project)
        aside = target.parent / f"{_TEMPORARY}{version}-{uuid.uuid4().hex}"
        aside.mkdir(parents=True)
        try:
            text = manifest.to_json()
            _write(aside / HEAD_FILE, _pack(head, questions, text))
            _write(aside / MANIFEST_FILE, text.encode())
            if record is not None:
                _write(aside / RECORD_FILE, record)
            _sync_folder(aside)
            _rename_new(aside, target, project, version)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        _sync_folder(target.parent)

    def load(self, project: str, version: str) -> tuple[LinearHead | None, Manifest]:
        """The head of a version's first question and its manifest; raises VersionMissing or VersionBroken.

        The head is None where that question is no single choice. A version whose words cannot be read is
        broken too.
        """
        stored = self._load(project, version)
        return stored.head, stored.manifest

    def load_questions(self, project: str, version: str) -> tuple[StoredQuestion, ...]:
        """The heads of all other questions of a version; raises as `load` does."""
        return self._load(project, version).questions

    def _load(self, project: str, version: str) -> _Stored:
        folder = self._folder(project, version)
        if not folder.is_dir():
            raise VersionMissing(
                f"Model version {version!r} of project {project!r} does not exist under {self._root}. "
                "List the versions there are, or train again."
            )
        # A version never changes, but a store can be damaged, or begun again under the same names.
        stored = self._read(folder, _stamp(folder, MANIFEST_FILE), _stamp(folder, HEAD_FILE))
        words = stored.manifest.words
        if words is not None and self.load_words(project, words) is None:
            raise _broken(folder, f"the words {words!r} are missing or cannot be read")
        return stored

    def load_record(self, project: str, version: str) -> bytes | None:
        """What a version was made from, as it was given to save; None when there is none."""
        path = self._folder(project, version) / RECORD_FILE
        return path.read_bytes() if path.is_file() else None

    def save_words(self, project: str, words: TfidfEncoder, *, keep: Collection[str] = ()) -> list[str]:
        """Keep a TF-IDF encoder under its revision, in place of those that no version needs.

        Those that `keep` names stay too. Returns the revisions that were kept before.
        """
        path = self._words_path(project, words.revision)
        path.parent.mkdir(parents=True, exist_ok=True)
        before = [_WORDS_REVISION + other.stem for other in path.parent.glob("*.safetensors")]
        aside = path.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        try:
            _write(aside, words.to_bytes())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        _sync_folder(path.parent)
        for revision in set(before) - self._needed_words(project) - {words.revision, *keep}:
            self._words_path(project, revision).unlink(missing_ok=True)
        return before

    def load_words(self, project: str, revision: str) -> TfidfEncoder | None:
        """A TF-IDF encoder by its revision; None when it is not kept or cannot be read."""
        path = self._words_path(project, revision)
        try:
            stamp = path.stat()
            return self._read_words(path, stamp.st_mtime_ns, stamp.st_ino)
        except (OSError, ValueError, KeyError, SafetensorError):
            return None

    def versions(self, project: str) -> list[str]:
        """Names of the complete versions of a project, ascending; none for an unknown project."""
        folder = self._folder(project)
        if not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if _is_complete(path))

    def folders(self, project: str) -> list[str]:
        """Names of the versions of a project, ascending, with those that have lost files."""
        folder = self._folder(project)
        if not folder.is_dir():
            return []
        there = (path.name for path in folder.iterdir() if path.is_dir() and path.name != WORDS_FOLDER)
        return sorted(name for name in there if not name.startswith("."))

    def sweep(self, project: str, *, older_than_s: float = _ABANDONED_AFTER_S) -> int:
        """Remove what killed writers left behind; returns how many folders. Younger ones may be at work."""
        folder = self._folder(project)
        limit, swept = time.time() - older_than_s, 0
        for path in folder.glob(f"{_TEMPORARY}*") if folder.is_dir() else ():
            if path.stat().st_mtime <= limit:
                shutil.rmtree(path, ignore_errors=True)
                swept += 1
        return swept

    def _needed_words(self, project: str) -> set[str | None]:
        needed: set[str | None] = set()
        for version in self.versions(project):
            try:
                needed.add(_read_manifest(self._folder(project, version)).words)
            except (OSError, ValueError):
                continue  # a version that cannot be read needs nothing
        return needed

    def _words_path(self, project: str, revision: str) -> Path:
        folder = self._folder(project, WORDS_FOLDER)
        name = revision.removeprefix(_WORDS_REVISION)
        if not _NAME.fullmatch(name):
            raise ValueError(f"{revision!r} is no revision of words")
        return folder / f"{name}.safetensors"

    def _folder(self, *names: str) -> Path:
        for name in names:
            if not _NAME.fullmatch(name):
                raise RegistryError(
                    f"{name!r} is no name for a folder: use letters, digits, '.', '_' and '-'"
                )
        return self._root.joinpath(*names)


def _read_manifest(folder: Path) -> Manifest:
    return Manifest.from_json(_manifest_text(folder))


def _manifest_text(folder: Path) -> str:
    return (folder / MANIFEST_FILE).read_bytes().decode("utf-8")


def _read_words(path: Path, _mtime: int, _inode: int) -> TfidfEncoder:
    words = TfidfEncoder.from_bytes(path.read_bytes())
    if words.revision.removeprefix(_WORDS_REVISION) != path.stem:
        raise ValueError(f"{path} holds the words {words.revision!r}")
    return words


def _stamp(folder: Path, name: str) -> tuple[int, int, int]:
    """What changes when a file is written anew; raises VersionBroken when there is none."""
    try:
        found = (folder / name).stat()
    except OSError as error:
        raise _broken(folder, f"it has no {name}") from error
    return found.st_mtime_ns, found.st_ino, found.st_size


@plain_dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    head: LinearHead | None
    questions: tuple[StoredQuestion, ...]
    manifest: Manifest


def _read_version(folder: Path, *_stamps: tuple[int, int, int]) -> _Stored:
    try:
        text = _manifest_text(folder)
        manifest = Manifest.from_json(text)
        tensors = unseal((folder / HEAD_FILE).read_bytes(), beside=text)
        head, questions = _unpack(tensors, manifest), _unpack_questions(tensors, manifest)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise _broken(folder, f"{type(error).__name__}: {error}") from error
    if manifest.version != folder.name:
        raise _broken(folder, f"its manifest is of version {manifest.version!r}")
    return _Stored(head, questions, manifest)


def _pack(head: LinearHead | None, questions: Sequence[Tensors], manifest: str) -> bytes:
    """The heads' file, which also tells whether the manifest beside it is the one it was written with."""
    tensors: dict[str, NDArray[Any]] = {}
    if head is not None:
        temperature = np.array([head.temperature], dtype=np.float64)
        weights, bias = np.ascontiguousarray(head.weights), np.ascontiguousarray(head.bias)
        tensors |= {"weights": weights, "bias": bias, "temperature": temperature}
    for number, found in enumerate(questions):
        tensors |= {f"{number}.{name}": np.ascontiguousarray(values) for name, values in found.items()}
    return seal(tensors, beside=manifest)


def _unpack(tensors: Tensors, manifest: Manifest) -> LinearHead | None:
    # A first question that is no single choice has no head here, and none at all before its first label.
    if not {"weights", "bias", "temperature"} & tensors.keys():
        return None
    if tensors["weights"].dtype != np.float32 or tensors["bias"].dtype != np.float32:
        raise ValueError("weights and bias must be float32")
    temperature, space = float(tensors["temperature"].item()), LabelSpace(manifest.classes)
    return LinearHead(tensors["weights"], tensors["bias"], temperature, space)


def _unpack_questions(tensors: Tensors, manifest: Manifest) -> tuple[StoredQuestion, ...]:
    found = []
    for number, entry in enumerate(manifest.questions):
        start = f"{number}."
        mine = {name.removeprefix(start): row for name, row in tensors.items() if name.startswith(start)}
        if not mine:
            raise ValueError(f"the head of the question {number + 1} is missing")
        found.append(StoredQuestion(entry, mine))
    return tuple(found)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A rename is only safe from a power cut once the folder itself is on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _rename_new(aside: Path, target: Path, project: str, version: str) -> None:
    try:
        aside.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # another writer was faster
            raise _exists(project, version) from error
        raise


def _is_complete(folder: Path) -> bool:
    if folder.name.startswith("."):
        return False
    return (folder / MANIFEST_FILE).is_file() and (folder / HEAD_FILE).is_file()


def _exists(project: str, version: str) -> VersionExists:
    return VersionExists(
        f"Model version {version!r} of project {project!r} exists already and is never changed. "
        "Use the next number."
    )


def _broken(folder: Path, why: str) -> VersionBroken:
    return VersionBroken(
        f"Model version {folder.name!r} in {folder.parent} cannot be read ({why}). "
        "Move this folder away and train again, or roll back to another version."
    )
