"""The stage of the loop that fetches and encodes pictures, in a process of its own, whose memory can be seen.

python -m benchmarks.picture_stage FOLDER, as `run_stage` calls it, prints what came of it as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.context import Context
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import read_task
from backend.parts import build_context
from backend.settings import Settings
from backend.workflows.intake.fetch_pictures import fetch_pictures
from backend.workflows.project.progress import LogProgress
from backend.workflows.project.workspace import Workspace, ensure_workspace
from benchmarks.hostile_pictures import changing_names
from model.encoders.hashing import HashingEncoder
from model.encoders.table import IMAGE_ENCODERS
from tests.pictures import FewPixels

CONFIG = (
    '<View><Image name="i" value="$image"/>'
    '<Choices name="c" toName="i"><Choice value="A"/><Choice value="B"/></Choices></View>'
)
TOKEN = "0123456789abcdef0123456789abcdef01234567"
SETTINGS = "stage.json"
# Takes next to nothing, so that all the rest is seen.
STAND_IN = "few-pixels"
IMAGE_ENCODERS[STAND_IN] = lambda: FewPixels(5)
_TOGETHER = 5_000


def prepare(folder: Path, *, label_studio_url: str, addresses: Sequence[str], **settings: str) -> None:
    """A data folder with one project, and one task for each address; `settings` as environment has them."""
    folder.mkdir(parents=True)
    values = {"label_studio_url": label_studio_url, "label_studio_api_key": TOKEN} | settings
    (folder / SETTINGS).write_text(json.dumps(values))
    workspace = open_project(folder)
    workspace.change(label_config=CONFIG)
    config = parse_label_config(CONFIG)
    for start in range(0, len(addresses), _TOGETHER):
        rows = enumerate(addresses[start : start + _TOGETHER], start + 1)
        workspace.tasks.write(
            [
                read_task({"id": number, "data": {"image": one}, "annotations": []}, config)
                for number, one in rows
            ]
        )
    workspace.context.close()


def start_stage(folder: Path, *, log: Path | None = None) -> subprocess.Popen[str]:
    """The stage in a process of its own; its log lines go to a file, or nowhere."""
    errors = subprocess.DEVNULL if log is None else log.open("a")
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.picture_stage", str(folder)],
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def run_stage(folder: Path, *, log: Path | None = None) -> dict[str, Any]:
    """What came of the stage; raises RuntimeError where it failed."""
    process = start_stage(folder, log=log)
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the stage ended with {process.returncode}")
    found: dict[str, Any] = json.loads(said)
    return found


def open_project(folder: Path) -> Workspace:
    """The project of a data folder, to look at."""
    return ensure_workspace(_open(folder), 1, 1)


def main() -> None:
    """Run the stage once."""
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)d %(name)s %(message)s")
    workspace = open_project(Path(sys.argv[1]))
    at_start = peak_mib()
    started, used = time.monotonic(), time.process_time()
    with changing_names():
        joined = fetch_pictures(workspace, progress=LogProgress(logging.getLogger("stage"), 1))
    encoder = workspace.joined
    found = {
        "seconds": time.monotonic() - started,
        "processor": time.process_time() - used,
        "peak_mib": peak_mib(),
        "peak_at_start_mib": at_start,
        "joined": joined,
        "faults": {group.reason: group.count for group in workspace.pictures.faults()},
        "encoder": "" if encoder is None else encoder.revision,
    }
    sys.stdout.write(json.dumps(found))


def _open(folder: Path) -> Context:
    values = json.loads((folder / SETTINGS).read_text())
    return build_context(Settings(data_dir=folder, **values), load_encoder=lambda: HashingEncoder(64))


def peak_mib(pid: int | str = "self") -> float:
    """The most memory that a process ever had, in MiB; what its parent had before is none of it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
