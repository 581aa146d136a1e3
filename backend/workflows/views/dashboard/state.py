"""How a project is at this moment: cheap enough to be asked for every two seconds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from backend.json_types import Json
from backend.label_studio.queue_settings import find_disturbances
from backend.workflows.intake.encoding_words import encoding_words
from backend.workflows.intake.published import window_left
from backend.workflows.intake.second_looks import second_looks
from backend.workflows.intake.unread_pictures import unread_pictures
from backend.workflows.project.account import read_account
from backend.workflows.project.figures import Figures, Position
from backend.workflows.project.lease import is_running
from backend.workflows.project.workers import living_workers
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.dashboard.faults import Fault, find_faults
from backend.workflows.views.wording import (
    OUTCOMES,
    ago,
    counted,
    duration,
    model_name,
    moment,
    window_words,
)

# A window emptier than this share is worth a warning: a loop fills it up at half.
_LOW_WINDOW = 0.2


def read_state(workspace: Workspace) -> Json:
    """State of one project, ready to be shown.

    `items`: what to show by name, each with `words` and a `tone` (plain, good, warning or bad). `progress`:
    words and a share in [0, 1] (or None) while a loop runs, else None. `loop`: id of the last one that ended.
    `overall`: all of it in a few words, with a tone; `faults`: the names of what is wrong.
    """
    running = is_running(workspace)
    faults = find_faults(workspace)
    loop = workspace.loops.newest_ended()
    return {
        "is_running": running,
        "progress": _progress(workspace) if running else None,
        "loop": loop.id if loop else None,
        "version": workspace.state.active_version,
        "overall": overall(workspace, faults, running=running),
        "faults": [fault.key for fault in faults],
        "items": {
            "loop": _loop_item(loop),
            "version": _item(model_name(workspace.state.active_version)),
            "window": _window_item(workspace),
            "order": _order_item(workspace),
            "answers": _answers_item(workspace),
            "labels": _labels_item(workspace, workspace.hints.count("labels")),
            "webhook": _webhook_item(workspace),
            "worker": _worker_item(living_workers(workspace.context)),
        },
    }


def overall(workspace: Workspace, faults: Sequence[Fault], *, running: bool) -> Json:
    """How a project is, in a few words, with a tone."""
    if faults:
        return {"words": faults[0].title, "tone": faults[0].tone}
    if running:
        return {"words": "Learning now", "tone": "good"}
    if workspace.state.active_version is None:
        return {"words": "Not begun yet", "tone": "plain"}
    return {"words": "Running", "tone": "good"}


def _item(words: str, tone: str = "plain", *, share: float | None = None) -> Json:
    return {"words": words, "tone": tone, "share": share}


def _progress(workspace: Workspace) -> Json:
    position = Position.read(workspace.state.progress)
    stage, total = position.stage or "working", position.total
    if not total:
        return {"words": stage, "share": None}
    reached = min(position.done, total)
    return {"words": f"{stage}: {reached:,} of {total:,}", "share": round(reached / total, 4)}


def _loop_item(loop: Any) -> Json:
    if loop is None:
        return _item("none yet")
    ended = loop.finished_at or loop.started_at
    words = f"{OUTCOMES.get(loop.outcome, loop.outcome)} {moment(ended)['words']}"
    if loop.outcome == "failed":
        return _item(words, "bad")
    return _item(f"{words}, in {duration((ended - loop.started_at).total_seconds())}", "good")


def _window_item(workspace: Workspace) -> Json:
    size = workspace.settings.queue_window
    left = len(window_left(workspace))
    version, pool = workspace.state.active_version, None if left else _newest_pool(workspace)
    share = min(left / size, 1.0)
    tone = "warning" if version and share < _LOW_WINDOW and pool != 0 else "plain"
    again = len(second_looks(workspace))
    more = f", and {again:,} for those who have not answered them" if again else ""
    unread = unread_pictures(workspace).count if pool == 0 else 0
    words = window_words(left, version=version, pool=pool, unread=unread)
    encoding = encoding_words(workspace)
    encoded = f"; {encoding}" if encoding else ""
    return _item(f"{words}{more}{encoded}", tone, share=round(share, 4))


def _newest_pool(workspace: Workspace) -> int | None:
    """Tasks that the newest loop could have put into the window; None before there was one."""
    counted_by = workspace.loops.newest_counted()
    return None if counted_by is None else Figures.read(counted_by).pool


def _order_item(workspace: Workspace) -> Json:
    settings = workspace.state.queue_settings
    found = find_disturbances(settings, project=workspace.label_studio_id)
    if not found:
        return _item("as they should be" if settings else "not read yet", "good" if settings else "plain")
    # how to cure a fault is on its card
    faults = [f"{one.setting} keeps the order from being served" for one in found if one.verdict == "fault"]
    others = [f"{one.setting}: {one.words}. {one.cure}" for one in found if one.verdict != "fault"]
    return _item("; ".join([*faults, *others]), "bad" if faults else "warning")


def _answers_item(workspace: Workspace) -> Json:
    account = read_account(workspace)
    return _item(account.words, "plain" if account.is_well else "warning")


def _labels_item(workspace: Workspace, waiting: int) -> Json:
    needed = workspace.settings.retrain_every_labels
    if waiting >= needed:
        return _item(f"{counted(waiting, 'new answer')}: it learns from them next")
    return _item(f"{waiting:,} of {needed:,} new answers")


def _webhook_item(workspace: Workspace) -> Json:
    if workspace.state.is_pulled:
        seconds = workspace.context.settings.pull_every_seconds
        return _item(f"none: a worker asks Label Studio every {seconds:g} s")
    if workspace.state.last_webhook_at is None:
        return _item("none yet")
    return _item(ago(time.time() - workspace.state.last_webhook_at))


def _worker_item(names: list[str]) -> Json:
    if not names:
        return _item("none is alive", "bad")
    return _item("alive" if len(names) == 1 else f"{len(names)} alive", "good")
