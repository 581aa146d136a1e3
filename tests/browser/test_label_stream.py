"""What an annotator sees: the published order, the pre-annotation filled in, audit tasks left blank."""

import re

from playwright.sync_api import expect

from demo.waiting import wait_for

SUBMIT = "bottombar-submit-button"
TASK_ID = re.compile(r"\d+")


def shown_task(page):
    """Id of the task in the label stream, read off the page."""
    return int(TASK_ID.search(page.locator(".lsf-current-task__task-id").inner_text()).group())


def ticked(page):
    """Labels that are filled in."""
    return [box.get_attribute("name") for box in page.locator("input:checked[name]").all()]


def start_labeling(page, project):
    page.goto(f"/projects/{project.project.id}/data")
    page.get_by_text("Label All Tasks").first.click()
    page.get_by_test_id(SUBMIT).wait_for()


def put_away(page, words):
    """See a dialog with these words, then close it with Escape, pressed until the dialog has the focus."""
    expect(words).to_be_visible()

    def is_closed():
        page.keyboard.press("Escape")
        return not words.is_visible()

    wait_for(is_closed, "the dialog is still open", timeout_s=30)


def test_an_annotator_gets_the_published_order_with_the_predicted_label_filled_in(
    signed_in_page, connect_project
):
    project = connect_project(audit_share=0.0, preannotate_floor=0.0)
    order = project.window()
    predictions = project.predictions()
    start_labeling(signed_in_page, project)

    seen = []
    for position in range(3):
        wait_for(
            lambda position=position: shown_task(signed_in_page) == order[position],
            f"the page does not show task {order[position]}",
            timeout_s=20,
        )
        seen.append(shown_task(signed_in_page))
        (region,) = predictions[seen[-1]]["result"]
        assert ticked(signed_in_page) == region["value"]["choices"]
        signed_in_page.get_by_test_id(SUBMIT).click()

    assert seen == order[:3]


def test_an_audit_task_opens_blank(signed_in_page, connect_project):
    project = connect_project(audit_share=0.5, preannotate_floor=0.0)
    order, predictions = project.window(), project.predictions()
    blank = next(task for task in order if not predictions[task]["result"])
    project.annotate(*order[: order.index(blank)])
    start_labeling(signed_in_page, project)

    wait_for(
        lambda: shown_task(signed_in_page) == blank, f"the page does not show task {blank}", timeout_s=20
    )
    assert ticked(signed_in_page) == []
