"""The text encoder: a frozen transformer from a local folder or a hub, mean-pooled to unit vectors.

A text longer than the network reads at once is read in pieces; its vector is their mean.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as hf_logging

from model.encoders import Progress
from model.encoders.folders import MAX_TOKENS, EncoderFolder, EncoderMissing, find_folder, unreadable
from model.encoders.halves import in_halves
from model.encoders.pieces import cut
from model.records import Floats

CENTRE_FILE = "centre.safetensors"

# A product of a few rows, or a thread's share of it, takes other kernels, which round otherwise.
_FEWEST_ROWS = 12


@dataclass(frozen=True, slots=True)
class _Places:
    """Tokens of a whole text: its own from `first` to `last`, and of these start and end of each piece."""

    tokens: list[int]
    first: int
    last: int
    ends: list[tuple[int, int]]


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
        self.pieces = place.pieces
        self._prefix = place.prefix
        self._centre = _centre(folder)
        self.revision = place.revision
        self.one_piece_revision = place.one_piece_revision

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 64, progress: Progress | None = None
    ) -> Floats:
        """Unit vectors (n, d) in the order of the texts; no texts give (0, d).

        A text longer than `max_tokens` is read in `pieces` of so many at most; what is left then is not read.
        A batch holds pieces of one number of tokens; the longest go first. One too large for the memory is
        done in halves, with the same vectors.
        """
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        by_text = self._read(texts)
        tokens = [piece for of_text in by_text for piece in of_text]
        owners = [row for row, of_text in enumerate(by_text) for _ in of_text]
        left = Counter(owners)
        vectors = np.zeros((len(tokens), self.dimensions), dtype=np.float32)
        for rows in _batches([len(piece) for piece in tokens], batch_size):
            vectors[rows] = in_halves(self._embed, [tokens[row] for row in rows])
            left.subtract(owners[row] for row in rows)
            finished = {owners[row] for row in rows if not left[owners[row]]}
            if progress is not None and finished:
                progress(len(finished))
        return _join(vectors, by_text)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as the network would be given it whole, with those that the encoder adds."""
        if not texts:
            return []
        tokens = self._tokenizer([self._prefix + text for text in texts], verbose=False)["input_ids"]
        return [len(of_text) for of_text in tokens]

    def reads_at_once(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text is one piece: its vector is that of `one_piece_revision`, to the last bit."""
        return [count <= self.max_tokens for count in self.count_tokens(texts)]

    def count_cut(self, texts: Sequence[str]) -> int:
        """How many texts are longer than what is read of them."""
        long = [text for text, is_whole in zip(texts, self.reads_at_once(texts), strict=True) if not is_whole]
        if self.pieces == 1:
            return len(long)
        places = map(self._places, long)
        return sum(place.ends[-1][1] < place.last - place.first for place in places)

    def _read(self, texts: Sequence[str]) -> list[list[list[int]]]:
        """The pieces of each text as the tokens that the network is given; at least one of each."""
        if not texts:
            return []
        starts = self._tokenizer(
            [self._prefix + text for text in texts],
            truncation=True,
            max_length=self.max_tokens,
            return_token_type_ids=False,
        )["input_ids"]
        if self.pieces == 1:
            return [[start] for start in starts]
        # one that is shorter than the network reads is whole
        full = [row for row, start in enumerate(starts) if len(start) == self.max_tokens]
        long = zip(full, self.reads_at_once([texts[row] for row in full]), strict=True)
        cuts = {row: self._cut(texts[row]) for row, is_whole in long if not is_whole}
        return [cuts.get(row, [start]) for row, start in enumerate(starts)]

    def _cut(self, text: str) -> list[list[int]]:
        """The pieces of a text, each with the encoder's prefix and special tokens around it."""
        place = self._places(text)
        before, after = place.tokens[: place.first], place.tokens[place.last :]
        own = place.tokens[place.first : place.last]
        return [before + own[start:end] + after for start, end in place.ends]

    def _places(self, text: str) -> _Places:
        whole = self._prefix + text
        read = self._tokenizer(
            whole, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False
        )
        tokens, offsets, added = read["input_ids"], read["offset_mapping"], read["special_tokens_mask"]
        last = len(tokens) - added[::-1].index(0)
        ahead = len(self._prefix.rstrip())
        first = next(row for row in range(last) if not added[row] and offsets[row][1] > ahead)
        around = first + len(tokens) - last
        ends = cut(whole, offsets[first:last], size=self.max_tokens - around, pieces=self.pieces)
        return _Places(tokens, first, last, ends)

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Share of the pieces of all texts that stand for what is not in the vocabulary, 0 to 1."""
        if not texts:
            return 0.0
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


def _join(vectors: Floats, by_text: Sequence[Sequence[Sequence[int]]]) -> Floats:
    """One unit vector (n, d) a text of those of its pieces in order: their mean, weighted by tokens."""
    joined = np.zeros((len(by_text), vectors.shape[1]), dtype=np.float32)
    start = 0
    for row, pieces in enumerate(by_text):
        own = vectors[start : start + len(pieces)]
        start += len(pieces)
        if len(pieces) == 1:
            joined[row] = own[0]
            continue
        weights = np.array([len(piece) for piece in pieces], dtype=np.float64)
        mean = (weights[:, None] * own).sum(0)
        joined[row] = mean / np.linalg.norm(mean)
    return joined


def load_text_encoder(
    name_or_folder: str | None = None, *, device: str = "cpu", threads: int = 1, pieces: int = 1
) -> TextEncoder:
    """The text encoder of a folder or a hub name; without one, or of "english", all-MiniLM-L6-v2.

    "multilingual" is multilingual-e5-small, as it was written when installed. A folder is read without a
    network. Weights are read as safetensors only: other formats can run code. Of a text `pieces` of
    MAX_TOKENS each are read.
    Raises EncoderMissing when there is nothing to load.
    """
    return TextEncoder(find_folder(name_or_folder, pieces=pieces), device=device, threads=threads)


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
