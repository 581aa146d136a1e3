"""Proposes a name for a group of items by what each says in words: those that tell it from all others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_WORDS = 2
_LEAST_SHARE = 0.12  # of the texts of a group that must hold a word for it to be part of the name
_LEAST_TEXTS = 2
_STEM = 5  # letters by which two forms of one word are told: a name says nothing twice
_RARE = 0.003  # share elsewhere below which rarer is no better: a signature is no topic


def name_groups(groups: Sequence[Sequence[str]], others: Sequence[str]) -> list[str]:
    """One short name per group of texts, from its most distinguishing words; `others` are all other texts.

    Class-based TF-IDF (Grootendorst, 2022): how often a word is in the texts of the group, times the
    logarithm of how rare it is elsewhere. Words that weigh alike stand as they do in the texts. The same
    texts give the same names; no two groups share one. Empty where no word tells a group from the rest.
    """
    # takes a while to import, which those who only read names need not pay
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    everything = [text for group in groups for text in group] + list(others)
    counter = CountVectorizer(
        binary=True, stop_words=sorted(ENGLISH_STOP_WORDS), token_pattern=r"(?u)\b[^\W\d_]{3,}\b"
    )
    try:
        present = counter.fit_transform(everything)
    except ValueError:  # no word at all
        return [""] * len(groups)
    words = counter.get_feature_names_out()
    total = np.asarray(present.sum(axis=0)).ravel()
    names, start = [], 0
    for place, group in enumerate(groups):
        inside = np.asarray(present[start : start + len(group)].sum(axis=0)).ravel()
        start += len(group)
        share = inside / max(len(group), 1)
        rest = (total - inside + 0.5) / (len(everything) - len(group) + 1.0) + _RARE
        is_common = (share >= _LEAST_SHARE) & (inside >= min(_LEAST_TEXTS, len(group)))
        weight = np.where(is_common, share * np.log(np.maximum(share / rest, 1.0)), 0.0)
        name = " ".join(_first_words(words, weight, group))
        names.append(f"{name} {place + 1}" if name and name in names else name)
    return names


def number_group(number: int) -> str:
    """What a group is called that no word tells from the rest."""
    return f"group {number}"


def is_number(name: str, number: int) -> bool:
    """Whether a group is called by its number alone."""
    return name == number_group(number)


def _first_words(words: NDArray[np.object_], weight: NDArray[np.float64], texts: Sequence[str]) -> list[str]:
    """The words (n,) that weigh most, of each stem the first."""
    chosen: dict[str, int] = {}
    for row in np.lexsort((words, -weight)):
        if weight[row] <= 0 or len(chosen) == MOST_WORDS:
            break
        chosen.setdefault(words[row][:_STEM], int(row))
    read = " ".join(texts).lower()
    rows = sorted(chosen.values(), key=lambda row: (-weight[row], read.find(str(words[row]))))
    return [words[row] for row in rows]
