"""`required="true"` on the question we answer: without it, whoever unticks the choice submits nothing."""

from __future__ import annotations

from lxml import etree

from backend.label_studio.config_xml import attribute, is_true, parse_xml, tags
from backend.label_studio.label_config import LabelConfig

_REQUIRED = "required"


def is_required(xml: str, config: LabelConfig) -> bool:
    """Whether Label Studio refuses an annotation that leaves our question out."""
    _root, control = _find(xml, config.from_name)
    return control is not None and is_true(control, _REQUIRED)


def require_answer(xml: str, config: LabelConfig) -> str | None:
    """The same config with our question required; None when it is, or when the question cannot be found."""
    root, control = _find(xml, config.from_name)
    if control is None or is_true(control, _REQUIRED):
        return None
    _drop(control)
    control.set(_REQUIRED, "true")
    return etree.tostring(root, encoding="unicode")


def free_answer(xml: str, name: str) -> str | None:
    """The same config with the control of this name not required; None when it is not, or not there."""
    root, control = _find(xml, name)
    if control is None or not attribute(control, _REQUIRED):
        return None
    _drop(control)
    return etree.tostring(root, encoding="unicode")


def _find(xml: str, name: str) -> tuple[etree._Element, etree._Element | None]:
    root = parse_xml(xml, keep_comments=True)
    return root, next((tag for tag in tags(root) if attribute(tag, "name") == name), None)


def _drop(control: etree._Element) -> None:
    for name in [name for name in control.attrib if str(name).lower() == _REQUIRED]:
        del control.attrib[name]
