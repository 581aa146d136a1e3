"""The pictures of tasks as the model judges them: what tells the same ones, and what they look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.store.pictures import KeptLook
from backend.workflows.project.workspace import Workspace
from model.encoders.looks import Look, look_at, unpack
from model.synthetic.pictures import Pictures, gather_pictures

# Pictures whose look is worked out before it is kept.
_TOGETHER = 256


def read_looks(workspace: Workspace, task_ids: Sequence[int]) -> Pictures | None:
    """The pictures of some tasks in their order; None where the project shows none.

    What was read before looks were kept, or by another version, is looked at again in the small picture that
    is kept of it, and kept: nothing is fetched. A task counts as one without pictures where one of its
    pictures was not read.
    """
    if workspace.joined is None:
        return None
    kept = workspace.pictures.looks(task_ids)
    looks = _looks_of(workspace, [one for shown in kept.values() for one in shown])
    shown = [_whole(kept.get(task_id, ()), looks) for task_id in task_ids]
    contents = [
        " ".join(one.content_hash for one in kept[task_id]) if found else ""
        for task_id, found in zip(task_ids, shown, strict=True)
    ]
    return gather_pictures(contents, shown)


def _whole(shown: Sequence[KeptLook], looks: Mapping[str, Look]) -> list[Look]:
    """The looks of all pictures of a task; none where one is missing."""
    found = [looks[one.address_hash] for one in shown if one.address_hash in looks]
    return found if len(found) == len(shown) else []


def _looks_of(workspace: Workspace, kept: Sequence[KeptLook]) -> dict[str, Look]:
    """Looks by the hash of the address."""
    found: dict[str, Look] = {}
    new: dict[str, bytes] = {}
    for one in kept:
        look = unpack(one.look)
        if look is None and (small := workspace.pictures.small(one.address_hash)) is not None:
            look = look_at(small)
            new[one.address_hash] = look.pack()
        if look is not None:
            found[one.address_hash] = look
        if len(new) >= _TOGETHER:
            workspace.pictures.keep_looks(new)
            new = {}
    workspace.pictures.keep_looks(new)
    return found
