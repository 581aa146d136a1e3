"""`required="true"` on the question we answer: without it, whoever unticks the choice submits nothing."""

from __future__ import annotations

from lxml import etree

from backend.label_studio.label_config import LabelConfig

_REQUIRED = "required"


def is_required(xml: str, config: LabelConfig) -> bool:
    """Whether Label Studio refuses an annotation that leaves our question out."""
    _root, control = _find(xml, config.from_name)
    return control is not None and str(control.get(_REQUIRED, "")).lower() == "true"


def require_answer(xml: str, config: LabelConfig) -> str | None:
    """The same config with our question required; None when it is, or when the question cannot be found."""
    root, control = _find(xml, config.from_name)
    if control is None or is_required(xml, config):
        return None
    control.set(_REQUIRED, "true")
    return etree.tostring(root, encoding="unicode")


def free_answer(xml: str, name: str) -> str | None:
    """The same config with the control of this name not required; None when it is not, or not there."""
    root, control = _find(xml, name)
    if control is None or control.get(_REQUIRED) is None:
        return None
    del control.attrib[_REQUIRED]
    return etree.tostring(root, encoding="unicode")


def _find(xml: str, name: str) -> tuple[etree._Element, etree._Element | None]:
    root = etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    controls = (tag for tag in root.iter() if isinstance(tag.tag, str) and tag.get("name") == name)
    return root, next(controls, None)
