"""Tensors in a file that notices when its content, or a text beside it, is not what was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

_METADATA, _DIGEST = "__metadata__", "sha256"
_LENGTH_BYTES = 8  # of the header, at the beginning of every safetensors file


def seal(tensors: Mapping[str, NDArray[Any]], *, beside: str = "") -> bytes:
    """A safetensors file with the SHA-256 of its (contiguous) tensors and of a text kept `beside` it."""
    return save_tensors(dict(tensors), metadata={_DIGEST: _digest(tensors, beside)})


def unseal(content: bytes, *, beside: str = "") -> dict[str, NDArray[Any]]:
    """The tensors of a file; one without a digest, as releases of old wrote it, is taken as it is.

    Raises ValueError when tensors or text are others than those that were sealed, SafetensorError when the
    file is cut.
    """
    tensors = dict(load_tensors(content))
    said = _said(content)
    if said is not None and said != _digest(tensors, beside):
        raise ValueError("the content is not what was written")
    return tensors


def _said(content: bytes) -> object:
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    header = json.loads(content[_LENGTH_BYTES:end])
    return header.get(_METADATA, {}).get(_DIGEST)


def _digest(tensors: Mapping[str, NDArray[Any]], beside: str) -> str:
    digest = hashlib.sha256(beside.encode())
    for name in sorted(tensors):
        values = tensors[name]
        digest.update(f"\0{name} {values.dtype} {values.shape}\0".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
