"""The base class of label-studio-ml, without the torch that the library imports where there is one.

It wants a way to start processes of torch, which we never do; the import alone is hundreds of megabytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Whoever imports a module now is told that there is none; one that is loaded already stays."""
    if name in sys.modules:
        yield
        return
    # how Python itself is told so: docs.python.org/3/reference/import.html, the module cache
    sys.modules[name] = cast(ModuleType, None)
    try:
        yield
    finally:
        del sys.modules[name]


with _without("torch"):
    from label_studio_ml.model import LabelStudioMLBase as LabelStudioMLBase
