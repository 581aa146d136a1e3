"""Every alert parses, asks for metrics that there are, and has a page that says what to do."""

import re
from pathlib import Path

import promql_parser
import pytest
import yaml

from backend.workflows.views.metrics import refresh_metrics

ROOT = Path(__file__).resolve().parents[2]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())
SCRAPE = yaml.safe_load((ROOT / "deploy/prometheus/scrape.yml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
PAGES = ROOT / "docs" / "runbook"
# Prometheus' own.
UP = {"up"}
DURATION = re.compile(r"\d+[smhd]")


def selectors(expression):
    """Every metric of an expression, with the matchers beside it."""
    if isinstance(expression, promql_parser.VectorSelector):
        return [expression]
    parts = [getattr(expression, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    parts += list(getattr(expression, "args", None) or [])
    return [found for part in parts if part is not None for found in selectors(part)]


@pytest.fixture(scope="module")
def asked():
    """What each alert asks for."""
    return {name: selectors(promql_parser.parse(rule["expr"])) for name, rule in ALERTS.items()}


def test_every_metric_that_an_alert_asks_for_is_there_with_its_labels(asked, trained):
    metrics = {metric.name: metric for metric in refresh_metrics(trained.context).collect()}
    for alert, found in asked.items():
        assert found, alert
        for selector in found:
            if selector.name in UP:
                continue
            assert selector.name in metrics, f"{alert}: {selector.name}"
            labels = {label for sample in metrics[selector.name].samples for label in sample.labels}
            wanted = {matcher.name for matcher in selector.matchers.matchers} - {"job", "instance"}
            assert not labels or wanted <= labels, f"{alert}: {selector.name} has {labels}"


def test_every_metric_is_that_of_the_job_that_is_scraped(asked):
    (job,) = SCRAPE["scrape_configs"]
    for alert, found in asked.items():
        for selector in found:
            jobs = [matcher.value for matcher in selector.matchers.matchers if matcher.name == "job"]
            assert jobs == [job["job_name"]], f"{alert}: {selector.name}"


def test_metrics_are_scraped_where_they_are_with_the_log_in(app):
    (job,) = SCRAPE["scrape_configs"]
    assert job["metrics_path"] in {str(rule) for rule in app.url_map.iter_rules()}
    assert "password_file" in job["basic_auth"] and "password" not in job["basic_auth"]
    assert SCRAPE["rule_files"] == ["rules.yml"]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_is_wrong_how_bad_it_is_and_where_its_page_is(name):
    rule = ALERTS[name]
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert name.startswith("Nextlabel") and DURATION.fullmatch(rule["for"])
    assert rule["labels"]["severity"] in {"page", "ticket", "info"}
    page = ROOT / rule["annotations"]["runbook"]
    assert page.parent == PAGES and f"`{name}`" in page.read_text()
    for part in ("**What people notice.**", "**Look at**", "**Do**"):
        assert part in page.read_text()
    per_project = "project" in rule["expr"]
    assert ("$labels.project" in rule["annotations"]["summary"]) == per_project


def test_every_page_is_of_an_alert_and_in_the_index():
    of_alerts = {Path(rule["annotations"]["runbook"]).name for rule in ALERTS.values()}
    assert {path.name for path in PAGES.glob("*.md")} == of_alerts | {"README.md", "backup.md"}
    index = (PAGES / "README.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \| \[[^]]+\]\(([\w-]+\.md)\) \| (\w+) \|$", index, re.MULTILINE)
    assert listed == [
        (name, Path(rule["annotations"]["runbook"]).name, rule["labels"]["severity"])
        for name, rule in ALERTS.items()
    ]


def test_names_of_error_codes_in_the_runbook_exist():
    errors = (ROOT / "backend" / "errors.py").read_text()
    named = set(
        re.findall(
            r"`((?:[a-z]+-)+(?:unavailable|refused|unreachable|busy|config))`",
            "".join(path.read_text() for path in PAGES.glob("*.md")),
        )
    )
    assert named and [code for code in named if f'code = "{code}"' not in errors] == []


def test_the_pool_of_the_last_loop_is_a_metric_and_of_a_failed_one_is_not_known(trained):
    def pool():
        metrics = {metric.name: metric for metric in refresh_metrics(trained.context).collect()}
        return [sample.value for sample in metrics["nextlabel_pool_tasks"].samples]

    assert pool() == [28.0]
    loops = trained.workspace.loops
    loops.end(
        loops.begin("test", interrupted=""), outcome="failed", version=None, error="it failed", figures={}
    )
    assert pool() == []
