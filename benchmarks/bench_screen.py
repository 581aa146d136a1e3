"""How long an annotator looks at a finished task: Submit to the next one in Label Studio's own screen."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Page

from benchmarks.browser import open_browser
from benchmarks.figures import Bench, median, percentile
from benchmarks.stage import BenchProject, BenchStage, open_stage
from benchmarks.texts import load_short_texts

TASKS = 600
PAIRS = 80
WARM_UP = 3
LIMIT = 1.10
# A person reads and decides: so much time passes between a task that is there and its submit.
THINKING_S = 2.5
_SUBMIT = "bottombar-submit-button"
_NUMBER = ".lsf-current-task__task-id"
_DIGITS = re.compile(r"\d+")
_ANOTHER_TASK = """([number, text]) => {
    const shown = document.querySelector(".lsf-current-task__task-id");
    const choice = document.querySelector("input[type=checkbox], input[type=radio]");
    return shown && choice && shown.innerText !== number && !document.body.innerText.includes(text);
}"""


def main() -> None:
    """Run the bench."""
    bench = Bench("screen", "From Submit to the next task on the screen")
    bench.say("starting Label Studio, the backend and Chromium")
    with open_stage() as stage, _open_browser(stage) as context:
        texts = load_short_texts(TASKS)
        bench.say(f"two projects of {TASKS} tasks, one of them connected")
        ours, none = (stage.create_project(title, texts) for title in ("With backend", "Without backend"))
        stage.connect(ours)
        screens = _Screen(context.new_page(), ours), _Screen(context.new_page(), none)
        for number in range(-WARM_UP, PAIRS):
            # ABBA, so that neither always follows the other; loops run in between, as in real life.
            for screen in screens if number % 2 else reversed(screens):
                screen.answer(is_counted=number >= 0)
            if number >= 0 and (number + 1) % 20 == 0:
                bench.say(f"{number + 1} of {PAIRS} pairs")
    _summarise(bench, with_backend=screens[0].seconds, without=screens[1].seconds)
    bench.finish()


class _Screen:
    """The label stream of one project, and how long each submit in it took to bring the next task."""

    def __init__(self, page: Page, project: BenchProject) -> None:
        self.seconds: list[float] = []
        self._page = page
        self._texts = project.texts
        page.goto(f"/projects/{project.id}/data")
        page.get_by_text("Label All Tasks").first.click()
        page.get_by_test_id(_SUBMIT).wait_for()

    def answer(self, *, is_counted: bool) -> None:
        """Take what is ticked, or the first label; wait until another task is there to be answered."""
        self._page.bring_to_front()
        number = self._page.locator(_NUMBER).inner_text()
        text = self._texts[int(_DIGITS.findall(number)[0])].content
        time.sleep(THINKING_S)
        if not self._page.locator("input:checked[name]").count():
            self._page.keyboard.press("1")
        started = time.perf_counter()
        self._page.get_by_test_id(_SUBMIT).click()
        self._page.wait_for_function(_ANOTHER_TASK, arg=[number, text])
        if is_counted:
            self.seconds.append(time.perf_counter() - started)


def _summarise(bench: Bench, *, with_backend: list[float], without: list[float]) -> None:
    bench.raw = {"with_backend_s": with_backend, "without_s": without}
    ratios = [a / b for a, b in zip(with_backend, without, strict=True)]
    bench.add("without a backend, median and 90th percentile", _milliseconds(without))
    bench.add("with ours connected (its loops run meanwhile)", _milliseconds(with_backend))
    pairs = f"{PAIRS} interleaved pairs, {THINKING_S:g} s between task and submit"
    bench.at_most(
        f"ratio of the medians, {pairs}", median(with_backend) / median(without), limit=LIMIT, unit="×"
    )
    bench.at_most("median of the pairs' ratios", median(ratios), limit=LIMIT, unit="×")


@contextmanager
def _open_browser(stage: BenchStage) -> Iterator[BrowserContext]:
    """Chromium with the admin logged in to Label Studio."""
    server = stage.label_studio
    with open_browser(server.url) as context:
        page = context.new_page()
        page.goto("/user/login/")
        page.fill("#email", server.email)
        page.fill("#password", server.password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/user/login" not in url)
        page.close()
        yield context


def _milliseconds(seconds: list[float]) -> str:
    return f"{median(seconds) * 1000:.0f} ms, {percentile(seconds, 90) * 1000:.0f} ms"


if __name__ == "__main__":
    main()
