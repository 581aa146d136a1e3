"""Tasks that are most like another one, or like a sentence, by the vectors that are stored already."""

from __future__ import annotations

import numpy as np

from backend.errors import BadRequest, NotFound
from backend.label_studio.shown_noun import PICTURE
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.stored import answering
from model.records import Floats

MOST_FOUND = 200
_LONGEST_QUERY = 2000
# Read at a time, so that a large project does not lie in memory as a whole.
_ROWS = 4096


def like_task(workspace: Workspace, task_id: int, *, count: int) -> list[int]:
    """The tasks most like one, the likest first, itself in front; answered ones among them.

    Needs no encoder. Raises NotFound, BadRequest.
    """
    key = workspace.tasks.read_hash(task_id)
    if key is None:
        raise NotFound(f"There is no task {task_id} here.", hint="The next loop reads what is new.")
    found = answering(workspace)
    revision = workspace.encoder.get().revision if found is None else found[1].encoder
    stored = workspace.vectors.read(revision, [key])
    if key not in stored:
        raise BadRequest(
            f"Task {task_id} has no {workspace.noun.one} that was read.",
            hint="The next loop reads what is new.",
        )
    others = _nearest(workspace, revision, np.frombuffer(stored[key], dtype=np.float32), count=count + 1)
    return [task_id, *(other for other in others if other != task_id)][:count]


def like_sentence(workspace: Workspace, sentence: str, *, count: int) -> list[int]:
    """The tasks most like a sentence, the likest first. Nothing of it is kept.

    Raises BadRequest where there is nothing to look for or in, and EncoderUnavailable.
    """
    words = " ".join(sentence.split())[:_LONGEST_QUERY]
    if not words:
        raise BadRequest("There is nothing to look for.", hint="Type a sentence; it is read from a form.")
    if workspace.noun is PICTURE:
        raise BadRequest(
            "A sentence is compared with texts, and this project shows pictures alone.",
            hint="Pick a task on the map and ask for more like it.",
        )
    encoder = workspace.encoder.get()
    (vector,) = encoder.encode([words])
    found = _nearest(workspace, encoder.revision, vector, count=count)
    if not found:
        raise BadRequest("No text of this project has been read yet.", hint="The next loop reads them.")
    return found


def _nearest(workspace: Workspace, encoder: str, vector: Floats, *, count: int) -> list[int]:
    ids, likeness = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.float32)]
    for part, vectors in workspace.tasks.vectors(encoder, size=_ROWS):
        ids.append(np.array(part, dtype=np.int64))
        likeness.append(vectors @ vector)
    order = np.argsort(-np.concatenate(likeness), kind="stable")[:count]
    nearest: list[int] = np.concatenate(ids)[order].tolist()
    return nearest
