"""Vectors of sets of pictures as the loop makes them: network and pixels of each, joined, and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.image_sets import ImageSet, fingerprint, kept_vectors
from model.encoders.image import load_image_encoder
from model.encoders.joined import JoinedEncoder, Layout
from model.records import Floats
from model.representations.with_pixels import with_pixels


def image_encoder() -> JoinedEncoder:
    """The encoder of a project whose tasks show one picture and nothing else."""
    return JoinedEncoder(None, with_pixels(load_image_encoder()), Layout(False, ("image",)))


def joined_vectors(pictures: ImageSet, folder: Path, encoder: JoinedEncoder) -> Floats:
    """Unit vectors (n, d) of the pictures of a set; kept under `folder`, so that they are made once."""
    name = f"{pictures.name}-{fingerprint(pictures)}-{encoder.revision}".replace(" ", "-")
    return kept_vectors(folder / "vectors" / f"{name}.npy", lambda: _encode(pictures, encoder))


def _encode(pictures: ImageSet, encoder: JoinedEncoder) -> Floats:
    vectors = encoder.image.encode(pictures.pictures)
    return np.stack([encoder.join(None, [vector[None, :]]) for vector in vectors])
