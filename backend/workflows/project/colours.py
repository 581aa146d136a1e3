"""Which class has which colour: a number that a class keeps for good, whatever comes after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backend.workflows.project.workspace import Workspace


def number_classes(known: Mapping[str, int], names: Iterable[str]) -> dict[str, int]:
    """The numbers of all classes, from 0; names without one get the next in their order.

    Numbers are never given twice, so a class that comes back finds its own.
    """
    numbers = dict(known)
    for name in names:
        if name not in numbers:
            numbers[name] = max(numbers.values(), default=-1) + 1
    return numbers


def keep_colours(workspace: Workspace, names: Iterable[str]) -> None:
    """Gives a number to each of the labels of a config, and to labels of answers that it does not have."""
    known = workspace.state.colours
    numbers = number_classes(known, [*names, *workspace.tasks.labels()])
    if numbers != known:
        workspace.change(colours=numbers)
