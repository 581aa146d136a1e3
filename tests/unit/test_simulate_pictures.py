"""`nextlabel simulate` on pictures: from rows, folders and exports, in place of texts or beside them."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from backend.errors import BadRequest
from backend.label_studio.tasks import content_hash
from backend.simulation.answered_file import read_answered_file
from backend.simulation.encoding import encode_items
from backend.simulation.local_files import LocalFiles
from backend.simulation.rows import Wanted, read_labelled_file
from backend.simulation.seen import see_rows
from backend.simulation.source import read_answered_source, read_source
from backend.simulation.sourced_rows import read_sourced_file
from backend.store.pictures import PictureTask
from backend.workflows.intake.fetch_pictures import Unkept, embed_shown
from backend.workflows.project.progress import Silent
from model.encoders.joined import Layout
from model.encoders.pictures import read_picture
from model.encoders.table import IMAGE_ENCODERS
from tests.pictures import COLD, WARM, FewPixels, Files, draw

FEW = ["--budgets", "4,8", "--seeds", "2", "--strategies", "", "--batch", "4", "--json"]
COUNT = 40


class Counting(FewPixels):
    """Counts the pictures that it is given."""

    def __init__(self):
        super().__init__(5)
        self.seen = 0

    def encode(self, pictures, *, progress=None):
        """Unit vectors (n, d)."""
        self.seen += len(pictures)
        return super().encode(pictures, progress=progress)


@pytest.fixture
def image_encoder(monkeypatch):
    encoder = Counting()
    monkeypatch.setitem(IMAGE_ENCODERS, "pixels", lambda: encoder)
    monkeypatch.setenv("IMAGE_ENCODER", "pixels")
    return encoder


@pytest.fixture
def picture_context(image_encoder, make_context, make_settings):
    return make_context(make_settings(image_encoder="pixels"))


def label_of(number):
    return WARM if number % 2 else COLD


@pytest.fixture
def folder(tmp_path):
    """A folder for each of two classes, with twenty pictures each."""
    root = tmp_path / "photos"
    for number in range(COUNT):
        put(root / label_of(number) / f"{number:02d}.png", draw(label_of(number), number))
    return root


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rows_of(folder, **more):
    """A row for each picture, its path relative to the folder."""
    return [{"image": str(path), "label": path.parent.name} | more for path in relative(folder)]


def relative(folder):
    return [path.relative_to(folder) for path in sorted(folder.glob("*/*.png"))]


def listed(image):
    return image if isinstance(image, list) else [image] if image else []


def run(simulate, *arguments):
    result = simulate(["simulate", *map(str, arguments)])
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def test_a_folder_of_classes_is_simulated_and_nothing_is_encoded_twice(simulate, image_encoder, folder):
    figures = json.loads(run(simulate, "labels", folder, *FEW).stdout)
    assert (figures["dataset"], figures["n_pool"], figures["n_test"]) == ("photos", 28, 12)
    assert np.mean(figures["strategies"]["default"]["accuracy"]) >= 0.9
    assert image_encoder.seen == COUNT
    assert json.loads(run(simulate, "labels", folder, *FEW).stdout)["n_pool"] == 28
    assert image_encoder.seen == COUNT


def test_words_cannot_be_counted_in_pictures(simulate, image_encoder, folder):
    result = simulate(["simulate", "labels", str(folder), *FEW, "--representation", "tfidf"])
    assert isinstance(result.exception, BadRequest) and "pictures alone" in result.exception.message


def test_rows_name_pictures_relative_to_the_file(simulate, image_encoder, folder):
    same = json.loads(run(simulate, "labels", folder, *FEW).stdout)["strategies"]["random"]["accuracy"]
    path = write(folder / "rows.jsonl", rows_of(folder))
    found = json.loads(run(simulate, "labels", path, *FEW).stdout)
    assert found["strategies"]["random"]["accuracy"] == same


def test_the_vectors_are_those_of_the_loop(picture_context, image_encoder, folder):
    rows = rows_of(folder)
    rows[0]["image"] = [rows[0]["image"], rows[1]["image"]]
    rows[2]["text"], rows[3]["text"], rows[3]["image"] = "a warm disc", "a text alone", None
    path = write(folder / "rows.jsonl", rows)
    kept, left = see_rows(picture_context, read_labelled_file(path).rows, LocalFiles(folder), Silent())
    assert left == ""
    found = encode_items(picture_context, kept, [WARM, COLD], Silent())

    pictures = {name: (folder / name).read_bytes() for name in (str(p) for p in relative(folder))}
    live = replace(picture_context, media=lambda: Files(pictures))
    joined = live.encoders.joined(None, Layout(True, ("i",))).get()
    tasks = [
        PictureTask(number, content_hash(str(number)), row.get("text", ""), {"i": listed(row["image"])})
        for number, row in enumerate(rows)
    ]
    vectors = embed_shown(live, joined, tasks, Unkept(), until=float("inf"))
    for number in range(COUNT):
        np.testing.assert_array_equal(found.items[number], vectors[content_hash(str(number))])
    np.testing.assert_array_equal(found.names, joined.encode([WARM, COLD]))


def test_names_say_nothing_of_pictures_alone(picture_context, folder):
    rows, _ = see_rows(picture_context, read_labelled_file(folder).rows, LocalFiles(folder), Silent())
    assert encode_items(picture_context, rows, [WARM, COLD], Silent()).names is None


def test_what_cannot_be_read_is_left_out_and_named(picture_context, folder):
    put(folder / WARM / "broken.png", b"\x89PNG\r\n\x1a\nnothing")
    put(folder / WARM / "notes.txt", b"warm ones")
    rows = [*rows_of(folder), {"image": "warm/gone.png", "label": WARM}]
    path = write(folder / "rows.jsonl", [*rows, {"image": "https://example.org/a.png", "label": COLD}])
    found = read_source(picture_context, path, None, Wanted(), Silent())
    assert len(found.rows) == COUNT
    (said,) = [note for note in found.notes if "left out" in note]
    assert said.startswith("3 of 43 rows are left out:")
    assert "cannot be read: it is broken (warm/broken.png)" in said
    assert "there is no such file (warm/gone.png)" in said
    assert "on the web (--project fetches it) (https://example.org/a.png)" in said
    of_folder = read_source(picture_context, folder, None, Wanted(), Silent())
    assert len(of_folder.rows) == COUNT
    assert "no picture of a format that is read (warm/notes.txt)" in of_folder.notes[-1]


def test_all_broken_stops_with_the_reasons(simulate, image_encoder, folder):
    rows = [{"image": f"/data/upload/3/{n}.png", "label": label_of(n)} for n in range(20)]
    path = write(folder / "rows.jsonl", rows)
    for command in ("labels", "novelty"):
        result = simulate(["simulate", command, str(path)])
        assert isinstance(result.exception, BadRequest)
        assert "no picture can be read. 20 of 20 rows are left out" in result.exception.message
        assert "in Label Studio" in result.exception.message and "--project" in result.exception.hint


def test_folders_and_files_that_do_not_belong_are_told(folder):
    put(folder / "readme.txt", b"photos")
    put(folder / WARM / "more" / "1.png", draw(WARM, 1))
    (folder / "empty").mkdir()
    put(folder / ".hidden" / "1.png", b"")
    found = read_labelled_file(folder)
    assert len(found.rows) == COUNT
    assert found.notes == (
        "A folder of classes: 40 files in 2 classes.",
        "Files beside the folders of classes are not read: 1 (readme.txt).",
        "Folders inside those of classes are not read: 1 (warm/more).",
        "Folders without a file: 1 (empty).",
    )


def test_folders_called_train_and_test_are_splits(tmp_path):
    for number in range(12):
        put(tmp_path / ("test" if number > 8 else "train") / label_of(number) / f"{number}.png", b"x")
    found = read_labelled_file(tmp_path)
    assert [row.is_test for row in found.rows].count(True) == 3
    assert {row.label for row in found.rows} == {WARM, COLD}


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="holds no folder with files"):
        read_labelled_file(tmp_path)


def test_numbers_for_names_of_folders_are_classes(tmp_path):
    for number in range(12):
        put(tmp_path / str(number % 3 + 4) / f"{number}.png", b"x")
    (question,) = read_answered_file(tmp_path, Wanted()).questions
    assert [label.name for label in question.labels] == ["4", "5", "6"]


def test_a_column_of_pictures_is_guessed_and_said(folder):
    lines = [f"{row['image']},{row['label']}" for row in rows_of(folder)]
    path = folder / "rows.csv"
    path.write_text("\n".join(["where,kind", *lines]))
    found = read_labelled_file(path)
    assert len(found.rows) == COUNT and all(row.pictures for row in found.rows)
    assert "pictures from 'where', labels from 'kind'" in found.notes[0]
    named = read_labelled_file(path, Wanted(image_field="where", label_field="kind"))
    assert (named.notes, len(named.rows)) == ((), COUNT)
    with pytest.raises(BadRequest, match="no column 'photo'"):
        read_labelled_file(path, Wanted(image_field="photo"))


def test_pictures_that_are_elsewhere_leave_texts_as_they_were(tmp_path):
    rows = [
        {"text": f"number {n}", "avatar": f"https://example.org/{n}.png", "label": label_of(n)}
        for n in range(20)
    ]
    found = read_labelled_file(write(tmp_path / "rows.jsonl", rows))
    assert [row.pictures for row in found.rows] == [()] * 20
    assert "Pictures in 'avatar'" in found.notes[0] and "texts alone" in found.notes[0]


def a_task(number, image):
    region = {"from_name": "c", "to_name": "i", "type": "choices", "value": {"choices": [label_of(number)]}}
    return {"id": number, "data": {"image": image}, "annotations": [{"result": [region]}]}


@pytest.mark.parametrize(
    "place",
    [
        "{folder}/{name}",
        "{name}",
        "/data/local-files/?d={name}",
        "/data/upload/{name}",
        "file://{folder}/{name}",
    ],
)
def test_local_paths_in_an_export_are_read(picture_context, folder, place):
    if "upload" in place:
        (folder / "upload").mkdir()
        for name in (WARM, COLD):
            (folder / name).rename(folder / "upload" / name)
    tasks = [a_task(n, place.format(folder=folder, name=f"{label_of(n)}/{n:02d}.png")) for n in range(COUNT)]
    path = folder / "export.json"
    path.write_text(json.dumps(tasks))
    found = read_source(picture_context, path, None, Wanted(), Silent())
    assert len(found.rows) == COUNT


def test_an_export_with_its_config_is_read_through_it(picture_context, folder):
    config = (
        '<View><Image name="i" value="$image"/><Choices name="c" toName="i">'
        f'<Choice value="{WARM}"/><Choice value="{COLD}"/></Choices></View>'
    )
    tasks = [a_task(n, f"{label_of(n)}/{n:02d}.png") for n in range(COUNT)]
    path = folder / "export.json"
    path.write_text(json.dumps({"project": {"label_config": config}, "tasks": tasks}))
    found = read_answered_file(path, Wanted())
    assert "Read through its labeling config." in found.notes
    assert len(found.rows) == COUNT and all(len(row.pictures) == 1 for row in found.rows)


def test_a_picture_may_stand_in_the_row_itself(picture_context):
    inside = "data:image/png;base64," + base64.b64encode(draw(WARM, 1)).decode()
    files = LocalFiles(picture_context.settings.data_dir)
    assert files.fetch(inside, task_id=0) == draw(WARM, 1)


def test_a_novel_class_of_pictures_is_looked_for(simulate, image_encoder, folder):
    for number in range(20):
        grey = read_picture(draw(WARM, number)).convert("L").rotate(45)
        path = folder / "grey" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        grey.save(path)
    options = ["--hold-out-classes", "1", "--labels-per-class", "0", "--seeds", "1", "--json"]
    figures = json.loads(run(simulate, "novelty", folder, *options).stdout)
    assert len(figures["auroc"]) == 1


def test_synthetic_pictures_are_judged_and_no_words_make_no_twins(simulate, image_encoder, tmp_path):
    for number in range(60):
        source = "synthetic" if number >= 50 else "real"
        put(tmp_path / "made" / source / label_of(number) / f"{number}.png", draw(label_of(number), number))
    figures = json.loads(run(simulate, "synthetic", tmp_path / "made", "--json").stdout)
    assert figures["n_synthetic"] == 10
    assert not all(item["duplicate_of"] for item in figures["items"])
    assert figures["items"][0]["id"] == f"synthetic/{label_of(50)}/50.png"
    shown = run(simulate, "synthetic", tmp_path / "made").output
    assert "A folder of classes: 60 files in 2 classes." in shown


def test_folders_of_pictures_need_to_say_which_are_synthetic(folder):
    with pytest.raises(BadRequest, match="no row has the column 'source'") as caught:
        read_sourced_file(folder, Wanted())
    assert "real and synthetic" in caught.value.hint


def test_a_synthetic_picture_that_repeats_a_real_one_is_named_as_the_file_does(
    simulate, image_encoder, tmp_path
):
    rows = []
    for number in range(62):
        base = 4 if number >= 60 else number
        put(tmp_path / f"p{number}.png", draw(label_of(base), base))
        source = "synthetic" if number >= 50 else "real"
        split = {} if number >= 50 else {"split": "test" if number >= 40 else "train"}
        rows.append({"image": f"p{number}.png", "label": label_of(base), "source": source} | split)
    path = write(tmp_path / "made.jsonl", rows)
    for _ in range(2):  # the second time nothing is read again but the look that was kept
        figures = json.loads(run(simulate, "synthetic", path, "--json").stdout)
        copy = figures["items"][-1]
        assert (copy["verdict"], copy["duplicate_of"]) == ("redundant", 5)
        assert copy["reason"] == f"The same picture as real item 5 ({label_of(4)})."
    assert image_encoder.seen == 60


def test_the_pictures_of_a_project_are_fetched(picture_context, label_studio, make_app):
    config = (
        '<View><Image name="i" value="$image"/><Choices name="c" toName="i">'
        f'<Choice value="{WARM}"/><Choice value="{COLD}"/></Choices></View>'
    )
    addresses = {f"/data/upload/1/{n}.png": draw(label_of(n), n) for n in range(20)}
    files = Files(dict(list(addresses.items())[:19]))
    context = replace(picture_context, media=lambda: files)
    make_app(context)
    project = label_studio.add_project(label_config=config)
    for number, task in enumerate(label_studio.add_tasks(project, [{"image": a} for a in addresses])):
        label_studio.annotate(task, label_of(number), user=1)
    for read in (read_source, read_answered_source):
        found = read(context, None, project, Wanted(), Silent())
        assert len(found.rows) == 19
        assert (
            "1 of 20 rows is left out: 1 has a picture" in found.notes[-1]
            and "the answer is 404" in found.notes[-1]
        )
    assert set(files.asked) == set(addresses)


def test_several_questions_of_pictures_alone_are_simulated(simulate, image_encoder, folder):
    rows = [
        row | {"labels": {"what": [row["label"]] if number % 4 else [], "stars": 1 + number % 3}}
        for number, row in enumerate(rows_of(folder))
    ]
    path = write(folder / "rows.jsonl", [{k: v for k, v in row.items() if k != "label"} for row in rows])
    figures = json.loads(run(simulate, "labels", path, *FEW).stdout)
    assert set(figures["questions"]) == {"what", "stars"}
