"""The reason of a verdict, in words that somebody who labels can check."""

from __future__ import annotations

from dataclasses import dataclass

from model.synthetic.fault_detector import KINDS
from model.synthetic.items import HARMFUL, HELPFUL, REDUNDANT, Verdict


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of one item: label, beliefs, the likeliest fault, its twin, why it no longer helps.

    Of an item with several labels `label` names them all, `doubt` is the sentence about what speaks against
    them, and `rare` names those that hardly any real item has. Of an item that shows pictures `twin_label` is
    the label of its twin, and `oddness` what is odd about them, as it follows "it is".
    """

    label: str
    support: float
    nearest_real: float
    likeliest_fault: str
    fault: float
    twin: int | None
    twin_is_real: bool
    twin_is_exact: bool
    contradicted: bool
    known_class: bool
    overtaken: str
    judged: bool
    of_its_manner: bool = False
    believed: str = ""
    belief: float = 0.0
    doubt: str = ""
    rare: str = ""
    shows_pictures: bool = False
    twin_label: str = ""
    oddness: str = ""


def explain(verdict: Verdict, subject: Subject) -> str:
    """One or two sentences: what speaks for the verdict, with its numbers."""
    if verdict == HARMFUL:
        return _fault(subject)
    if verdict == REDUNDANT:
        return _repeats(subject)
    if verdict == HELPFUL:
        return f"Sound: model and neighbours agree with {subject.label}; it repeats nothing.{_new(subject)}"
    if not subject.judged:
        return "Too few real labels to judge by."
    if subject.of_its_manner:
        return (
            f"Not sure: unlike every real item (closest cosine {subject.nearest_real:.2f}), as most of what "
            "its generator makes; no real label shows that this harms."
        )
    return f"Not sure: {subject.fault:.0%} likely to be faulty. {_fault(subject)}{_new(subject)}"


def _fault(subject: Subject) -> str:
    if subject.contradicted:
        other = f"another label: {subject.twin_label}" if subject.twin_label else "another label"
        return f"Real item {subject.twin} has the same content and {other}."
    if subject.likeliest_fault == KINDS[2]:
        return f"Off-topic: unlike every real item (closest cosine {subject.nearest_real:.2f})."
    if subject.likeliest_fault == KINDS[3]:
        return _garbled(subject)
    if subject.doubt:
        return subject.doubt
    belief = f"the model believes {subject.believed} ({subject.belief:.0%})"
    if subject.believed == subject.label:
        belief = f"the model is not sure of it ({subject.belief:.0%})"
    return (
        f"Wrong label? Intended {subject.label}; {belief}, "
        f"and {subject.support:.0%} of its neighbours have the intended label."
    )


def _repeats(subject: Subject) -> str:
    if subject.twin is None:
        return subject.overtaken
    side = "real" if subject.twin_is_real else "synthetic"
    label = f" ({subject.twin_label})" if subject.twin_label else ""
    if subject.shows_pictures:
        same = "The same picture as" if subject.twin_is_exact else "Nearly the same picture as"
    else:
        same = "The same as" if subject.twin_is_exact else "Says nearly the same as"
    return f"{same} {side} item {subject.twin}{label}."


def _garbled(subject: Subject) -> str:
    if not subject.shows_pictures:
        return "Garbled: its words or letters stand in an order that no other text has."
    if subject.oddness:
        return f"Garbled: its picture is unlike others, {subject.oddness} than they are."
    return "Garbled: its picture is unlike others in several ways."


def _new(subject: Subject) -> str:
    if subject.rare:
        return f" Hardly any real item is labelled {subject.rare} yet."
    return "" if subject.known_class else f" No real item is labelled {subject.label} yet."
