"""Faults of known truth for synthetic texts: wrong labels, twins, paraphrases, off-topic and garbled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

WRONG_LABEL, OFF_TOPIC, GARBLED = "wrong label", "off-topic", "garbled"
EXACT_TWIN, NEAR_TWIN = "exact twin", "near twin"
HARMFUL = (WRONG_LABEL, OFF_TOPIC, GARBLED)
REDUNDANT = (EXACT_TWIN, NEAR_TWIN)
FAULTS = (*HARMFUL, *REDUNDANT)

_OPENINGS = (
    "hi, ",
    "hello, ",
    "please tell me: ",
    "i would like to know, ",
    "so, ",
    "quick question: ",
    "well, ",
)
_ENDINGS = (" thanks", " please", " right now", " if you can", " i think", ", you know")
_SWAPS = {
    "i": "we",
    "my": "the",
    "is": "was",
    "can": "could",
    "do": "did",
    "what": "which",
    "how": "in what way",
    "the": "this",
    "a": "one",
    "get": "obtain",
    "want": "need",
    "need": "want",
    "why": "for what reason",
    "and": "also",
    "not": "never",
    "to": "in order to",
}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_twin(text: str, rng: np.random.Generator) -> str:
    """The same words; only spaces, capitals and the last mark may differ."""
    way = rng.integers(4)
    if way == 0:
        return text
    if way == 1:
        return text.upper() if len(text) < 40 else text.capitalize()
    if way == 2:
        return "  ".join(text.split()) + " "
    return text.rstrip(" .?!") + "!"


def write_near_twin(text: str, rng: np.random.Generator) -> str:
    """A paraphrase: function words exchanged, a word dropped or moved, an opening or ending added."""
    words = [_SWAPS[w.lower()] if w.lower() in _SWAPS and rng.random() < 0.6 else w for w in text.split()]
    for _ in range(max(1, len(words) // 12)):
        if len(words) > 4 and rng.random() < 0.6:
            words.pop(int(rng.integers(len(words))))
        if len(words) > 3 and rng.random() < 0.6:
            place = int(rng.integers(len(words) - 1))
            words[place], words[place + 1] = words[place + 1], words[place]
    said = " ".join(words)
    way = rng.integers(3)
    if way == 0:
        return str(rng.choice(_OPENINGS)) + said
    return said.rstrip(".?!") + str(rng.choice(_ENDINGS)) if way == 1 else said


def garble(texts: Sequence[str], rng: np.random.Generator) -> str:
    """A text nobody could use: letters shuffled, keys struck at random, or words of several texts mixed."""
    words = texts[int(rng.integers(len(texts)))].split()
    way = rng.integers(3)
    if way == 0:
        return " ".join("".join(rng.permutation(list(word))) for word in rng.permutation(words))
    if way == 1:
        return " ".join("".join(rng.choice(list(_LETTERS), size=max(2, len(word)))) for word in words)
    others = [word for row in rng.integers(len(texts), size=4) for word in texts[row].split()]
    return " ".join(rng.permutation(words + others)[: max(4, len(words))])
