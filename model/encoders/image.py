"""The image encoder: a frozen network that turns pictures into unit vectors (float32).

A picture's vector is the same to the last bit whatever is encoded beside it: a batch always has the same
number of pictures, blank ones where there are not enough, so that the same kernels are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer
from transformers.utils import logging as hf_logging

from model.encoders import EncodesNames as EncodesNames
from model.encoders import Progress
from model.encoders.image_folders import (
    WEIGHTS,
    ImageEncoderFolder,
    ImageEncoderMissing,
    find_image_folder,
    unreadable,
)
from model.encoders.lite0 import DEVIATION, DIMENSIONS, MEAN, features, shapes
from model.records import Floats

BATCH = 16
TOKENIZER: Final = "tokenizer.json"
# What the text half of such models saw most: Radford et al., 2021, section 3.1.4.
PROMPT: Final = "a photo of a {}."

# What reading a folder that is not as it should be raises.
_UNREADABLE = (OSError, ValueError, KeyError, RuntimeError, SafetensorError)

Pictures = Sequence[Image.Image]


class ImageEncoder(Protocol):
    """What turns pictures into vectors: the same picture and revision always give the same vector."""

    @property
    def revision(self) -> str:
        """`name@fingerprint`; vectors of different revisions never mix."""
        ...

    @property
    def dimensions(self) -> int:
        """Length d of every vector."""
        ...

    @property
    def side(self) -> int:
        """Pixels along each side of what the network is given: a picture need not be read larger."""
        ...

    def encode(self, pictures: Pictures, *, progress: Progress | None = None) -> Floats:
        """Unit vectors (n, d) in the order of the pictures (RGB); no pictures give (0, d)."""
        ...


class Lite0Encoder:
    """EfficientNet-Lite0; a picture is given whole, pressed into a square."""

    def __init__(self, place: ImageEncoderFolder, *, device: str, threads: int) -> None:
        """Loads the weights; raises ImageEncoderMissing where they cannot be read."""
        torch.set_num_threads(threads)
        self._device = torch.device(device)
        try:
            self._weights = load_file(place.path / WEIGHTS, device=device)
        except _UNREADABLE as error:
            raise ImageEncoderMissing(unreadable(place.path, error)) from error
        if {name: tuple(tensor.shape) for name, tensor in self._weights.items()} != shapes():
            raise ImageEncoderMissing(
                unreadable(place.path, "its tensors are not those of EfficientNet-Lite0")
            )
        self._mean = torch.tensor(MEAN, device=device)[:, None, None]
        self._deviation = torch.tensor(DEVIATION, device=device)[:, None, None]
        self.side = place.side
        self.dimensions = DIMENSIONS
        self.revision = place.revision

    def encode(self, pictures: Pictures, *, progress: Progress | None = None) -> Floats:
        """Unit vectors (n, 1280)."""
        return _in_batches(pictures, self._embed, self.dimensions, progress)

    @torch.inference_mode()
    def _embed(self, pictures: Pictures) -> Tensor:
        pixels = np.stack([_square(picture, self.side) for picture in pictures])
        batch = torch.from_numpy(pixels).to(self._device).permute(0, 3, 1, 2).float()
        # in place, so that no room is made for it three times more
        batch.div_(255.0).sub_(self._mean).div_(self._deviation)
        return features(batch, self._weights)


class TransformersEncoder:
    """A vision model of transformers, or the image half of a model of pictures and texts (CLIP, SigLIP)."""

    def __init__(self, place: ImageEncoderFolder, *, device: str, threads: int) -> None:
        """Loads network and preparation; raises ImageEncoderMissing where one cannot be read."""
        torch.set_num_threads(threads)
        self._device = torch.device(device)
        self._prepare: Any = _load(AutoImageProcessor, place)
        self._network, self._has_pooler = _load_network(place)
        self._network.eval().to(self._device)
        self.revision = place.revision
        self.side = _side(self._prepare)
        self.dimensions = int(self._embed([_blank()]).shape[1])

    def encode(self, pictures: Pictures, *, progress: Progress | None = None) -> Floats:
        """Unit vectors (n, d)."""
        return _in_batches(pictures, self._embed, self.dimensions, progress)

    @torch.inference_mode()
    def _embed(self, pictures: Pictures) -> Tensor:
        given = self._prepare(images=list(pictures), return_tensors="pt")
        pixels = given["pixel_values"].to(self._device)
        if hasattr(self._network, "get_image_features"):
            return _projected(self._network.get_image_features(pixel_values=pixels))
        return _pooled(self._network(pixel_values=pixels), has_pooler=self._has_pooler)


class NamingEncoder(TransformersEncoder):
    """A model of pictures and texts (CLIP, SigLIP), both halves."""

    def __init__(self, place: ImageEncoderFolder, *, device: str, threads: int) -> None:
        """Loads the pieces of words as well; raises ImageEncoderMissing where something cannot be read."""
        super().__init__(place, device=device, threads=threads)
        self._pieces: Any = _load(AutoTokenizer, place)
        self._longest = int(self._network.config.text_config.max_position_embeddings)

    @torch.inference_mode()
    def encode_names(self, names: Sequence[str]) -> Floats:
        """Unit vectors (n, d), each name read alone, in a sentence that says it is a photo."""
        vectors = np.zeros((len(names), self.dimensions), dtype=np.float32)
        for row, name in enumerate(names):
            given = self._pieces(
                [PROMPT.format(name)],
                padding="max_length",  # SigLIP learned so, and of CLIP nothing after the end counts
                truncation=True,
                max_length=self._longest,
                return_tensors="pt",
            ).to(self._device)
            found = _projected(self._network.get_text_features(**given))
            vectors[row] = torch.nn.functional.normalize(found, dim=1)[0].cpu().numpy()
        return vectors


def load_image_encoder(
    name_or_folder: str | None = None, *, device: str = "cpu", threads: int = 1
) -> ImageEncoder:
    """The image encoder of a folder or a hub name; without one EfficientNet-Lite0.

    One whose folder has a `tokenizer.json` as well satisfies `EncodesNames`. Weights are read as safetensors
    only: other formats can run code. Raises ImageEncoderMissing.
    """
    place = find_image_folder(name_or_folder)
    if place.is_lite0:
        return Lite0Encoder(place, device=device, threads=threads)
    kind = NamingEncoder if (place.path / TOKENIZER).is_file() else TransformersEncoder
    return kind(place, device=device, threads=threads)


def _in_batches(
    pictures: Pictures,
    embed: Callable[[Pictures], Tensor],
    dimensions: int,
    progress: Progress | None,
) -> Floats:
    vectors = np.zeros((len(pictures), dimensions), dtype=np.float32)
    for start in range(0, len(pictures), BATCH):
        batch = list(pictures[start : start + BATCH])
        padded = batch + [_blank()] * (BATCH - len(batch))
        found = torch.nn.functional.normalize(embed(padded), dim=1)
        vectors[start : start + len(batch)] = found[: len(batch)].cpu().numpy()
        if progress is not None:
            progress(len(batch))
    return vectors


def _square(picture: Image.Image, side: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC), dtype=np.uint8)


def _blank() -> Image.Image:
    return Image.new("RGB", (32, 32))


def _projected(found: Any) -> Tensor:
    """A half of a model of pictures and texts: the point in their common space."""
    vectors: Tensor = found if isinstance(found, Tensor) else found.pooler_output
    return vectors


def _pooled(output: Any, *, has_pooler: bool) -> Tensor:
    """What a network says of a whole picture: its own pooling, else the mean over all places."""
    found: Tensor | None = getattr(output, "pooler_output", None)
    if found is not None and has_pooler:
        return found.flatten(1)
    states: Tensor = output.last_hidden_state
    return states.mean(dim=1) if states.dim() == 3 else states.mean(dim=(2, 3))


def _load_network(place: ImageEncoderFolder) -> tuple[Any, bool]:
    """A network, and whether its pooling was learned: transformers draws at random what is not there.

    Raises ImageEncoderMissing where any other weight is missing.
    """
    network, told = _load(
        AutoModel, place, use_safetensors=True, dtype=torch.float32, output_loading_info=True
    )
    missing = [name for name in told["missing_keys"] if not name.startswith("pooler.")]
    if missing:
        raise ImageEncoderMissing(unreadable(place.path, f"it lacks weights, such as {min(missing)}"))
    return network, not told["missing_keys"]


def _load(kind: Any, place: ImageEncoderFolder, **options: Any) -> Any:
    hf_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it would draw over the caller's own output
    try:
        return kind.from_pretrained(place.path, local_files_only=True, trust_remote_code=False, **options)
    except _UNREADABLE as error:
        raise ImageEncoderMissing(unreadable(place.path, error)) from error


def _side(prepare: Any) -> int:
    sizes = [*dict(getattr(prepare, "crop_size", None) or {}).values()]
    sizes += [*dict(getattr(prepare, "size", None) or {}).values()]
    return max((int(size) for size in sizes if size), default=224)
