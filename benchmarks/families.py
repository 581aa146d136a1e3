"""What a process and all below it use: memory, open files, threads, processor time."""

from __future__ import annotations

import os
from pathlib import Path


def family(pid: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        if fields := _stat(int(folder.name)):
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def resident_mib(pid: int) -> float:
    """MiB of memory that a process has in use, shared pages counted for each."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def count_entries(pid: int, what: str) -> int:
    """How many open files (`fd`) or threads (`task`) a process has."""
    try:
        return len(list(Path(f"/proc/{pid}/{what}").iterdir()))
    except OSError:
        return 0


def processor_seconds(pid: int) -> float:
    """Seconds of processor that a process and all below it have taken, as far as these live."""
    ticks = sum(int(fields[11]) + int(fields[12]) for one in family(pid) if (fields := _stat(one)))
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name; none of a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []
