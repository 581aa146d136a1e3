"""What every line of a log says of the work that it is about: the request or the loop, and the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

Field: TypeAlias = str | int

_SCOPE: ContextVar[dict[str, Field] | None] = ContextVar("log_fields", default=None)


@contextmanager
def log_scope(**fields: Field) -> Iterator[None]:
    """Lines of this thread carry these fields until the block ends, beside those of the scope around it."""
    token = _SCOPE.set({**log_fields(), **fields})
    try:
        yield
    finally:
        _SCOPE.reset(token)


def note_field(name: str, value: Field) -> None:
    """Adds what became known meanwhile to the scope of this thread; does nothing outside of one."""
    scope = _SCOPE.get()
    if scope is not None:
        scope[name] = value


def log_fields() -> Mapping[str, Field]:
    """The fields of this thread's lines at this moment."""
    return _SCOPE.get() or {}
