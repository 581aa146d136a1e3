"""Model versions as folders: complete before they are visible, and never changed afterwards.

The manifest of a version has the SHA-256 of every file beside it; versions of old have none and are read as
they are.

RegistryError
├── VersionMissing   there is no such version
├── VersionBroken    there is something, but it is not a whole version
└── VersionExists    a version of that name was written before
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from dataclasses import dataclass as plain_dataclass
from functools import lru_cache
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
from model.stores import MANIFEST_FILE, FileDamaged, FolderTaken, ModelStore, Stamp, StoreUnreachable
from model.task_type import Tensors

HEAD_FILE = "head.safetensors"
RECORD_FILE = "record.safetensors"
WORDS_FOLDER = "words"  # beside the versions, which share what is in it

_WORDS_REVISION = "tfidf@"
_WORDS_CACHED = 4  # up to 11 MB each
_ABANDONED_AFTER_S = 600.0  # a version takes well under a second to write
_SUFFIX = ".safetensors"
_HASHES = "files"  # of the manifest's file, by name
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
        return _dump(found)


_MANIFEST = TypeAdapter(Manifest)


@plain_dataclass(frozen=True, slots=True, eq=False)
class StoredQuestion:
    """The head of a question as it was written: what `Learner.load` of its kind makes a head of."""

    entry: QuestionEntry
    tensors: Tensors


class ModelRegistry:
    """Folders `project/version/` of a store, with a head and a manifest. Safe to read from many processes."""

    def __init__(self, store: ModelStore, *, cached: int = 16) -> None:
        """Keep versions in a store, and the last `cached` ones in memory."""
        self._store = store
        self._read = lru_cache(maxsize=cached)(self._read_version)
        self._read_words = lru_cache(maxsize=_WORDS_CACHED)(self._read_words_file)

    @property
    def store(self) -> ModelStore:
        """Where the versions are."""
        return self._store

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
        """Write a version so that others see all of it or nothing: a kill leaves a whole version or none.

        `head` is None where the first question is no single choice. `questions` are the heads of those that
        the manifest names, in their order. `record` is kept beside as it is: what the version was made from.
        Raises VersionExists when it was written before, ValueError when the manifest is of something else.
        """
        has_classes = head is None or manifest.classes == head.space.names
        if manifest.version != version or not has_classes or len(questions) != len(manifest.questions):
            raise ValueError(f"save: the manifest of {manifest.version!r} does not describe {version!r}")
        _require_names(project, version)
        self.sweep(project)
        text = manifest.to_json()
        files = {HEAD_FILE: _pack(head, questions, text)}
        if record is not None:
            files[RECORD_FILE] = record
        try:
            self._store.publish(project, version, files | {MANIFEST_FILE: _with_hashes(text, files)})
        except FolderTaken as error:
            raise _exists(project, version) from error

    def load(self, project: str, version: str) -> tuple[LinearHead | None, Manifest]:
        """The head of a version's first question and its manifest; raises VersionMissing or VersionBroken.

        The head is None where that question is no single choice. A version whose words cannot be read is
        broken too. Raises StoreUnreachable where nobody can tell now.
        """
        stored = self._load(project, version)
        return stored.head, stored.manifest

    def load_questions(self, project: str, version: str) -> tuple[StoredQuestion, ...]:
        """The heads of all other questions of a version; raises as `load` does."""
        return self._load(project, version).questions

    def _load(self, project: str, version: str) -> _Stored:
        _require_names(project, version)
        stamps = self._store.look(project, version, (MANIFEST_FILE, HEAD_FILE))
        if stamps is None:
            raise VersionMissing(
                f"Model version {version!r} of project {project!r} does not exist under {self._store.place}. "
                "List the versions there are, or train again."
            )
        for name in (MANIFEST_FILE, HEAD_FILE):
            if name not in stamps:
                raise self._broken(project, version, f"it has no {name}")
        # A version never changes, but a store can be damaged, or begun again under the same names.
        stored = self._read(project, version, stamps[MANIFEST_FILE], stamps[HEAD_FILE])
        words = stored.manifest.words
        if words is not None and self.load_words(project, words) is None:
            raise self._broken(project, version, f"the words {words!r} are missing or cannot be read")
        return stored

    def load_record(self, project: str, version: str) -> bytes | None:
        """What a version was made from, as it was given to save; None when there is none.

        Raises VersionBroken where it is not what the manifest says.
        """
        _require_names(project, version)
        try:
            sha256 = _split(self._manifest_text(project, version))[1].get(RECORD_FILE)
        except (FileNotFoundError, ValueError, RecursionError):
            sha256 = None  # nothing is known of it
        try:
            return self._store.read(project, version, RECORD_FILE, sha256=sha256)
        except FileNotFoundError:
            return None
        except FileDamaged as error:
            raise self._broken(project, version, str(error)) from error

    def save_words(self, project: str, words: TfidfEncoder, *, keep: Collection[str] = ()) -> list[str]:
        """Keep a TF-IDF encoder under its revision, in place of those that no version needs.

        Those that `keep` names stay too. Returns the revisions that were kept before.
        """
        name = _words_file(words.revision)
        _require_names(project)
        there = self._store.folders(project).get(WORDS_FOLDER, frozenset())
        before = [_WORDS_REVISION + file.removesuffix(_SUFFIX) for file in there if file.endswith(_SUFFIX)]
        self._store.replace(project, WORDS_FOLDER, name, words.to_bytes())
        for revision in set(before) - self._needed_words(project) - {words.revision, *keep}:
            self._store.remove(project, WORDS_FOLDER, _words_file(revision))
        return before

    def load_words(self, project: str, revision: str) -> TfidfEncoder | None:
        """A TF-IDF encoder by its revision; None when it is not kept or cannot be read."""
        name = _words_file(revision)
        _require_names(project)
        try:
            stamps = self._store.look(project, WORDS_FOLDER, [name]) or {}
            return self._read_words(project, name, stamps[name])
        except StoreUnreachable:
            raise
        except (OSError, ValueError, KeyError, SafetensorError):
            return None

    def versions(self, project: str) -> list[str]:
        """Names of the complete versions of a project, ascending; none for an unknown project."""
        return [name for name, files in self._folders(project) if {MANIFEST_FILE, HEAD_FILE} <= files]

    def folders(self, project: str) -> list[str]:
        """Names of the versions of a project, ascending, with those that have lost files."""
        return [name for name, _files in self._folders(project)]

    def taken(self, project: str) -> set[str]:
        """Names that no new version can have: those of `folders`, and of versions that are being written."""
        return {*self.folders(project), *self._store.claimed(project)}

    def sweep(self, project: str, *, older_than_s: float = _ABANDONED_AFTER_S) -> int:
        """Remove what killed writers left behind; returns how many folders. Younger ones may be at work."""
        _require_names(project)
        return self._store.sweep(project, older_than_s=older_than_s)

    def _folders(self, project: str) -> list[tuple[str, frozenset[str]]]:
        _require_names(project)
        return sorted(item for item in self._store.folders(project).items() if item[0] != WORDS_FOLDER)

    def _needed_words(self, project: str) -> set[str | None]:
        needed: set[str | None] = set()
        for version in self.versions(project):
            try:
                needed.add(Manifest.from_json(_split(self._manifest_text(project, version))[0]).words)
            except StoreUnreachable:
                raise
            except (OSError, ValueError, RecursionError):
                continue  # a version that cannot be read needs nothing
        return needed

    def _manifest_text(self, project: str, version: str) -> str:
        return self._store.read(project, version, MANIFEST_FILE).decode("utf-8")

    def _read_words_file(self, project: str, name: str, _stamp: Stamp) -> TfidfEncoder:
        words = TfidfEncoder.from_bytes(self._store.read(project, WORDS_FOLDER, name))
        if _words_file(words.revision) != name:
            raise ValueError(f"{name} holds the words {words.revision!r}")
        return words

    def _read_version(self, project: str, version: str, *_stamps: Stamp) -> _Stored:
        try:
            text, hashes = _split(self._manifest_text(project, version))
            manifest = Manifest.from_json(text)
            content = self._store.read(project, version, HEAD_FILE, sha256=hashes.get(HEAD_FILE))
            tensors = unseal(content, beside=text)
            head, questions = _unpack(tensors, manifest), _unpack_questions(tensors, manifest)
        except StoreUnreachable:
            raise
        except (OSError, ValueError, KeyError, RecursionError, SafetensorError) as error:
            raise self._broken(project, version, f"{type(error).__name__}: {error}") from error
        if manifest.version != version:
            raise self._broken(project, version, f"its manifest is of version {manifest.version!r}")
        return _Stored(head, questions, manifest)

    def _broken(self, project: str, version: str, why: str) -> VersionBroken:
        return VersionBroken(
            f"Model version {version!r} in {self._store.place.rstrip('/')}/{project} cannot be read ({why}). "
            "Move this folder away and train again, or roll back to another version."
        )


def _require_names(*names: str) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise RegistryError(f"{name!r} is no name for a folder: use letters, digits, '.', '_' and '-'")


def _words_file(revision: str) -> str:
    name = revision.removeprefix(_WORDS_REVISION)
    if not _NAME.fullmatch(name):
        raise ValueError(f"{revision!r} is no revision of words")
    return name + _SUFFIX


def _with_hashes(text: str, files: Mapping[str, bytes]) -> bytes:
    """The manifest's file: what the head was sealed with, and the SHA-256 of every file beside it."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return _dump(json.loads(text) | {_HASHES: hashes}).encode()


def _split(text: str) -> tuple[str, dict[str, str]]:
    """What the head was sealed with, and the hashes by file; none in versions of old, taken as they are."""
    content = json.loads(text)
    if not isinstance(content, dict) or _HASHES not in content:
        return text, {}
    hashes = content.pop(_HASHES)
    if not isinstance(hashes, dict) or not {HEAD_FILE} <= hashes.keys():
        raise ValueError(f"manifest: {_HASHES} names no {HEAD_FILE}")
    return _dump(content), hashes


def _dump(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@plain_dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    head: LinearHead | None
    questions: tuple[StoredQuestion, ...]
    manifest: Manifest


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


def _exists(project: str, version: str) -> VersionExists:
    return VersionExists(
        f"Model version {version!r} of project {project!r} exists already and is never changed. "
        "Use the next number."
    )
