"""What every worker does beside its loops: it encodes batches that loops have left, outside their leases.

A batch is claimed for half a minute, and for longer while its holder lives. Vectors are kept, by the hashes
of their texts, before the batch counts as done: one that was begun by a worker that died is done again by
another, less the texts that have vectors by then.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from backend.context import Context
from backend.errors import LeaseLost, Stopped
from backend.log_fields import log_scope
from backend.store.batches import Batch, Planned
from backend.workflows.intake.embed import encode_missing
from backend.workflows.intake.faulty_texts import encode_apart
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.machine import this_thread
from backend.workflows.project.workspace import Workspace, read_workspace
from model.encoders import Encoder

logger = logging.getLogger(__name__)

_CLAIM_S: Final = 30.0
_RENEW_S: Final = 5.0
_POLL_S: Final = 1.0
# Batches that a worker sends to a cluster at once.
_IN_FLIGHT: Final = 4
# A batch that failed is left alone for so long.
_REST_S: Final = 30.0


def start_encoding(context: Context, stop: threading.Event) -> list[threading.Thread]:
    """Starts the threads that encode batches: one, and some where a cluster does the arithmetic."""
    count = 1 if context.cluster is None else _IN_FLIGHT
    threads = [
        threading.Thread(target=encode_forever, args=(context, stop), daemon=True) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads


def encode_forever(context: Context, stop: threading.Event) -> None:
    """Encodes batches until the process is told to stop; what fails is logged and tried again.

    A worker on a CPU leaves them to those that have something quicker, while one of these is alive.
    """
    while not stop.is_set():
        with context.survived.failures_of("encoding a batch"):
            while not _is_slow(context) and encode_next(context):
                pass
        stop.wait(_POLL_S)


def encode_next(context: Context, project_id: int | None = None) -> bool:
    """Claims and encodes a batch, of one project or of any; False where none is free.

    Raises what the encoder raises, and the batch is left to others.
    """
    if context.stopping.is_set():
        return False
    owner = this_thread()
    batch = context.batches.claim(owner, seconds=_CLAIM_S, project_id=project_id)
    if batch is None:
        return False
    workspace = read_workspace(context, batch.project_id)
    if workspace is not None:
        with log_scope(project=workspace.label_studio_id), _given_back(context, batch, owner):
            _encode(workspace, batch, owner)
    return True


def encode_rest(workspace: Workspace) -> None:
    """Encodes all that is left of a project and can be, with whoever encodes it too; its caller waits."""
    while workspace.batches.are_any_waiting():
        if not encode_next(workspace.context, workspace.id):
            time.sleep(_POLL_S)


class _Holding:
    """A progress that keeps a claim while its batch is encoded. Raises LeaseLost and Stopped."""

    def __init__(self, context: Context, batch: Batch, owner: str) -> None:
        self._context, self._batch, self._owner = context, batch, owner
        self._renewed_at = time.monotonic()

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Ignored."""

    def advance(self, steps: int) -> None:
        """Renews the claim now and then."""
        if self._context.stopping.is_set():
            raise Stopped(
                "The worker was stopped in the middle of a batch.", hint="Another one begins it again."
            )
        if time.monotonic() - self._renewed_at < _RENEW_S:
            return
        self._renewed_at = time.monotonic()
        if not self._context.batches.renew(self._batch.id, self._owner, seconds=_CLAIM_S):
            raise LeaseLost("Another worker took this batch over.", hint="Its vectors come from there.")


@contextmanager
def _given_back(context: Context, batch: Batch, owner: str) -> Iterator[None]:
    """What stops in the middle is left to others: at once where it is this process that ends."""
    try:
        yield
    except (LeaseLost, Stopped):
        context.batches.give_back(batch.id, owner)
    except Exception:
        context.batches.give_back(batch.id, owner, rest_s=_REST_S)
        raise


def _encode(workspace: Workspace, batch: Batch, owner: str) -> None:
    context, encoder = workspace.context, workspace.encoder
    if batch.encoder != encoder.revision:  # the project has another one since
        context.batches.finish(batch.id, owner)
        return
    texts = workspace.tasks.contents_of(batch.task_ids)
    known = context.vectors.known(encoder.revision, texts)
    missing = {key: text for key, text in texts.items() if key not in known}
    arithmetic, holding, faults = _arithmetic(workspace), _Holding(context, batch, owner), dict[str, str]()
    if batch.tries == 1:
        encode_missing(workspace, arithmetic, missing, holding)
    else:  # somebody failed, or died: it may be a single text that is too much
        faults = encode_apart(workspace, arithmetic, missing, holding)
    if not _put_away(workspace, batch, owner, faults):
        return
    left, done = workspace.batches.count_tasks(), len(missing) - len(faults)
    logger.info("batch encoded project=%s texts=%d left=%d", workspace.label_studio_id, done, left)
    if batch.wakes or (not workspace.batches.are_any_waiting() and (done or not faults)):
        leave_hint(workspace, "vectors")


def _put_away(workspace: Workspace, batch: Batch, owner: str, faults: Mapping[str, str]) -> bool:
    """Takes a batch away, less the texts that cannot be encoded; False where somebody else has it now."""
    batches = workspace.context.batches
    if not faults:
        return batches.finish(batch.id, owner)
    shown = {task_id: key for task_id, key in workspace.tasks.hashes_of(batch.task_ids) if key in faults}
    if not batch.fault:
        for task_id, key in shown.items():
            logger.warning(
                "text not encoded project=%s task=%d error=%s",
                workspace.label_studio_id,
                task_id,
                faults[key],
            )
    left = Planned(list(shown), workspace.tasks.count_showing(list(faults)), wakes=False)
    return batches.keep_faulty(batch.id, owner, left, fault=", ".join(sorted(set(faults.values()))))


def _arithmetic(workspace: Workspace) -> Encoder:
    """This process' own encoder, or that of the cluster that does its arithmetic."""
    cluster, encoder = workspace.context.cluster, workspace.encoder
    if cluster is None or workspace.joined is not None:
        return encoder.get()
    return cluster.encoder(workspace.state.encoder, encoder.revision)


def _is_slow(context: Context) -> bool:
    """Whether this process encodes on a CPU, and another one that lives on something quicker."""
    is_cpu = context.cluster is None and context.settings.device == "cpu"
    return is_cpu and context.workers.has_quicker(context.database.now())
