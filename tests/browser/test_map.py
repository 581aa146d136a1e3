"""The map as people use it: they search, draw around tasks, switch marks, and let something become of it."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from backend.label_studio.client import LabelStudio
from backend.label_studio.tabs import PICKED_FIELD, picked_mark, picked_tab
from backend.workflows.intake.chosen import waiting_choice
from tests.browser.test_dashboard import open_page, site, wait_for_map
from tests.topics import topic_of, write_texts
from tests.workbench import Workbench

__all__ = ["open_page", "site"]


@pytest.fixture
def zoo(site):
    """A project of cats and dogs after some labels, a skip among them."""
    number = site.label_studio.add_project(texts=write_texts(60))
    workbench = Workbench(site.context, site.label_studio, number)
    workbench.connect(audit_share=0.1)
    workbench.label(8)
    site.label_studio.annotate(workbench.window[0], None, cancelled=True)
    workbench.loop()
    return workbench


def listed(page):
    """Numbers of the tasks in the list of what is picked."""
    links = page.locator("[data-picked] li a").evaluate_all("(links) => links.map((link) => link.href)")
    return [int(link.rpartition("=")[2]) for link in links]


def test_tasks_are_found_and_become_a_tab_or_come_first_until_that_is_taken_back(open_page, zoo, site):
    page = open_page(f"/projects/{zoo.project_id}", width=1400)
    wait_for_map(page)
    page.get_by_label("Find texts like this sentence").fill("purr meow whiskers")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.locator("[data-picked] h3")).to_have_text("50 tasks: like “purr meow whiskers”")
    expect(page.locator("[data-picked] li")).to_have_count(8)
    found = listed(page)
    assert {topic_of(zoo.tasks[task]["data"]["text"]) for task in found} == {"cats"}
    said = page.locator("[data-said]")

    page.get_by_label("Name of the tab").fill("Purring")
    page.get_by_role("button", name="Make a tab in Label Studio").click()
    expect(said).to_contain_text("The tab is there, with 50 tasks.")
    (tab,) = (row for row in site.label_studio.tabs.values() if row["data"]["title"] == "Purring")
    expect(said.get_by_role("link")).to_have_attribute("href", re.compile(rf"/data\?tab={tab['id']}$"))

    page.get_by_role("button", name="Ask these next").click()
    expect(said).to_contain_text("will come first")
    chosen = waiting_choice(zoo.workspace)
    assert chosen and [task for task in found if task in chosen] == [task for task in chosen if task in found]
    expect(page.locator("[data-asked]")).to_contain_text("picked here come first")
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("[data-asked]")).to_be_hidden()
    assert waiting_choice(zoo.workspace) == []

    page.get_by_role("button", name=f"More like task {found[3]}", exact=True).click()
    expect(page.locator("[data-picked] h3")).to_contain_text(f"like task {found[3]}")
    expect(page.locator("[data-picked] li a").first).to_have_attribute(
        "href", re.compile(rf"task={found[3]}$")
    )
    page.get_by_role("button", name="Pick none").click()
    expect(page.locator("[data-picked]")).to_be_hidden()
    assert page.complaints == []


def test_a_class_a_mark_and_a_line_around_tasks_pick_them(open_page, zoo):
    page = open_page(f"/projects/{zoo.project_id}", scheme="dark", width=1400)
    wait_for_map(page)
    heading, legend = page.locator("[data-picked] h3"), page.locator(".map-legend").first
    legend.get_by_role("button", name=re.compile("^cats")).click()
    expect(heading).to_have_text(re.compile(r"^\d+ tasks: cats$"))
    page.get_by_role("button", name=re.compile("^Up next")).click()
    expect(heading).to_have_text(re.compile(r"^\d+ tasks?: cats, up next$"))
    expect(page.locator("[data-picked] li").first).to_be_visible()
    assert set(listed(page)) <= set(zoo.window)
    page.get_by_role("button", name="Pick none").click()

    page.get_by_role("button", name="Lasso").click()
    box = page.locator(".surface").bounding_box()
    corners = [(0.01, 0.15), (0.99, 0.15), (0.99, 0.99), (0.01, 0.99)]
    places = [(box["x"] + across * box["width"], box["y"] + down * box["height"]) for across, down in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()
    expect(heading).to_have_text(re.compile(r"^\d+ tasks: inside the lasso$"))
    serious = [
        (fault["id"], fault["nodes"][0]["html"])
        for fault in Axe().run(page, "section:has(#map)").response["violations"]
        if fault["impact"] != "minor"
    ]
    assert serious == []


def test_the_map_is_zoomed_by_buttons_keys_and_wheel_and_says_so(open_page, zoo):
    page = open_page(f"/projects/{zoo.project_id}", width=390, has_touch=True, is_mobile=True)
    wait_for_map(page)
    surface = page.locator(".surface")
    is_zoomed = re.compile(r"\bzoomed\b")
    page.get_by_role("button", name="Zoom in").click()
    expect(surface).to_have_class(is_zoomed)
    page.get_by_role("button", name="Show all").click()
    expect(surface).not_to_have_class(is_zoomed)
    surface.focus()
    surface.press("+")
    expect(surface).to_have_class(is_zoomed)
    surface.press("0")
    expect(surface).not_to_have_class(is_zoomed)
    expect(page.locator(".map-hint")).to_contain_text("zoom")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_class_has_one_colour_by_label_and_by_prediction(open_page, zoo):
    page = open_page(f"/projects/{zoo.project_id}")
    wait_for_map(page)

    def colours():
        return {
            button.inner_text().partition(" (")[0]: button.locator(".swatch").evaluate(
                "(swatch) => getComputedStyle(swatch).backgroundColor"
            )
            for button in page.locator(".map-legend").first.locator("button").all()
        }

    by_prediction = colours()
    page.select_option("#colour", "label")
    by_label = colours()
    assert {"cats", "dogs"} <= set(by_prediction) and by_prediction["cats"] != by_prediction["dogs"]
    assert {name: by_label[name] for name in ("cats", "dogs")} == {
        name: by_prediction[name] for name in ("cats", "dogs")
    }


def test_label_studio_shows_a_tab_of_picked_tasks_and_keeps_it_when_its_filters_are_opened(
    signed_in_page, label_studio, make_project
):
    project, page = make_project(texts=write_texts(12)), signed_in_page
    tasks = [task["id"] for task in project.fetch_tasks()]
    remote = LabelStudio(label_studio.url, label_studio.token)
    remote.set_task_field(project.id, tasks[:2], PICKED_FIELD, picked_mark([7]))
    remote.set_task_field(project.id, tasks[2:5], PICKED_FIELD, picked_mark([3, 7]))
    remote.set_task_field(project.id, tasks[5:], PICKED_FIELD, picked_mark([77]))
    tab = remote.create_tab(project.id, picked_tab("Odd ones", 7))["id"]
    remote.close()
    for _ in range(2):
        page.goto(f"/projects/{project.id}/data?tab={tab}")
        expect(page.get_by_text("Tasks: 5 / 12")).to_be_visible(timeout=60_000)
        page.locator("button", has_text="Filters").first.click()
        expect(page.get_by_text("Add Another Filter")).to_be_visible()
        expect(page.get_by_text("Tasks: 5 / 12")).to_be_visible()
