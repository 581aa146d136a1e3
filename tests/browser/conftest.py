"""A real Label Studio and Debian's Chromium, driven by Playwright; one fresh browser profile per test."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

# The same Label Studio, projects and backends as in the end-to-end tests.
from tests.e2e.conftest import (
    admin,
    connect_project,
    label_studio,
    make_backend,
    make_project,
    shared_backend,
)

__all__ = [
    "admin",
    "connect_project",
    "label_studio",
    "make_backend",
    "make_project",
    "shared_backend",
]

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser():
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail("No Chromium on PATH: run `make chromium`, or name one in the environment as CHROMIUM.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, headless=True, args=QUIET_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, label_studio):
    """A page of a fresh profile; relative addresses are Label Studio's."""
    context = browser.new_context(base_url=label_studio.url, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def signed_in_page(page, label_studio):
    """A page in which the admin is logged in to Label Studio."""
    page.goto("/user/login/")
    page.fill("#email", label_studio.email)
    page.fill("#password", label_studio.password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/user/login" not in url)
    return page
