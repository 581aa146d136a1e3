"""Traces: who caused what, without a word of anybody; and nothing of it while it is off."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from backend.tracing import _Tracing, span, start_tracing, trace_with
from backend.workflows.work import run_pending
from tests.fake_label_studio import LEGACY_TOKEN

ROOT = Path(__file__).resolve().parents[2]
TEXT = "whiskerandomly"


@pytest.fixture
def spans():
    """spans(): those that ended so far."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace_with(provider)
    yield exporter.get_finished_spans
    trace_with(None)


def test_a_request_is_a_span_below_the_one_that_its_caller_names(spans, client):
    trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    client.get(f"/projects/1.json?q={TEXT}", headers={"traceparent": f"00-{trace}-{caller}-01"})
    (found,) = spans()
    assert found.name == "GET /projects/<int:project_id>.json"
    assert f"{found.context.trace_id:032x}" == trace and f"{found.parent.span_id:016x}" == caller
    assert found.attributes["status"] == 404 and found.attributes["project"] == 1
    assert len(found.attributes["request"]) == 16


def test_two_requests_are_two_traces(spans, client):
    client.get("/versions")
    client.get("/versions")
    assert len({found.context.trace_id for found in spans()}) == 2
    assert all(found.parent is None for found in spans())


def test_a_loop_has_its_stages_and_its_calls_below_it(spans, connected):
    connected.label(10)
    run_pending(connected.context, connected.workspace.id)
    found = spans()
    (loop,) = (one for one in found if one.name == "loop" and one.attributes["loop"])
    below = {one.name for one in found if one.parent and one.parent.span_id == loop.context.span_id}
    assert {"sync", "embed", "snapshot", "learn", "rank", "publish", "reflect"} <= below
    syncs = {one.context.span_id for one in found if one.name == "sync"}
    calls = [one for one in found if one.parent and one.parent.span_id in syncs]
    assert calls and all(one.name == "Label Studio GET" and one.attributes["status"] == 200 for one in calls)
    assert loop.attributes["project"] == 1


def test_no_text_and_no_secret_is_in_a_trace(spans, connected, client):
    connected.label(10)
    run_pending(connected.context, connected.workspace.id)
    client.post("/predict", json={"tasks": [{"data": {"text": TEXT}}], "label_config": TEXT})
    client.get(f"/{TEXT}")
    said = "".join(one.to_json() for one in spans())
    words = {task["data"]["text"] for task in connected.tasks.values()}
    assert said and all(word not in said for word in (LEGACY_TOKEN, TEXT, *words))


def test_of_a_failure_only_its_class_is_kept(spans):
    with pytest.raises(ValueError), span("stage"):
        raise ValueError(TEXT)
    (found,) = spans()
    assert found.status.status_code is StatusCode.ERROR and found.status.description == "ValueError"
    assert found.events == () and TEXT not in found.to_json()


@pytest.mark.parametrize("value", ["", "http://127.0.0.1:1"])
def test_it_stays_off_without_an_address_and_where_it_is_switched_off(value, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", value)
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true" if value else "false")
    start_tracing("web")
    assert _Tracing.tracer is None


def test_what_is_asked_for_and_missing_is_named(monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    start_tracing("web")
    assert _Tracing.tracer is None and 'pip install "nextlabel[otel]"' in caplog.text


def test_while_it_is_off_nothing_of_it_is_imported():
    code = (
        "import sys, backend.routes.access, backend.label_studio.connection, backend.tracing as t\n"
        "t.start_tracing('web')\n"
        "with t.span('x', a=1): t.note_on_span('b', 2)\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 0, done.stderr
