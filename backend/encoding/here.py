"""Networks in this process: for commands, the worker, and the process that encodes for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.encoding import ImageNetwork, TextNetwork
from model.encoders import Encoder

if TYPE_CHECKING:  # its network library is only for those who load a network
    from model.encoders.image import ImageEncoder


class NetworksHere:
    """Loads networks into this process, torch with the first."""

    def text(self, network: TextNetwork) -> Encoder:
        """An encoder of texts; raises OSError or ValueError."""
        from model.encoders.text import load_text_encoder

        return load_text_encoder(
            network.name, device=network.device, threads=network.threads, pieces=network.pieces
        )

    def images(self, network: ImageNetwork) -> ImageEncoder:
        """An encoder of pictures and their pixels; raises OSError or ValueError."""
        from model.encoders.image import load_image_encoder
        from model.representations.with_pixels import with_pixels

        return with_pixels(load_image_encoder(network.name, device=network.device, threads=network.threads))
