"""A project of pictures in a real Label Studio: what annotators see of it, and what stands on its page."""

import base64
import io
import re

import pytest
from playwright.sync_api import expect

from demo.waiting import wait_for
from tests.browser.test_dashboard import wait_for_map
from tests.browser.test_label_stream import SUBMIT, shown_task, start_labeling, ticked
from tests.e2e.connected import ConnectedProject
from tests.pictures import COLD, STRIPES, WARM, draw

CONFIG = f"""<View>
  <Image name="image" value="$image"/>
  <Choices name="colour" toName="image" required="true">
    <Choice value="{WARM}"/><Choice value="{COLD}"/>
  </Choices>
</View>"""
LABELLED, OPEN, NEW = 24, 12, 12  # of the two classes with and without an answer, and of a third one
SIDE = 32  # pixels
HAS_PICTURE = "(side) => [...document.images].some((one) => one.complete && one.naturalWidth === side)"
FILLED = 0.93  # of the frame by all of the map
TEXTS = re.compile(r"\btexts?\b", re.IGNORECASE)


@pytest.fixture
def pictures(admin, make_project, shared_backend):
    """Uploaded pictures of two classes, some of them labelled, and of a third one; connected after that."""
    inside = "data:image/png;base64," + base64.b64encode(draw(WARM, LABELLED + OPEN)).decode()
    made = make_project(tasks=[{"image": inside}], label_config=CONFIG)
    labels = [WARM if number % 2 else COLD for number in range(LABELLED + OPEN)] + [STRIPES] * NEW
    drawn = [(f"{label}-{at}.png", draw(label, at, side=SIDE)) for at, label in enumerate(labels)]
    files = {name: (name, io.BytesIO(content), "image/png") for name, content in drawn}
    admin.post(f"/api/projects/{made.id}/import", files=files).raise_for_status()
    project = ConnectedProject(made, shared_backend)
    project.truth = {task["id"]: label_of(task) for task in made.fetch_tasks()}
    assert sorted(project.truth.values()) == sorted([WARM, *labels])
    known = [task_id for task_id, label in sorted(project.truth.items()) if label != STRIPES]
    for task_id in known[:LABELLED]:
        region = {"from_name": "colour", "to_name": "image", "type": "choices"}
        made.submit(task_id, [region | {"value": {"choices": [project.truth[task_id]]}}])
    return project.connect(audit_share=0.0, preannotate_floor=0.0)


def label_of(task):
    """What the name of the uploaded file says; the picture that is in its task is a warm one."""
    return next((label for label in (COLD, STRIPES) if f"-{label}-" in task["data"]["image"]), WARM)


@pytest.fixture
def dashboard(browser, pictures):
    """The page of the project, and what its browser complained about."""
    context = browser.new_context(
        base_url=pictures.backend.url, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(f"/projects/{pictures.project.id}")
    wait_for_map(page)
    yield page
    context.close()


def is_drawn(picture):
    """Whether a browser has read the bytes of an <img>."""
    return picture.evaluate("(image) => image.complete && image.naturalWidth > 0")


def hover_over_a_point(page, address):
    """Move to the point of the map that is in the middle from left to right; returns its tip."""
    points = page.request.get(f"{address}/map.json").json()["points"]
    page.locator(".surface").scroll_into_view_if_needed()
    box, middle = page.locator(".surface").bounding_box(), len(points["x"]) // 2
    left, right, low, high = (edge(points[way]) for way in ("x", "y") for edge in (min, max))
    across = 0.5 + (points["x"][middle] - (left + right) / 2) / (right - left) * FILLED
    down = 0.5 - (points["y"][middle] - (low + high) / 2) / (high - low) * FILLED
    page.mouse.move(box["x"] + across * box["width"] + 1, box["y"] + down * box["height"] + 1)
    expect(page.locator(".tip")).to_be_visible(timeout=20_000)
    return page.locator(".tip")


def label_two(page, pictures):
    """They come in the order published, with the picture there and the prediction filled in."""
    order, predictions = pictures.window(), pictures.predictions()
    start_labeling(page, pictures)
    for position in range(2):
        wait_for(
            lambda position=position: shown_task(page) == order[position],
            f"the page does not show task {order[position]}",
            timeout_s=20,
        )
        (region,) = predictions[order[position]]["result"]
        assert ticked(page) == region["value"]["choices"]
        wait_for(lambda: page.evaluate(HAS_PICTURE, SIDE), "the picture is not there", timeout_s=20)
        page.get_by_test_id(SUBMIT).click()


def see_the_strip(dashboard, pictures):
    """Of a class that the project lacks, named by the names of its files."""
    card = dashboard.get_by_role("article", name="A new class, “stripes”?", exact=True)
    expect(card).to_be_visible()
    strip = card.locator(".strip img")
    assert strip.count() >= 5
    wait_for(lambda: all(map(is_drawn, strip.all())), "a picture of the strip is not there", timeout_s=20)
    numbers = [int(link.get_attribute("href").rpartition("=")[2]) for link in card.locator(".strip a").all()]
    assert {pictures.truth[task_id] for task_id in numbers} == {STRIPES}


def look_at_the_map(dashboard, pictures):
    """The tip shows the picture, its label or the guess; so does the list of what is picked."""
    tip = hover_over_a_point(dashboard, f"/projects/{pictures.project.id}")
    expect(tip).to_contain_text(re.compile(r"Task \d+"))
    expect(tip).to_contain_text(re.compile(f"labelled|predicted ({WARM}|{COLD})"))
    wait_for(lambda: is_drawn(tip.locator("img")), "the tip has no picture", timeout_s=20)

    dashboard.locator(".map-legend button").first.click()
    picked = dashboard.locator("[data-picked] li img")
    expect(picked.first).to_be_visible()
    wait_for(lambda: all(map(is_drawn, picked.all())), "a picture of the list is not there", timeout_s=20)


def test_a_project_of_pictures_is_labelled_and_looked_at_in_a_browser(signed_in_page, dashboard, pictures):
    see_the_strip(dashboard, pictures)
    look_at_the_map(dashboard, pictures)
    assert not TEXTS.search(dashboard.locator("main").inner_text())
    assert dashboard.complaints == []
    label_two(signed_in_page, pictures)
