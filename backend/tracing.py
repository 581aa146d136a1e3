"""Traces for OpenTelemetry: requests, loops with their stages, and calls to Label Studio.

They are made where the environment says where they go (OTEL_EXPORTER_OTLP_ENDPOINT) and the extra `otel` is
installed; else nothing of it is imported. Spans carry numbers and rules of addresses, never a text.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

logger = logging.getLogger(__name__)

_ADDRESSES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class _Tracing:
    """The tracer of this process; None while there is none."""

    tracer: Tracer | None = None


def start_tracing(part: str) -> None:
    """Sends spans of this process as `nextlabel-PART` from now on, if the environment says where to."""
    if not any(map(os.environ.get, _ADDRESSES)) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.warning('traces are asked for, and what makes them is missing: pip install "nextlabel[otel]"')
        return
    name = os.environ.get("OTEL_SERVICE_NAME") or f"nextlabel-{part}"
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace_with(provider)


def trace_with(provider: TracerProvider | None) -> None:
    """Makes spans with a provider; with None no more."""
    _Tracing.tracer = None if provider is None else provider.get_tracer("nextlabel")


@contextmanager
def span(name: str, *, caller: str = "", **attributes: str | int) -> Iterator[None]:
    """A span around the block, below that of `caller` (a request's traceparent), else the current one.

    Of what the block raises only the class is kept: a message could carry people's words.
    """
    tracer = _Tracing.tracer
    if tracer is None:
        yield
        return
    from opentelemetry.propagate import extract
    from opentelemetry.trace import Status, StatusCode

    parent = extract({"traceparent": caller}) if caller else None
    with tracer.start_as_current_span(
        name, parent, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def note_on_span(name: str, value: str | int) -> None:
    """Adds what became known meanwhile to the span of this moment."""
    if _Tracing.tracer is not None:
        from opentelemetry.trace import get_current_span

        get_current_span().set_attribute(name, value)
