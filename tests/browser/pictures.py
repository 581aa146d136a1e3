"""Takes the pictures of docs/: the demonstration's page at 0, 10, 50 and 150 labels, and its labeling screen.

The known answers are given in the order in which Label Studio serves the questions, with a loop after every
tenth, so that the pictures show what the demonstration came to and nothing else.
"""

import os
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import expect, sync_playwright
from rich.console import Console

from demo.labeling import Labeler
from demo.stage import set_stage
from demo.waiting import wait_for
from tests.browser.conftest import BROWSERS, QUIET_FLAGS
from tests.browser.test_label_stream import put_away, start_labeling

FOLDER = Path(__file__).resolve().parents[2] / "docs"
LABELS = (0, 10, 50, 150)
LABELS_AT_THE_SCREEN = 50
LABELS_EACH_LOOP = 10
WIDE, NARROW, SCREEN = (1400, 900), (390, 844), (1400, 520)
MOST_PIXELS_HIGH = 2000  # from the headline to the map
MOST_BYTES = 200_000
LOOP_TIMEOUT_S = 300.0


class Photographer:
    """Opens pages of the stage in a light browser and keeps what they look like."""

    def __init__(self, stage, browser):
        self.stage = stage
        self.browser = browser

    def take_page(self, name, size):
        """The page of the project from the top, its map drawn."""
        page = self._open(self.stage.backend.url, size)
        page.goto(f"/projects/{self.stage.project.id}")
        page.wait_for_load_state("networkidle")
        if page.locator(".map-legend").count():
            expect(page.locator(".map-legend button").first).to_be_visible(timeout=30_000)
        keep(page.screenshot(full_page=True), name)
        page.context.close()

    def take_screen(self, name, line):
        """The labeling screen with the task that is served now, under its line."""
        page = self._open(self.stage.label_studio.url, SCREEN)
        page.goto("/user/login/")
        page.fill("#email", self.stage.label_studio.email)
        page.fill("#password", self.stage.label_studio.password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/user/login" not in url)
        start_labeling(page, self.stage)
        put_away(page, page.get_by_text("Skip what fits no label"))
        expect(page.get_by_text(line, exact=True)).to_be_visible()
        keep(page.screenshot(), name)
        page.context.close()

    def _open(self, url, size):
        viewport = {"width": size[0], "height": size[1]}
        context = self.browser.new_context(
            base_url=url, viewport=viewport, color_scheme="light", reduced_motion="reduce"
        )
        return context.new_page()


def keep(picture, name):
    """Write a PNG of at most MOST_BYTES, with as many colours as fit."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    image = image.crop((0, 0, image.width, min(image.height, MOST_PIXELS_HIGH)))
    for colours in (256, 128, 64, 32, 16):
        small = BytesIO()
        image.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            small, "PNG", optimize=True
        )
        if len(small.getvalue()) <= MOST_BYTES:
            break
    (FOLDER / name).write_bytes(small.getvalue())
    print(f"docs/{name}: {image.size[0]} x {image.size[1]}, {len(small.getvalue()) // 1000} KB")


def answer(stage, labeler, labels):
    """Answer as served until there are so many labels, and wait for the loop after each ten."""
    while len(labeler.labelled) < labels:
        is_answer = labeler.label_next() is not None
        if is_answer and len(labeler.labelled) % LABELS_EACH_LOOP == 0:
            learn(stage)


def learn(stage):
    """Ask for a loop, as a skip among the answers may have brought the last one early, and wait for it."""
    url = f"{stage.backend.url}/projects/{stage.project.id}"
    httpx.post(f"{url}/retrain", trust_env=False).raise_for_status()
    # asked many times while it waits: no certificates are read for an address without TLS
    wait_for(
        lambda: httpx.get(f"{url}.json", trust_env=False, verify=False).json()["pending_hints"] == 0,
        "hints still wait for a loop",
        timeout_s=LOOP_TIMEOUT_S,
    )


def answer_until_ticked(stage, labeler):
    """Answer until the task that is served next has something ticked; returns its line."""
    task = stage.project.serve_next()
    while not any(shown["result"] for shown in task["predictions"]):
        labeler.label_next()
        task = stage.project.serve_next()
    return task["data"]["nextlabel_note"]


def main():
    """Put the demonstration up, answer, take the pictures, stop everything."""
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    with (
        tempfile.TemporaryDirectory() as folder,
        set_stage(Path(folder), Console()) as stage,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET_FLAGS)
        photographer = Photographer(stage, browser)
        labeler = Labeler(stage.project, answers=stage.find_answers())
        for labels in LABELS:
            answer(stage, labeler, labels)
            photographer.take_page(f"page-{labels}.png", WIDE)
            if labels == LABELS_AT_THE_SCREEN:
                photographer.take_screen("labeling.png", answer_until_ticked(stage, labeler))
        photographer.take_page("page-phone.png", NARROW)
        browser.close()


if __name__ == "__main__":
    main()
