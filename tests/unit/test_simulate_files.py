"""`simulate` reads what people have, says what it assumed, and names what it cannot use in a sentence."""

import csv
import io
import json

import pytest

from backend.errors import BadRequest, NotFound
from backend.simulation.projects import read_project
from backend.simulation.rows import Wanted, read_labelled_file

REVIEWS = [
    (f"The {thing} was {word}, and number {number} of its kind", label)
    for label, words in {"good": ("lovely", "great"), "bad": ("awful", "broken")}.items()
    for word in words
    for thing in ("film", "book", "meal")
    for number in range(3)
]
WRITTEN = [("csv", ","), ("tsv", "\t"), ("txt", ";")]


def written(rows, *, delimiter=",", heading=("review", "stars_given")):
    lines = io.StringIO()
    writer = csv.writer(lines, delimiter=delimiter)
    writer.writerows([heading, *rows])
    return lines.getvalue()


@pytest.fixture
def put(tmp_path):
    """put("x.csv", text): a file that holds it; JSON where it is no text."""

    def write(name, content):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def pairs(found):
    return [(row.text, row.label) for row in found.rows]


@pytest.mark.parametrize(("suffix", "delimiter"), WRITTEN)
def test_a_table_is_read_whatever_its_columns_are_called(put, suffix, delimiter):
    found = read_labelled_file(put(f"reviews.{suffix}", written(REVIEWS, delimiter=delimiter)))
    assert pairs(found) == REVIEWS
    assert "texts from 'review', labels from 'stars_given'" in found.notes[0]


def test_columns_that_are_named_are_not_guessed(put):
    path = put(
        "x.csv", written([(text, label, "a note") for text, label in REVIEWS], heading=("a", "b", "c"))
    )
    found = read_labelled_file(path, Wanted(text_field="a", label_field="b"))
    assert (pairs(found), found.notes) == (REVIEWS, ())
    with pytest.raises(BadRequest, match="no column 'd'; it has: a, b, c"):
        read_labelled_file(path, Wanted(label_field="d"))


@pytest.mark.parametrize("wrapped", [False, True])
def test_json_is_read_as_a_list_and_inside_an_object(put, wrapped):
    rows = [{"text": text, "label": label} for text, label in REVIEWS]
    found = read_labelled_file(put("x.json", {"rows": rows, "about": "us"} if wrapped else rows))
    assert (pairs(found), found.notes) == (REVIEWS, ())


def a_task(number, text, answers):
    return {
        "id": number,
        "data": {"body": text, "nextlabel_note": "why it stands out"},
        "annotations": [
            {"was_cancelled": label is None, "result": [choice(label)] if label else []} for label in answers
        ],
    }


def choice(label):
    return {"from_name": "verdict", "to_name": "body", "type": "choices", "value": {"choices": [label]}}


def test_an_export_of_label_studio_counts_the_majority_and_leaves_out_what_has_no_label(put):
    tasks = [a_task(number, text, [label]) for number, (text, label) in enumerate(REVIEWS, start=1)]
    tasks.append(a_task(98, "Two against one", ["bad", "good", "good", None]))
    tasks.append(a_task(99, "Nobody knew", [None]))
    found = read_labelled_file(put("export.json", tasks))
    assert pairs(found) == [*REVIEWS, ("Two against one", "good")]
    said = " ".join(found.notes)
    assert "An export of Label Studio" in said and "labels from 'verdict'" in said
    assert f"1 of {len(tasks)} rows is left out. Task 99: 'verdict' is not one label" in said


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_a_flat_export_has_a_row_for_each_answer_and_counts_each_task_once(put, suffix):
    heading = ("annotation_id", "annotator", "created_at", "id", "lead_time", "body", "verdict")
    rows = [
        (place, 1, "2026-01-01", number, 3.5, text, label)
        for number, (text, label) in enumerate(REVIEWS)
        for place in (number, 100 + number)
    ]
    content = (
        written(rows, heading=heading)
        if suffix == "csv"
        else [dict(zip(heading, row, strict=True)) for row in rows]
    )
    found = read_labelled_file(put(f"export.{suffix}", content))
    assert pairs(found) == REVIEWS


def test_choices_in_a_cell_are_read_as_label_studio_writes_them(put):
    rows = [(text, json.dumps({"choices": [label]})) for text, label in REVIEWS]
    rows.append(("Both at once", json.dumps({"choices": ["good", "bad"]})))
    found = read_labelled_file(put("x.csv", written(rows, heading=("text", "label"))))
    assert pairs(found) == REVIEWS


def test_latin_letters_are_read_and_said(put):
    rows = [(f"Müller aß Käse {text}", label) for text, label in REVIEWS]
    found = read_labelled_file(put("x.csv", written(rows).encode("latin-1")))
    assert pairs(found) == rows
    assert "is not UTF-8 and is read as Latin-1" in found.notes[0]


def test_a_mark_at_the_beginning_is_no_part_of_the_first_name(put):
    for encoding in ("utf-8-sig", "utf-16"):
        found = read_labelled_file(put("x.csv", written(REVIEWS, heading=("text", "label")).encode(encoding)))
        assert pairs(found) == REVIEWS


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.csv", "", "x.csv is empty"),
        ("x.csv", " \n\n", "x.csv is empty"),
        ("x.json", "[]", "holds no rows"),
        ("x.xlsx", b"PK\x03\x04rest", "no text file; it is a spreadsheet"),
        ("x.csv.gz", b"\x1f\x8brest", "packed: unpack it first"),
        ("x.parquet", b"PAR1rest", "in Parquet"),
        ("x.csv", b"a,b\n\0\0,c", "binary"),
        ("x.csv", "only\nthese\nwords", "one column alone"),
        ("x.csv", "text,label\na,b,c\n", "line 2: 3 cells under 2 names"),
        ("x.json", '[{"text": ', "not JSON"),
        ("x.json", "[1, 2]", "object 1: expected an object"),
        ("x.csv", "number,price\n1,2\n3,4\n", "No column of x.csv looks like one of"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(put, name, content, said):
    with pytest.raises(BadRequest, match=said):
        read_labelled_file(put(name, content))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFound, match="There is no file"):
        read_labelled_file(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (REVIEWS[:1], "1 row with a text and a label"),
        (REVIEWS[:4], "4 rows with a text and a label"),
        ([(text, "good") for text, _ in REVIEWS], "have the label 'good'"),
    ],
)
def test_too_little_to_measure_is_refused(put, simulate, rows, said):
    path = put("x.csv", written(rows, heading=("text", "label")))
    result = simulate(["simulate", "labels", str(path)])
    assert isinstance(result.exception, BadRequest)
    assert said in result.exception.message and result.exception.hint


@pytest.mark.parametrize("arguments", [[], ["x.csv", "--project", "1"]])
def test_a_file_or_a_project_is_needed_and_not_both(simulate, arguments):
    result = simulate(["simulate", "labels", *arguments])
    assert "one of them" in result.exception.message


def test_a_project_gives_its_labelled_tasks_and_nothing_is_written(workbench):
    workbench.label(12)
    writes = list(workbench.label_studio.writes)
    found = read_project(workbench.context, workbench.project_id)
    assert len(found.rows) == 12
    assert {row.label for row in found.rows} == {"cats", "dogs"}
    assert "12 of 40 tasks have a label" in found.notes[0]
    assert workbench.label_studio.writes == writes
    with pytest.raises(NotFound, match="no project 99"):
        read_project(workbench.context, 99)


def test_the_table_is_explained_and_drawn_on_a_page_of_its_own(put, simulate, tmp_path):
    rows = [(f"{text} again {number}", label) for text, label in REVIEWS for number in range(3)]
    path, page = put("reviews.csv", written(rows)), tmp_path / "curves.html"
    options = ["--budgets", "4,8", "--seeds", "1", "--strategies", "", "--plot", str(page)]
    result = simulate(["simulate", "labels", str(path), *options])
    assert result.exit_code == 0, result.output
    for word in ("n90, n95:", "area:", "over random:", "called full"):
        assert word in result.stdout
    drawn = page.read_text()
    assert "<svg" in drawn and "n90, n95:" in drawn
    assert "http" not in drawn.replace("http://www.w3.org", "")


def test_of_columns_with_one_name_none_hides_another(put):
    rows = [(text, label, "the same for all") for text, label in REVIEWS]
    found = read_labelled_file(put("x.csv", written(rows, heading=("text", "label", "label"))), Wanted())
    assert pairs(found) == REVIEWS


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("deep.json", "[" * 100_000, "lists in lists"),
        ("deep.jsonl", '{"text":' * 100_000, "line 1: not JSON"),
        ("bare.json", "{}", "holds no rows"),
        ("bare.json", "[{}, {}]", "holds no rows"),
    ],
)
def test_json_without_rows_or_without_end_is_said_in_a_sentence(name, content, words, put):
    with pytest.raises(BadRequest, match=words):
        read_labelled_file(put(name, content), Wanted())


def test_a_label_of_lists_in_lists_beyond_all_bounds_is_a_word(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"text": "a word", "label": "[" * 100_000}, {"text": "one", "label": "b"}]))
    assert [row.label for row in read_labelled_file(path).rows] == ["[" * 100_000, "b"]
