"""Which label of a question an answer means: answers keep the spelling of the day they were given on."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from functools import lru_cache

from backend.label_studio.controls.question import Label

# The category of zero-width blanks, byte order marks and soft hyphens.
_UNSEEN = "Cf"


def find_label(spelling: str, labels: tuple[Label, ...]) -> str | None:
    """The name of a label by its alias or value, if need be without regard to case, blanks and the like.

    None where there is none.
    """
    exact, folded = _ways(labels)
    return exact.get(spelling) or folded.get(_fold(spelling))


@lru_cache(maxsize=256)  # a config has up to some hundred questions
def _ways(labels: tuple[Label, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Name by spelling and by folded spelling; one that two labels share is none, unless it is a name."""
    ways = {(way, label.name) for label in labels for way in (label.name, label.title)}
    exact = _unshared(ways) | {label.name: label.name for label in labels}
    return exact, _unshared({(_fold(way), name) for way, name in ways})


def _unshared(pairs: set[tuple[str, str]]) -> dict[str, str]:
    names: dict[str, set[str]] = defaultdict(set)
    for way, name in pairs:
        names[way].add(name)
    return {way: found.pop() for way, found in names.items() if len(found) == 1}


def _fold(text: str) -> str:
    """Without regard to case, blanks, marks that nobody sees, and how Unicode writes the same letters."""
    letters = unicodedata.normalize("NFKC", text)
    seen = "".join(char for char in letters if unicodedata.category(char) != _UNSEEN)
    return unicodedata.normalize("NFKC", " ".join(seen.split()).casefold())
