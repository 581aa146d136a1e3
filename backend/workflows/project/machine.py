"""Which machine, process and thread this is, as far as process numbers mean the same."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NUMBERS = Path("/proc/self/ns/pid")
_LETTERS = 8


def this_machine() -> str:
    """Its name and, on Linux, a digest of its start and of the space of its process numbers.

    Containers may have one name and still know nothing of each other's processes; and a machine that was
    started anew has none of those from before.
    """
    return f"{socket.gethostname()}{_space()}"


def this_process() -> str:
    """The name of a worker: "machine/number"."""
    return f"{this_machine()}/{os.getpid()}"


def this_thread() -> str:
    """The name of who holds a lease or a batch: "machine/number/thread"."""
    return f"{this_process()}/{threading.get_ident()}"


@cache
def _space() -> str:
    try:
        named = f"{_BOOT.read_text()} {_NUMBERS.readlink()}"
    except OSError:
        return ""
    return f".{hashlib.sha256(named.encode()).hexdigest()[:_LETTERS]}"
