"""The dashboard as people see and use it: light and dark, wide and narrow, by mouse, keyboard and by ear."""

import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select, update

from backend.app import create_app
from backend.database import Loop, NovelGroup, Project
from backend.label_studio.client import LabelStudio
from backend.parts import build_context
from model.encoders.hashing import HashingEncoder
from tests.fake_label_studio import LEGACY_TOKEN, FakeLabelStudio
from tests.http_server import serving
from tests.measured import add_rich_project
from tests.scenes import SCENES, add_scene
from tests.topics import write_texts
from tests.workbench import Workbench

EVIL = '<img src=x onerror="document.title=1">'
PAGES = {"rich": "/projects/7", "empty": "/projects/8", "list": "/projects", "missing": "/projects/99"}
SCHEMES = ("light", "dark")


class Site:
    """A backend that runs in this process, with a rich project (7) and an empty one (8)."""

    def __init__(self, settings):
        self.label_studio = FakeLabelStudio()
        connect = partial(
            LabelStudio, FakeLabelStudio.url, LEGACY_TOKEN, transport=self.label_studio.transport
        )
        context = build_context(settings, load_encoder=lambda: HashingEncoder(64))
        self.context = replace(context, label_studio=connect)
        self.app = create_app(self.context)
        self.label_studio.serve(settings.backend_url, self.app.test_client())
        self.url = None
        self.rich = add_rich_project(self.context, texts=[EVIL, *write_texts(300)])
        with self.context.database.session() as session:
            session.add(Project(label_studio_id=8, created_stamp=1, title="An empty project"))

    def change_project(self, **values):
        with self.context.database.session() as session:
            session.execute(update(Project).where(Project.id == self.rich.id).values(**values))

    def end_a_loop(self):
        now = datetime.now(UTC).replace(tzinfo=None)
        with self.context.database.session() as session:
            session.add(
                Loop(
                    project_id=self.rich.id,
                    reason="hints",
                    started_at=now,
                    finished_at=now,
                    outcome="published",
                    version="nl-000006",
                )
            )


@pytest.fixture
def site(make_settings):
    site = Site(make_settings())
    with serving(site.app) as site.url:
        yield site


@pytest.fixture
def open_page(browser, site):
    """open_page(path, scheme=…, width=…): a page of a fresh profile that notes complaints and addresses."""
    contexts = []

    def open_(path="/projects/7", *, scheme="light", width=1200, **options):
        context = browser.new_context(
            base_url=site.url,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.asked = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()


def wait_for_map(page):
    expect(page.locator(".map-legend button").first).to_be_visible()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_screen_reader_meets_no_serious_fault(name, scheme, open_page):
    page = open_page(PAGES[name], scheme=scheme)
    if name == "rich":
        wait_for_map(page)
        page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    found = Axe().run(page).response["violations"]
    serious = [(fault["id"], fault["nodes"][0]["html"]) for fault in found if fault["impact"] != "minor"]
    assert serious == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", SCENES)
def test_at_no_moment_of_a_project_a_screen_reader_meets_a_serious_fault(name, scheme, open_page, site):
    page = open_page(add_scene(site.context, name), scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found if fault["impact"] != "minor"] == []


@pytest.mark.parametrize("name", ["empty", "ten", "fifty", "three-hundred", "faults"])
def test_the_page_of_a_first_week_is_no_scroll_of_many_screens(name, open_page, site):
    page = open_page(add_scene(site.context, name), width=1400)
    wait_for_map(page)
    assert page.evaluate("document.documentElement.scrollHeight") <= 2550
    assert page.evaluate("document.documentElement.scrollWidth") <= 1400


def test_on_a_phone_tables_are_cards(open_page, site):
    page = open_page(add_scene(site.context, "three-hundred"), width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cell = page.locator(".stack tbody td").first
    assert cell.evaluate("(cell) => getComputedStyle(cell).display") != "table-cell"
    assert page.get_by_role("cell").count() > 5


def test_the_first_paint_does_not_wait_for_the_map(open_page, site, browser):
    page = open_page("/projects")
    held = []
    page.route("**/map.json", lambda route: held.append(route))
    page.goto("/projects/7")
    expect(page.locator(".fact.accuracy .number")).to_have_text("83 %")
    paints = page.evaluate("performance.getEntriesByName('first-contentful-paint').length")
    assert paints == 1 and len(held) == 1
    expect(page.locator(".map-legend button")).to_have_count(0)
    held[0].abort()


def test_the_contents_stay_in_sight_and_lead_to_each_section(open_page):
    page = open_page()
    wait_for_map(page)
    for link in page.locator("nav.contents a").all():
        link.click()
        assert page.locator("nav.contents").bounding_box()["y"] >= 0
        target = page.locator(link.get_attribute("href"))
        assert 0 <= target.bounding_box()["y"] < 900


def test_nothing_is_asked_of_anybody_else_and_the_browser_has_no_complaint(open_page, site):
    page = open_page()
    wait_for_map(page)
    assert page.locator(".plot canvas").count() == 2
    assert {urlsplit(url).netloc for url in page.asked} == {urlsplit(site.url).netloc}
    assert page.complaints == []


@pytest.mark.parametrize("width", [375, 768, 1200])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_the_screen(name, width, open_page):
    page = open_page(PAGES[name], width=width)
    if name == "rich":
        wait_for_map(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_texts_of_tasks_stay_texts(open_page):
    page = open_page()
    wait_for_map(page)
    surface = page.locator(".surface")
    surface.focus()
    surface.focus()
    for _ in range(page.request.get("/projects/7/map.json").json()["points"]["task"].index(1) + 1):
        surface.press("ArrowRight")
    expect(page.locator(".tip")).to_contain_text(EVIL)
    assert page.locator("img").count() == 0
    assert "Support requests" in page.title()


def test_the_map_tells_of_the_task_under_the_pointer(open_page):
    page = open_page()
    wait_for_map(page)
    tip, box = page.locator(".tip"), page.locator(".surface").bounding_box()
    page.locator(".surface").scroll_into_view_if_needed()
    box = page.locator(".surface").bounding_box()
    for step in range(40):
        page.mouse.move(box["x"] + box["width"] * (0.3 + step / 100), box["y"] + box["height"] / 2)
    expect(tip).to_contain_text(re.compile(r"Task \d+"))
    expect(tip).to_contain_text("sure")
    page.mouse.move(box["x"] + 20, box["y"] - 60)
    expect(tip).to_be_hidden()


def test_a_click_on_a_point_opens_its_task(open_page):
    page = open_page()
    wait_for_map(page)
    surface = page.locator(".surface")
    surface.scroll_into_view_if_needed()
    page.context.route("**/label-studio.test/**", lambda route: route.fulfill(body="a task"))
    with page.context.expect_page() as opened:
        surface.click()
    assert re.fullmatch(rf"{FakeLabelStudio.url}/projects/7/data\?task=\d+", opened.value.url)
    number = opened.value.url.rpartition("=")[2]
    expect(page.locator(".tip")).to_contain_text(f"Task {number}")
    expect(page.locator(".tip").get_by_role("link")).to_have_attribute("href", opened.value.url)


def test_what_a_pointer_asked_for_before_a_click_lets_go_of_no_tip(open_page):
    page = open_page()
    wait_for_map(page)
    surface = page.locator(".surface")
    surface.scroll_into_view_if_needed()
    page.context.route("**/label-studio.test/**", lambda route: route.fulfill(body="a task"))
    asked = []
    page.route(
        re.compile(r"/tasks\.json\?task="),
        lambda route: route.continue_() if asked else asked.append(route),
    )
    surface.hover()
    with page.context.expect_page():
        surface.click()
    link = page.locator(".tip").get_by_role("link")
    expect(link).to_be_visible()
    with page.expect_response(re.compile(r"task=")):
        asked[0].continue_()
    page.mouse.move(0, 0)
    expect(link).to_be_visible()


def test_the_map_can_be_read_with_the_keyboard(open_page, site):
    page = open_page()
    wait_for_map(page)
    surface = page.locator(".surface")
    surface.focus()
    surface.press("ArrowRight")
    expect(page.locator("#map-task")).to_contain_text(re.compile(r"Task \d+"))
    first = page.locator("#map-task").inner_text()
    surface.press("ArrowRight")
    expect(page.locator("#map-task")).not_to_have_text(first)
    page.context.route("**/label-studio.test/**", lambda route: route.fulfill(body="a task"))
    with page.context.expect_page() as opened:
        surface.press("Enter")
    assert re.fullmatch(rf"{FakeLabelStudio.url}/projects/7/data\?task=\d+", opened.value.url)
    surface.press("Escape")
    expect(page.locator(".tip")).to_be_hidden()


def test_on_a_phone_a_tap_shows_the_task_with_a_link(open_page):
    page = open_page(width=375, has_touch=True, is_mobile=True)
    wait_for_map(page)
    surface = page.locator(".surface")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".tip a")).to_have_attribute("href", re.compile(r"/projects/7/data\?task=\d+$"))


def test_the_map_is_coloured_by_what_one_chooses(open_page):
    page = open_page()
    wait_for_map(page)
    legend = page.locator(".map-legend").first
    expect(legend).to_contain_text("card arrival")
    page.select_option("#colour", "label")
    expect(legend).to_contain_text("none")
    page.select_option("#colour", "confidence")
    expect(legend).to_contain_text("below 50 %")
    button = legend.locator("button").first
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-picked] h3")).to_contain_text("tasks: ")


def test_the_numbers_of_the_curve_can_be_read_off(open_page):
    page = open_page()
    wait_for_map(page)
    page.locator('[data-chart="curve"] .u-over').hover()
    expect(page.locator('[data-readout="curve"]')).to_contain_text(
        re.compile(r"\d+ answers: this order \d+ %")
    )


def test_progress_is_shown_while_a_loop_runs_without_loading_the_page_again(open_page, site):
    page = open_page()
    running = page.locator(".running")
    expect(running).to_be_hidden()
    site.change_project(
        lease_owner="a/1/1",
        lease_until=time.time() + 60,
        progress={"stage": "encoding texts", "done": 250, "total": 1000, "at": 0},
    )
    expect(running).to_contain_text("encoding texts: 250 of 1,000")
    expect(page.locator("#learning")).to_have_js_property("value", 0.25)
    site.end_a_loop()
    site.change_project(lease_owner=None, lease_until=0.0, progress={}, active_version="nl-000006")
    expect(running).to_be_hidden()
    expect(page.locator("[data-item=version]")).to_contain_text("model 6")
    page.get_by_text("Show the new figures").click()
    expect(page.locator(".rows .current")).to_contain_text("model 6")


def test_a_version_serves_again_and_a_class_is_added_by_the_page_alone(open_page, site):
    number = site.label_studio.add_project(texts=write_texts(40))
    workbench = Workbench(site.context, site.label_studio, number)
    workbench.connect()
    workbench.label(6)
    workbench.loop()
    with site.context.database.session() as session:
        session.add(
            NovelGroup(
                project_id=workbench.project.id,
                number=1,
                name="birds",
                members=[1, 2, 3, 4, 5],
                typical=[1, 2],
                version="nl-000002",
            )
        )
    page = open_page(f"/projects/{number}")
    page.locator("#progress ~ .pair summary", has_text="to model 1, by label names").click()
    expect(page.get_by_text("No answer is lost.").first).to_be_visible()
    page.get_by_role("button", name="Go back to model 1, by label names").click()
    expect(page.get_by_role("status").first).to_contain_text("Model 1, by label names is in use again")
    assert workbench.version == "nl-000001-label-names"

    page.locator("#waits-group-1 summary").click()
    expect(page.locator("#waits-group-1")).to_contain_text("becomes a label in Label Studio")
    name = page.get_by_label("Name of the class")
    expect(name).to_have_value("birds")
    name.fill("parrots")
    name.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("“parrots” is a class now.")
    assert 'value="parrots"' in workbench.remote["label_config"]
    page.get_by_text("What people decided").click()
    expect(page.get_by_text("made “parrots” a class")).to_be_visible()


def test_not_a_class_is_the_other_button(open_page, site):
    page = open_page()
    page.get_by_role("button", name="Not a class").first.click()
    expect(page.get_by_role("status").first).to_contain_text("is not a class")
    with site.context.database.session() as session:
        states = session.scalars(select(NovelGroup.state).order_by(NovelGroup.number)).all()
    assert states == ["rejected", "open", "open"]


def test_everything_that_can_be_pressed_can_be_reached_with_the_keyboard(open_page):
    page = open_page()
    wait_for_map(page)
    wanted = page.locator(
        "main :is(a[href], button, input:not([type=hidden]), select, summary):visible"
    ).count()
    reached = set()
    for _ in range(3 * wanted):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("[...document.querySelectorAll('main *')].indexOf(document.activeElement)"))
    pressable = page.evaluate(
        """[...document.querySelectorAll('main *')].flatMap((element, index) =>
            element.matches('a[href], button, input:not([type=hidden]), select, summary') &&
            element.checkVisibility() ? [index] : [])"""
    )
    assert set(pressable) <= reached


@pytest.mark.parametrize("scheme", SCHEMES)
def test_labels_are_merged_with_a_preview_and_taken_back_without_a_script(scheme, open_page, site):
    number = site.label_studio.add_project(labels=("cats", "dogs", "birds"), texts=write_texts(40))
    workbench = Workbench(site.context, site.label_studio, number)
    workbench.connect()
    workbench.label(6)
    workbench.loop()
    before = workbench.remote["label_config"]
    page = open_page(f"/projects/{number}", scheme=scheme, width=390, java_script_enabled=False)
    page.locator("#labels ~ .cards summary", has_text="Merge labels").click()
    page.get_by_role("checkbox", name="birds").check()
    page.get_by_label("The label that stays").select_option("dogs")
    page.get_by_role("button", name="See what changes").first.click()
    expect(page.get_by_text("“birds” will be “dogs”.")).to_be_visible()
    assert workbench.remote["label_config"] == before
    page.get_by_role("button", name="Merge labels").click()
    expect(page.get_by_role("status").first).to_contain_text("Done: 0 annotations changed.")
    assert "birds" not in workbench.remote["label_config"]
    page.locator("summary", has_text="Take it back").click()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status").first).to_contain_text("Taken back")
    assert workbench.remote["label_config"] == before


def test_the_preview_of_a_change_of_labels_has_no_serious_fault(open_page, site):
    number = site.label_studio.add_project(texts=write_texts(40))
    Workbench(site.context, site.label_studio, number).connect()
    page = open_page(f"/projects/{number}")
    page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    assert [fault["id"] for fault in Axe().run(page).response["violations"]] == []
    page.locator("form:has(input[value=rename]) select").select_option("cats")
    page.get_by_label("Its new name").fill("felines")
    page.get_by_label("Its new name").press("Enter")
    expect(page.get_by_text("“cats” will be called “felines”.")).to_be_visible()
    assert [fault["id"] for fault in Axe().run(page).response["violations"]] == []
