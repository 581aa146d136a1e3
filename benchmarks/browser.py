"""Chromium for the benches that look at a screen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@contextmanager
def open_browser(url: str) -> Iterator[BrowserContext]:
    """Chromium on a site, in a window of 1280 × 900; ends the bench where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise SystemExit(
            "No Chromium on PATH: run `make chromium`, or name one in the environment as CHROMIUM."
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, headless=True, args=_FLAGS)
        yield chromium.new_context(base_url=url, viewport={"width": 1280, "height": 900})
        chromium.close()
