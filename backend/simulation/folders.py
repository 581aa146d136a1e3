"""A folder of folders, one for each class, read as rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backend.errors import BadRequest
from backend.simulation.files import DataFile, Row, read_file
from backend.simulation.left_out import some

_SPLITS = {"train": "train", "training": "train", "test": "test"} | dict.fromkeys(
    ("val", "valid", "validation", "dev"), "val"
)
_SOURCES = ("real", "synthetic")
_SHAPE = "It needs a folder for each class, with its pictures inside: cats/1.png, dogs/1.png."


@dataclass(slots=True)
class _Passed:
    """What is not read, by name: files beside the folders, folders inside them, empty folders."""

    strays: list[str] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def sentences(self) -> Iterator[str]:
        """One for each kind."""
        for found, what in (
            (self.strays, "Files beside the folders of classes are not read"),
            (self.nested, "Folders inside those of classes are not read"),
            (self.empty, "Folders without a file"),
        ):
            if found:
                yield f"{what}: {len(found):,} ({some(found)})."


def read_data(path: Path) -> DataFile:
    """The rows of a file, or of a folder of folders; raises NotFound without it, BadRequest without rows."""
    return read_folder(path) if path.is_dir() else read_file(path)


def read_folder(path: Path) -> DataFile:
    """A row for each file of each class; what it is is told by its content, later.

    Where all folders are called train, test and val, or real and synthetic, these hold the folders of the
    classes, and say the split or the source. Hidden files are passed over. Raises BadRequest without a file.
    """
    passed = _Passed()
    rows = list(_find_rows(path, passed))
    if not rows:
        raise BadRequest(f"{path.name} holds no folder with files.", hint=_SHAPE)
    classes = len({row.fields["label"] for row in rows})
    told = f"A folder of classes: {len(rows):,} files in {classes:,} classes."
    return DataFile(path.name, tuple(rows), (told, *passed.sentences()), folder=path)


def _find_rows(root: Path, passed: _Passed) -> Iterator[Row]:
    folders = _folders(root)
    passed.strays += [file.name for file in _files(root)]
    names = [folder.name.lower() for folder in folders]
    if names and all(name in _SPLITS for name in names):
        for folder, name in zip(folders, names, strict=True):
            yield from _of_classes(root, folder, passed, {"split": _SPLITS[name]})
    elif names and all(name in _SOURCES for name in names):
        for folder, name in zip(folders, names, strict=True):
            yield from _of_classes(root, folder, passed, {"source": name})
    else:
        yield from _of_classes(root, root, passed, {})


def _of_classes(root: Path, parent: Path, passed: _Passed, said: dict[str, str]) -> Iterator[Row]:
    if parent is not root:
        passed.strays += [str(file.relative_to(root)) for file in _files(parent)]
    for folder in _folders(parent):
        files = _files(folder)
        passed.nested += [str(inner.relative_to(root)) for inner in _folders(folder)]
        passed.empty += [] if files else [str(folder.relative_to(root))]
        for file in files:
            where = file.relative_to(root).as_posix()
            yield Row(where, {"id": where, "image": where, "label": folder.name} | said)


def _folders(parent: Path) -> list[Path]:
    return sorted(one for one in parent.iterdir() if one.is_dir() and not one.name.startswith("."))


def _files(parent: Path) -> list[Path]:
    return sorted(one for one in parent.iterdir() if one.is_file() and not one.name.startswith("."))
