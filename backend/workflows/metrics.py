"""Prometheus metrics, read from the database when they are asked for."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from backend.context import Context
from backend.workflows.status import all_statuses
from backend.workflows.work import living_workers


def refresh_metrics(context: Context) -> CollectorRegistry:
    """A registry with the numbers of this moment; the same in every web process."""
    registry = CollectorRegistry()
    Gauge("nextlabel_workers", "Workers alive.", registry=registry).set(len(living_workers(context)))
    gauges = {
        name: Gauge(f"nextlabel_{name}", text, ["project"], registry=registry)
        for name, text in {
            "tasks": "Tasks of the project.",
            "labelled_tasks": "Tasks with a label the model learns from.",
            "window_left": "Tasks of the published window that still wait.",
            "pending_hints": "Hints no loop has answered yet.",
            "audit_accuracy": "Accuracy on audit labels, out of fold.",
        }.items()
    }
    for status in all_statuses(context):
        project = str(status["project"])
        gauges["tasks"].labels(project).set(status["tasks"])
        gauges["labelled_tasks"].labels(project).set(status["labelled"])
        gauges["window_left"].labels(project).set(status["window"]["left"])
        gauges["pending_hints"].labels(project).set(status["pending_hints"])
        accuracy = status["metrics"].get("audit_accuracy")
        if accuracy is not None:
            gauges["audit_accuracy"].labels(project).set(accuracy)
    return registry
