"""Encoding on a Ray cluster: its nodes do the arithmetic, a worker of ours claims batches and keeps vectors.

Each node must have this release and the encoder. Ray tells its processes what to do by pickles, so a cluster
is for those alone who may run code on it: see docs/decisions/0052-encoding-as-jobs.md.
"""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from backend.encoding import TextNetwork
from backend.encoding.here import NetworksHere
from backend.errors import EncoderUnavailable
from backend.settings import Settings
from model.encoders import Encoder
from model.encoders.table import ENCODERS
from model.records import Floats

# Texts of one call; a node that dies loses no more, and the call is made again elsewhere.
_TOGETHER: Final = 64
_RETRIES: Final = 10
# So often whoever waits is told that the work goes on.
_PATIENCE_S: Final = 2.0
_REACH_S: Final = 5.0


def is_installed() -> bool:
    """Whether Ray is there; it is an optional extra."""
    return importlib.util.find_spec("ray") is not None


class RayCluster:
    """A cluster at an address, which is connected to when the first texts are sent."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()

    def encoder(self, name: str | None, revision: str) -> RayEncoder:
        """An encoder whose arithmetic is the cluster's; `revision` is what each node must have."""
        settings = self._settings
        wanted = settings.text_encoder if name is None else name
        network = TextNetwork(wanted, settings.device, settings.torch_threads, settings.text_pieces)
        return RayEncoder(self, network, revision)

    def submit(self, network: TextNetwork, revision: str, texts: Sequence[str]) -> Any:
        """A reference of the vectors (n, d) to come. Raises EncoderUnavailable."""
        ray = self._connected()
        kind = {"num_cpus": network.threads} if network.device == "cpu" else {"num_gpus": 1}
        return (
            ray.remote(_encode).options(max_retries=_RETRIES, **kind).remote(network, revision, list(texts))
        )

    def wait(self, reference: Any, tell: Callable[[], None]) -> Floats:
        """The vectors of a reference; `tell` is called while they are awaited. Raises EncoderUnavailable."""
        ray = self._connected()
        try:
            while not ray.wait([reference], timeout=_PATIENCE_S)[0]:
                tell()
            vectors: Floats = ray.get(reference)
        except ray.exceptions.RayTaskError as error:  # what a node raised
            raise _unavailable(error) from None
        except (ray.exceptions.RayError, ConnectionError) as error:
            self._forget()
            raise _unavailable(error) from None
        return vectors

    def _connected(self) -> Any:
        import ray  # an extra, and slow to import

        with self._lock:
            if not ray.is_initialized():
                try:
                    _reach(self._settings.ray_address)
                    ray.init(address=self._settings.ray_address, log_to_driver=False, logging_level="ERROR")
                except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
                    raise _unavailable(error) from None
        return ray

    def _forget(self) -> None:
        """Ends the connection, so that the next texts make a new one."""
        import ray

        with self._lock:
            ray.shutdown()


@dataclass(frozen=True, slots=True)
class RayEncoder:
    """The encoder of a revision, as nodes of a cluster have it: the same vectors to the last bit."""

    cluster: RayCluster
    network: TextNetwork
    revision: str

    @property
    def dimensions(self) -> int:
        """Length d of every vector."""
        return int(self.encode([]).shape[1])

    def encode(
        self,
        texts: Sequence[str],
        *,
        batch_size: int = _TOGETHER,
        progress: Callable[[int], None] | None = None,
    ) -> Floats:
        """Unit vectors (n, d) in the order of the texts; no texts give (0, d). Raises EncoderUnavailable."""
        tell = progress or (lambda _count: None)
        parts = [texts[start : start + batch_size] for start in range(0, max(len(texts), 1), batch_size)]
        references = [self.cluster.submit(self.network, self.revision, part) for part in parts]
        vectors = []
        for part, reference in zip(parts, references, strict=True):
            vectors.append(self.cluster.wait(reference, lambda: tell(0)))
            tell(len(part))
        joined: Floats = np.concatenate(vectors)
        return joined


def _reach(address: str) -> None:
    """Raises OSError where nobody listens at HOST:PORT: Ray would ask for minutes."""
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if separator and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_REACH_S).close()


def _encode(network: TextNetwork, revision: str, texts: Sequence[str]) -> Floats:
    """Runs on a node."""
    encoder = _load(network)
    if encoder.revision != revision:
        raise ValueError(f"this node has {encoder.revision}, and {revision} is asked for")
    return encoder.encode(texts)


@cache
def _load(network: TextNetwork) -> Encoder:
    return ENCODERS[network.name]() if network.name in ENCODERS else NetworksHere().text(network)


def _unavailable(error: Exception) -> EncoderUnavailable:
    return EncoderUnavailable(
        f"The Ray cluster does not encode now ({type(error).__name__}).",
        hint="Is it running, is RAY_ADDRESS right, and has each node this release and the encoder?",
    )
