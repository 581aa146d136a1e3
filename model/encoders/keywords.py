"""Keywords looked for in texts: whole words in a row, without regard to case and a simple plural."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import regex
from numpy.typing import NDArray

# Of scripts that put no space between words each sign is a word, so that a keyword is found inside a run.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\u30FC\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_WORD = regex.compile(rf"[{_UNSPACED}]\p{{M}}*|(?:(?![{_UNSPACED}])[\w\p{{M}}])+|\p{{S}}")
_SHORTEST_PLURAL = 4  # letters; of a shorter word the s is rarely a plural's


def find_keywords(texts: Sequence[str], keywords: Sequence[str]) -> NDArray[np.bool_]:
    """Which texts (n,) hold which keywords (k,), (n, k). One without a word or symbol is in no text."""
    wanted = [_spell(keyword) for keyword in keywords]
    found = np.zeros((len(texts), len(keywords)), dtype=np.bool_)
    for row, text in enumerate(texts):
        spelled = _spell(text)
        found[row] = [len(one) > 1 and one in spelled for one in wanted]
    return found


def _spell(text: str) -> str:
    """Words in the singular, with a blank before and behind each."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return f" {' '.join(map(_singular, words))} " if words else ""


def _singular(word: str) -> str:
    """An English word without the ending of its plural; both sides of a comparison lose it alike."""
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]
