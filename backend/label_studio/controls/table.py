"""Every kind of control that is served."""

from __future__ import annotations

from lxml import etree

from backend.label_studio.controls.number import Number
from backend.label_studio.controls.pairwise import Pairwise
from backend.label_studio.controls.protocol import Control
from backend.label_studio.controls.rating import Rating
from backend.label_studio.controls.several_choices import SeveralChoices
from backend.label_studio.controls.single_choice import SingleChoice
from backend.label_studio.controls.taxonomy import Taxonomy

# The first that matches a tag takes it.
CONTROLS: tuple[Control, ...] = (
    Taxonomy(),
    SeveralChoices(),
    SingleChoice(),
    Rating(),
    Number(),
    Pairwise(),
)


def control_of(kind: str) -> Control:
    """The control of a kind of question. Raises KeyError for a kind that none of ours has."""
    return _BY_KIND[kind]


def matching_control(tag: etree._Element) -> Control | None:
    """The control that reads a tag; None where none of ours does."""
    return next((control for control in CONTROLS if control.matches(tag)), None)


_BY_KIND = {control.kind: control for control in CONTROLS}
