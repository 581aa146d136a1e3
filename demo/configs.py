"""Labeling configs of the demonstration, as one would write them by hand; numbers are the keys of choices."""

from __future__ import annotations

from collections.abc import Iterable

from demo.project import FROM_NAME


def write_choices(labels: Iterable[str]) -> str:
    """A choice for each label; its key is its place, from 1."""
    return "".join(f'<Choice value="{label}" hotkey="{key}"/>' for key, label in enumerate(labels, start=1))


def write_one_choice(shown: str, *, to_name: str, style: str, labels: Iterable[str], message: str) -> str:
    """A config that shows an object, `to_name` in the tag `shown`, and one choice below it.

    `message` is what Label Studio says to somebody who submits without one.
    """
    return (
        f"<View><Style>{style}</Style>{shown}"
        f'<Choices name="{FROM_NAME}" toName="{to_name}" choice="single" required="true" showInline="true" '
        f'requiredMessage="{message}">{write_choices(labels)}</Choices></View>'
    )
