"""Pictures uploaded to a real Label Studio: fetched with our token, learned, pre-annotated, ordered."""

import base64
import io

import pytest

from tests.e2e.connected import ConnectedProject
from tests.pictures import COLD, WARM, draw

CONFIG = f"""<View>
  <Image name="image" value="$image"/>
  <Choices name="colour" toName="image" required="true">
    <Choice value="{WARM}"/><Choice value="{COLD}"/>
  </Choices>
</View>"""
COUNT = 30


def upload(project):
    """Pictures of two kinds as files of the project, and one file that is none."""
    for number in range(COUNT):
        label = WARM if number % 2 else COLD
        name = f"{label}-{number}.png"
        files = {"file": (name, io.BytesIO(draw(label, number)), "image/png")}
        project.client.post(f"/api/projects/{project.id}/import", files=files).raise_for_status()
    broken = {"file": ("broken.png", io.BytesIO(b"\x89PNG\r\n\x1a\nnothing"), "image/png")}
    project.client.post(f"/api/projects/{project.id}/import", files=broken).raise_for_status()


def label_of(address):
    return COLD if f"{COLD}-" in address else WARM


@pytest.fixture
def project(make_project, shared_backend):
    inside = "data:image/png;base64," + base64.b64encode(draw(WARM, COUNT)).decode()
    made = make_project(tasks=[{"image": inside}], label_config=CONFIG)
    upload(made)
    return ConnectedProject(made, shared_backend).connect(queue_window=12)


def test_uploaded_pictures_are_learned_and_what_cannot_be_read_is_told(project):
    addresses = {task["id"]: task["data"]["image"] for task in project.project.fetch_tasks()}
    assert len(addresses) == COUNT + 2
    (broken,) = [task_id for task_id, address in addresses.items() if "broken" in address]
    window = project.window()
    assert len(window) == 12 and broken not in window
    for task_id in window[:10]:
        region = {"from_name": "colour", "to_name": "image", "type": "choices"}
        value = {"value": {"choices": [label_of(addresses[task_id])]}}
        project.project.submit(task_id, [region | value])
    project.ask_for_loop()
    project.wait_for_worker()

    told = {row["task"]: row["result"] for row in project.predictions().values() if row["result"]}
    right = [
        result[0]["value"]["choices"] == [label_of(addresses[task_id])] for task_id, result in told.items()
    ]
    assert len(right) >= 5 and sum(right) >= 0.8 * len(right)
    served = project.project.serve_next()
    assert served["id"] == next(task_id for task_id in project.window())
    assert "1 picture" in str(project.run("doctor"))
