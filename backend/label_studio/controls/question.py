"""One question of a labeling config: what it asks, about what, and when it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from backend.label_studio.objects.protocol import Template

SINGLE_CHOICE = "single choice"


@dataclass(frozen=True, slots=True)
class Label:
    """A class: `name` is what results carry (the alias where there is one), `title` what people read.

    `hint` is what its maker says of it beside: keywords or a description; empty where nothing is said.
    """

    name: str
    title: str
    hint: str = ""


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
    `attributes` are those of the tag, as they are written. `parts`: what the question is about, each apart,
    where that is not all that a task shows.
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
    attributes: tuple[tuple[str, str], ...] = ()
    parts: tuple[Template, ...] = ()

    def attribute(self, name: str) -> str:
        """An attribute of the tag in whatever case it is written; empty when it is missing."""
        return next((value for key, value in self.attributes if key.lower() == name.lower()), "")
