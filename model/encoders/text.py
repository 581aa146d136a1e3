"""The text encoder: a frozen transformer from a local folder or a hub, mean-pooled to unit vectors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as hf_logging

from model.encoders import Progress
from model.encoders.folders import MAX_TOKENS, EncoderFolder, EncoderMissing, find_folder, unreadable
from model.records import Floats

CENTRE_FILE = "centre.safetensors"

# A product of a few rows, or a thread's share of it, takes other kernels, which round otherwise.
_FEWEST_ROWS = 12


class TextEncoder:
    """A frozen transformer that turns texts into unit vectors (float32).

    A text's vector is the same to the last bit whatever is encoded beside it (docs/decisions/0018): nothing
    is padded, so that all that the network is given of a text is its own.
    """

    def __init__(self, place: EncoderFolder, *, device: str, threads: int) -> None:
        """Load the network of a folder; raises EncoderMissing when it holds none.

        `threads` is torch's setting for the whole process: 1 survives a busy machine.
        """
        folder = place.path
        torch.set_num_threads(threads)
        self._device = torch.device(device)
        self._tokenizer: Any = _load(AutoTokenizer, folder)
        self._network: Any = _load(AutoModel, folder, use_safetensors=True, dtype=torch.float32)
        self._network.eval().to(self._device)
        self.dimensions = int(self._network.config.hidden_size)
        self.max_tokens = min(MAX_TOKENS, _longest_input(self._tokenizer, self._network))
        self._prefix = place.prefix
        self._centre = _centre(folder)
        self.revision = place.revision

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 64, progress: Progress | None = None
    ) -> Floats:
        """Unit vectors (n, d) in the order of the texts; no texts give (0, d).

        A text longer than MAX_TOKENS is cut. A batch holds texts of one number of tokens; the longest go
        first, so that a batch too large for the memory fails at once.
        """
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        if not texts:
            return vectors
        tokens = self._tokenizer(
            [self._prefix + text for text in texts],
            truncation=True,
            max_length=self.max_tokens,
            return_token_type_ids=False,
        )["input_ids"]
        for rows in _batches([len(of_text) for of_text in tokens], batch_size):
            vectors[rows] = self._embed([tokens[row] for row in rows])
            if progress is not None:
                progress(len(rows))
        return vectors

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Share of the pieces of all texts that stand for what is not in the vocabulary, 0 to 1."""
        tokens = self._tokenizer(
            list(texts), truncation=True, max_length=self.max_tokens, add_special_tokens=False
        )["input_ids"]
        pieces = [piece for of_text in tokens for piece in of_text]
        return pieces.count(self._tokenizer.unk_token_id) / max(1, len(pieces))

    @torch.inference_mode()
    def _embed(self, tokens: list[list[int]]) -> Floats:
        """Vectors (b, d) of texts of the same number of tokens."""
        wanted = math.ceil(_FEWEST_ROWS / len(tokens[0]))
        copies = [tokens[0]] * (wanted - len(tokens))  # of no use but to fill the batch
        batch = torch.tensor(tokens + copies, device=self._device)  # (b + copies, t)
        states = self._network(input_ids=batch, attention_mask=torch.ones_like(batch)).last_hidden_state
        vectors = torch.nn.functional.normalize(states.mean(1), dim=1)
        if self._centre is not None:
            vectors = torch.nn.functional.normalize(vectors - self._centre.to(self._device), dim=1)
        rows: Floats = vectors[: len(tokens)].cpu().numpy()
        return rows


def _batches(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Rows of one length each, at most `size` together, the longest first."""
    by_length: defaultdict[int, list[int]] = defaultdict(list)
    for row, length in enumerate(lengths):
        by_length[length].append(row)
    for length in sorted(by_length, reverse=True):
        rows = by_length[length]
        for start in range(0, len(rows), size):
            yield rows[start : start + size]


def load_text_encoder(
    name_or_folder: str | None = None, *, device: str = "cpu", threads: int = 1
) -> TextEncoder:
    """The text encoder of a folder or a hub name; without one, or of "english", all-MiniLM-L6-v2.

    "multilingual" is multilingual-e5-small, as it was written when installed. A folder is read without a
    network. Weights are read as safetensors only: other formats can run code.
    Raises EncoderMissing when there is nothing to load.
    """
    return TextEncoder(find_folder(name_or_folder), device=device, threads=threads)


def _load(kind: Any, folder: Path, **options: Any) -> Any:
    hf_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it would draw over the caller's own output
    try:
        return kind.from_pretrained(folder, local_files_only=True, **options)
    except (OSError, ValueError) as error:
        raise EncoderMissing(unreadable(folder, error)) from error


def _longest_input(tokenizer: Any, network: Any) -> int:
    """How many tokens the network can take; tokenizers that know no limit answer with a huge number."""
    positions = getattr(network.config, "max_position_embeddings", None) or MAX_TOKENS
    return int(min(tokenizer.model_max_length, positions))


def _centre(folder: Path) -> torch.Tensor | None:
    """The middle (d,) of a network's unit vectors, to be taken from each of them; most have none."""
    path = folder / CENTRE_FILE
    return load_file(path)["centre"] if path.is_file() else None
