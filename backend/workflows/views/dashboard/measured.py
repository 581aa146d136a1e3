"""The accuracy that the page names: what a loop measured, else what the training of the version did."""

from __future__ import annotations

from backend.workflows.project.figures import Accuracy, HeadMetrics, Signals
from backend.workflows.views.wording import AUDIT_NEEDED, FIGURE_NEEDED


def read_accuracy(signals: Signals, metrics: HeadMetrics) -> Accuracy:
    """The accuracy of the last measurement; that of the version in use where no loop has measured yet."""
    if signals.accuracy is not None:
        return signals.accuracy
    labels = int(metrics.audit_labels or 0)
    enough = labels >= AUDIT_NEEDED
    return Accuracy(
        words="",
        estimate=metrics.audit_accuracy if enough else None,
        low=metrics.audit_low if enough else None,
        high=metrics.audit_high if enough else None,
        n=labels,
        needed=AUDIT_NEEDED,
    )


def is_range_alone(found: Accuracy) -> bool:
    """Whether the range is the figure: one share would say more than a handful of blind answers do."""
    return found.method == "exact" and (found.blind or found.n) < FIGURE_NEEDED
