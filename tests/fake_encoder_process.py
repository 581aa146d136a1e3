"""The encoder's process with words for numbers: it starts at once, and fails as texts ask it to.

`python -m tests.fake_encoder_process SOCKET`; in the folder FAKE_ENCODER_FOLDER it notes what it did.
"""

import os
import time
from pathlib import Path

from backend.encoding import process
from model.encoders.hashing import HashingEncoder
from model.encoders.pixels import PixelsEncoder

FOLDER = Path(os.environ["FAKE_ENCODER_FOLDER"])


class Faulty:
    """Words as numbers, or what a text asks for."""

    def __init__(self, name):
        self._words = HashingEncoder(16)
        self.revision = f"{name}-{(FOLDER / 'revision').read_text() if (FOLDER / 'revision').exists() else 1}"
        self.dimensions = 16

    def encode(self, texts):
        note(f"encode {len(texts)}")
        if "die" in texts or ("die once" in texts and not (FOLDER / "died").exists()):
            (FOLDER / "died").touch()
            os._exit(7)
        if "no memory" in texts:
            raise MemoryError
        if "secret" in texts:
            raise RuntimeError("secret")
        if "slow" in texts:
            time.sleep(600.0)
        return self._words.encode(texts)


class Naming(PixelsEncoder):
    """Knows names as well."""

    def encode_names(self, names):
        return HashingEncoder(self.dimensions).encode(names)


class Networks:
    """Gives fakes; "missing" is not there."""

    def text(self, network):
        note("load")
        if network.name == "missing":
            raise ValueError("there is no such folder")
        return Faulty(network.name)

    def images(self, network):
        return Naming() if network.name == "naming" else PixelsEncoder()


def note(line):
    with (FOLDER / "notes").open("a") as file:
        file.write(f"{line}\n")


if __name__ == "__main__":
    note("start")
    process.NetworksHere = Networks
    process.main()
