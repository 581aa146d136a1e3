"""One question of a labeling config: what it asks, about what, and when it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from backend.label_studio.objects.protocol import Template

SINGLE_CHOICE = "single choice"


@dataclass(frozen=True, slots=True)
class Label:
    """A class: `name` is what results carry (the alias where there is one), `title` what people read."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Question:
    """One control. `obstacle` says why it cannot be answered; empty where it can.

    `kind`: the kind of question, empty where none of ours matches. `is_conditional`: the control, or a view
    around it, is shown only under a condition. `to_name` is the object that results name, `to_names` are all
    that the control stands on. `parts`: what the question is about, each apart, where that is not all that
    a task shows.
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
    parts: tuple[Template, ...] = ()
