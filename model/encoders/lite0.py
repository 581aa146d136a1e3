"""EfficientNet-Lite0 (Tan and Le, 2019; Liu, 2020) up to its pooled features, as plain convolutions.

Every batch normalisation is folded into the convolution before it when the weights are written, so that a
layer is a weight and a bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

DIMENSIONS: Final = 1280
MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)

# Blocks of a stage, side of the depthwise kernel, stride of the first, expansion, channels out.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM = 32


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted bottleneck: channels in, wide and out, side of its kernel, stride."""

    name: str
    narrow: int
    wide: int
    out: int
    kernel: int
    stride: int

    @property
    def is_added(self) -> bool:
        """Whether its input is added to its output."""
        return self.stride == 1 and self.narrow == self.out


def blocks() -> Iterator[Block]:
    """All blocks, the first one first."""
    narrow, number = _STEM, 0
    for count, kernel, stride, expansion, out in _STAGES:
        for at in range(count):
            yield Block(f"blocks.{number}", narrow, narrow * expansion, out, kernel, stride if at == 0 else 1)
            narrow, number = out, number + 1


def shapes() -> dict[str, tuple[int, ...]]:
    """The shape of every tensor, by name."""
    found: dict[str, tuple[int, ...]] = {"stem.weight": (_STEM, 3, 3, 3), "stem.bias": (_STEM,)}
    last = _STEM
    for block in blocks():
        if block.wide != block.narrow:
            found |= _layer(f"{block.name}.expand", (block.wide, block.narrow, 1, 1))
        found |= _layer(f"{block.name}.depthwise", (block.wide, 1, block.kernel, block.kernel))
        found |= _layer(f"{block.name}.project", (block.out, block.wide, 1, 1))
        last = block.out
    return found | _layer("head", (DIMENSIONS, last, 1, 1))


def features(pictures: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Pooled features (n, 1280) of normalised pictures (n, 3, height, width)."""
    maps = _relu6(_convolve(pictures, weights, "stem", stride=2))
    for block in blocks():
        maps = _apply(block, maps, weights)
    return _relu6(_convolve(maps, weights, "head")).mean(dim=(2, 3))


def _apply(block: Block, maps: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    inside = maps
    if block.wide != block.narrow:
        inside = _relu6(_convolve(inside, weights, f"{block.name}.expand"))
    depthwise = f"{block.name}.depthwise"
    inside = _relu6(_convolve(inside, weights, depthwise, stride=block.stride, groups=block.wide))
    inside = _convolve(inside, weights, f"{block.name}.project")
    return inside + maps if block.is_added else inside


def _convolve(
    maps: Tensor, weights: Mapping[str, Tensor], name: str, *, stride: int = 1, groups: int = 1
) -> Tensor:
    """A convolution padded as TensorFlow does it: at the right and at the bottom first."""
    weight = weights[f"{name}.weight"]
    sides = [_padding(size, weight.shape[-1], stride) for size in (maps.shape[3], maps.shape[2])]
    padded = functional.pad(maps, [*sides[0], *sides[1]]) if any(map(any, sides)) else maps
    return functional.conv2d(padded, weight, weights[f"{name}.bias"], stride=stride, groups=groups)


def _padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return missing // 2, missing - missing // 2


def _relu6(maps: Tensor) -> Tensor:
    return torch.clamp(maps, 0.0, 6.0)


def _layer(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
