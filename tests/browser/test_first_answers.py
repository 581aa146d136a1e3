"""A person's first thirty answers in the demonstration's project, given with the keyboard."""

import re

import pytest
from playwright.sync_api import expect

from backend.workflows.serving.lines import BLIND
from demo.quiz import HELD_OUT, LABELS, load_questions
from demo.stage import create_project
from demo.waiting import wait_for
from tests.browser.test_label_stream import SUBMIT, put_away, shown_task, start_labeling, ticked
from tests.e2e.connected import ConnectedProject

QUESTIONS = 300  # of the demonstration's, which has more than a person's first window needs
ANSWERS = 30
KEYS = {label: str(key) for key, label in enumerate(LABELS.values(), start=1)}
FITS_NONE = set(HELD_OUT.values())
LINE = re.compile(r"\d+ % sure|answer unaided|something new")
RANGE = r"\d+ (?:to|and) \d+ %%[^.]*\b(?:%s) blind answers?\b"


@pytest.fixture
def quiz(admin, shared_backend):
    """The demonstration's project, connected as the demonstration connects it."""
    questions = load_questions()[:QUESTIONS]
    connected = ConnectedProject(create_project(admin, questions), shared_backend)
    connected.read_truth(questions)
    connected.run("connect", "--explain")
    return connected


@pytest.fixture
def dashboard(browser, quiz):
    """The page of the project, open beside the labeling screen."""
    context = browser.new_context(base_url=quiz.backend.url, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(f"/projects/{quiz.project.id}")
    yield page
    context.close()


class Person:
    """Somebody who knows the topics, reads the line above each question and uses the keyboard."""

    def __init__(self, page, quiz):
        self.page = page
        self.quiz = quiz
        tasks = quiz.project.fetch_tasks()
        self.questions = {task["id"]: task["data"]["text"].splitlines()[0] for task in tasks}
        self.lines = {}
        self.skipped = []
        self.unaided = 0  # answers that nothing was ticked for: of these the blind ones are a part

    def read(self):
        """The task on the screen, once it is there with the line above it."""
        task_id = shown_task(self.page)
        expect(self.page.get_by_text(self.questions[task_id])).to_be_visible()
        self.lines[task_id] = self.page.get_by_role("heading", level=4).inner_text()
        assert LINE.search(self.lines[task_id]), self.lines[task_id]
        return task_id

    def answer(self, task_id):
        """Skip a question that fits no label, else submit its topic; then wait for the next one."""
        topic = self.quiz.truth[task_id]
        if topic in FITS_NONE:
            self.page.keyboard.press("Control+Space")
            self.skipped.append(task_id)
        else:
            self.unaided += not ticked(self.page)
            if ticked(self.page) != [topic]:
                self.page.keyboard.press(KEYS[topic])
            assert ticked(self.page) == [topic]
            self.page.keyboard.press("Control+Enter")
        self.wait_for_a_task_after(task_id)

    def wait_for_a_task_after(self, task_id):
        what = f"the page still shows task {task_id}"
        wait_for(lambda: shown_task(self.page) != task_id, what, timeout_s=60)

    @property
    def given(self):
        return len(self.lines) - len(self.skipped)


def test_the_first_thirty_answers_are_labels_and_the_first_blind_one_measures_the_model(
    signed_in_page, dashboard, quiz
):
    start_labeling(signed_in_page, quiz)
    read_instructions(signed_in_page)
    person = Person(signed_in_page, quiz)
    expect(dashboard.locator("main")).not_to_contain_text(re.compile(RANGE % r"\d+"))

    is_measured = False
    while person.given < ANSWERS:
        task_id = person.read()
        is_blind = person.lines[task_id] == BLIND
        assert not (is_blind and ticked(signed_in_page))
        is_first = is_blind and not is_measured and quiz.truth[task_id] not in FITS_NONE
        if is_first:
            refuse_to_submit_nothing(signed_in_page)
        person.answer(task_id)
        if is_first:
            is_measured = True
            expect_a_range(dashboard, quiz, most=person.unaided)

    assert is_measured
    given, cancelled = annotations(quiz)
    assert given == {task_id: [quiz.truth[task_id]] for task_id in person.lines if task_id in given}
    assert len(given) == ANSWERS
    assert cancelled == set(person.skipped)


def read_instructions(page):
    """They are shown before the first task; Escape puts them away."""
    put_away(page, page.get_by_text("Skip what fits no label"))


def refuse_to_submit_nothing(page):
    task_id = shown_task(page)
    page.keyboard.press("Control+Enter")
    put_away(page, page.get_by_text("Choose a topic, or skip the question."))
    assert shown_task(page) == task_id
    page.get_by_test_id(SUBMIT).wait_for()


def expect_a_range(dashboard, quiz, *, most):
    """A first blind answer is there, at `most` so many, and the loop after it brings a range of accuracy."""
    counts = "|".join(map(str, range(1, most + 1)))
    quiz.ask_for_loop()
    quiz.wait_for_worker()
    dashboard.reload()
    expect(dashboard.locator("main")).to_contain_text(re.compile(RANGE % counts))


def annotations(quiz):
    """The choices of each task that was answered, and the tasks that were skipped."""
    query = {"project": quiz.project.id, "page_size": 10_000, "fields": "all"}
    tasks = quiz.client.get("/api/tasks", params=query).raise_for_status().json()["tasks"]
    given, cancelled = {}, set()
    for task in tasks:
        for annotation in task["annotations"]:
            if annotation["was_cancelled"]:
                cancelled.add(task["id"])
            else:
                (region,) = annotation["result"]
                given[task["id"]] = region["value"]["choices"]
    return given, cancelled
