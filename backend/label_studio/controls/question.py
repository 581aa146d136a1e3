"""One question of a labeling config: what it asks, about what, and when it is shown."""

from __future__ import annotations

from dataclasses import dataclass

SINGLE_CHOICE = "single choice"


@dataclass(frozen=True, slots=True)
class Label:
    """A class: `name` is what results carry (the alias where there is one), `title` what people read."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What lets a control be shown.

    `when`: "choice-selected", "choice-unselected", "region-selected" or "no-region-selected". `question`: the
    one in which the choice is; empty: any. `values`: the choices that count, by alias or value; None: any.
    """

    when: str
    question: str = ""
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One control. `obstacle` says why it cannot be answered; empty where it can.

    `kind`: the kind of question, empty where none of ours matches. `is_conditional`: the control, or a view
    around it, is shown only under a condition. `to_name` is the object that results name, `to_names` are all
    that the control stands on. `conditions`: those of the control and of all views around it; all must hold.
    `empty` is what it says to leave it empty: () for "none of them", None for nothing.
    """

    name: str
    tag: str
    to_name: str
    labels: tuple[Label, ...]
    is_conditional: bool
    is_required: bool
    obstacle: str
    kind: str = ""
    to_names: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    empty: tuple[str, ...] | None = None
