"""All that is known of synthetic items before the verdict, and the verdict that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.records import Floats, Ids
from model.synthetic.duplicates import Twins
from model.synthetic.fault_detector import KINDS, OFF_TOPIC
from model.synthetic.items import HARMFUL, HELPFUL, REDUNDANT, UNSURE, JudgedItem, Verdict
from model.synthetic.reasons import Subject, explain
from model.synthetic.valuation import Valuation

WRONGLY_HARMFUL = 0.04  # expected share of sound items among those called harmful
CONTRADICTED = 0.97  # probability of a fault where a real item of the same words has another label


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """All that is known of the s synthetic items before the verdict; twins are rows of real + synthetic.

    `overtaken` says why an item that is sound does no good any more; empty where it does. `of_its_manner`:
    the item is unlike the real ones as most of what its generator makes, and nothing shows that this harms.
    """

    valuation: Valuation
    twin: NDArray[np.intp]
    exact: NDArray[np.bool_]
    same_class: NDArray[np.bool_]
    twin_is_real: NDArray[np.bool_]
    known_class: NDArray[np.bool_]
    overtaken: tuple[str, ...]
    of_its_manner: NDArray[np.bool_]

    @property
    def likeliest_fault(self) -> NDArray[np.intp]:
        """The fault that each item has if it has one, as a column of KINDS."""
        return np.asarray(self.valuation.kinds[:, 1:].argmax(axis=1) + 1, dtype=np.intp)

    @property
    def contradicted(self) -> NDArray[np.bool_]:
        """Items that repeat a real item word for word, under another label."""
        return (self.twin >= 0) & self.exact & self.twin_is_real & ~self.same_class


def combine(
    valuation: Valuation,
    twins: Twins,
    classes: NDArray[np.intp],
    *,
    known: NDArray[np.bool_],
) -> Findings:
    """Findings about the last s of `classes` (r + s,), whose twins were looked for among all of them.

    Items of one class carry the same answer. `known` (s,): a real item outside the audit has it too.
    """
    first = len(classes) - len(known)
    twin = twins.of[first:]
    findings = Findings(
        valuation,
        twin,
        twins.exact[first:],
        classes[twin] == classes[first:],
        (twin >= 0) & (twin < first),
        known,
        ("",) * len(known),
        np.zeros(len(known), dtype=np.bool_),
    )
    return replace(findings, valuation=_contradict(valuation, findings.contradicted))


def decide(findings: Findings) -> tuple[Verdict, ...]:
    """Harmful before redundant before helpful; what no rule settles is not sure."""
    valuation = findings.valuation
    harmful = _call_harmful(valuation.value) & (valuation.high < 0)
    # Far from all real items is where a new class must be, and another manner: that alone is no fault.
    may_be_far = ~findings.known_class | findings.of_its_manner
    harmful &= ~may_be_far | (findings.likeliest_fault != KINDS.index(OFF_TOPIC))
    redundant = (findings.twin >= 0) & findings.same_class
    redundant |= (valuation.value > 0) & np.array([why != "" for why in findings.overtaken])
    chosen = np.select([harmful, redundant, valuation.low > 0], [HARMFUL, REDUNDANT, HELPFUL], UNSURE)
    return tuple(chosen.tolist())


def describe(findings: Findings, ids: Ids, labels: Sequence[str], shows: NDArray[np.bool_]) -> list[Subject]:
    """What is known of each of the s synthetic items but what the model believes of its label.

    `ids` (r + s,) and `labels` (r + s,), in words, are of all items, the real ones first; `shows` (s,) says
    which were judged by pictures.
    """
    valuation, contradicted, fault = findings.valuation, findings.contradicted, findings.likeliest_fault
    first = len(labels) - len(shows)
    return [
        Subject(
            label=labels[first + row],
            support=float(valuation.support[row]),
            nearest_real=float(valuation.nearest_real[row]),
            likeliest_fault=KINDS[fault[row]],
            fault=float((1.0 - valuation.value[row]) / 2.0),
            twin=int(ids[twin]) if twin >= 0 else None,
            twin_is_real=bool(findings.twin_is_real[row]),
            twin_is_exact=bool(findings.exact[row]),
            contradicted=bool(contradicted[row]),
            known_class=bool(findings.known_class[row]),
            overtaken=findings.overtaken[row],
            of_its_manner=bool(findings.of_its_manner[row]),
            judged=valuation.judged,
            shows_pictures=bool(shows[row]),
            twin_label=labels[twin] if shows[row] and twin >= 0 else "",
            oddness=valuation.oddness[row],
        )
        for row, twin in enumerate(findings.twin.tolist())
    ]


def write_items(
    ids: Ids, findings: Findings, subjects: Sequence[Subject], *, realism: Floats, order: Floats
) -> tuple[JudgedItem, ...]:
    """The verdicts on items `ids` (s,), each with its reason; `realism` and `order` are (s,)."""
    verdicts, valuation = decide(findings), findings.valuation
    return tuple(
        JudgedItem(
            id=int(ids[row]),
            verdict=verdicts[row],
            value=float(valuation.value[row]),
            low=float(valuation.low[row]),
            high=float(valuation.high[row]),
            realism=float(realism[row]),
            duplicate_of=subject.twin,
            reason=explain(verdicts[row], subject),
            review_order=float(order[row]),
        )
        for row, subject in enumerate(subjects)
    )


def _contradict(valuation: Valuation, contradicted: NDArray[np.bool_]) -> Valuation:
    """Values no higher than those of an item whose label a person has contradicted."""
    most = np.float32(1.0 - 2.0 * CONTRADICTED)
    value = np.where(contradicted, np.minimum(valuation.value, most), valuation.value)
    return replace(
        valuation,
        value=value,
        low=np.minimum(valuation.low, value),
        high=np.where(contradicted, np.minimum(np.maximum(valuation.high, value), most), valuation.high),
    )


def _call_harmful(value: Floats) -> NDArray[np.bool_]:
    """The largest set of lowest values among which at most 4 % are expected to be sound.

    A Bayesian false discovery rate (Newton et al., 2004).
    """
    sound = (1.0 + value.astype(np.float64)) / 2.0
    order = np.argsort(sound, kind="stable")
    expected = np.cumsum(sound[order]) / np.arange(1, len(sound) + 1)
    called = np.zeros(len(sound), dtype=np.bool_)
    called[order[: int((expected <= WRONGLY_HARMFUL).sum())]] = True
    return called & (value < 0)
