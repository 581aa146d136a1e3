"""The registry: whole versions or none, whenever the writer dies."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from model.encoders.hashing import HashingEncoder
from model.encoders.tfidf import fit_tfidf
from model.heads.cold_start import cold_start
from model.records import LabelSpace
from model.registry import Manifest, ModelRegistry, VersionBroken, VersionExists, VersionMissing
from model.stores.folder import FolderStore

SPACE = LabelSpace(("yes", "no"))


def a_head(seed_text="x"):
    return cold_start(HashingEncoder(16).encode([f"yes {seed_text}", "no"]), SPACE)


def a_manifest(version="nl-000001", **changes):
    manifest = Manifest(
        version=version,
        kind="label-names",
        classes=SPACE.names,
        encoder="hashing-16@v1",
        seed=7,
        data_fingerprint="abc",
        audit_threshold=0.15,
        metrics=a_head().metrics,
        strategy="max-herding",
        created_at="2026-01-01T00:00:00Z",
        code_version="0.1.0",
    )
    return replace(manifest, **changes)


@pytest.fixture
def registry(tmp_path):
    return ModelRegistry(FolderStore(tmp_path / "models"))


@pytest.fixture
def folder(registry, tmp_path):
    registry.save("7-abc", "nl-000001", a_head().head, a_manifest())
    return tmp_path / "models" / "7-abc" / "nl-000001"


def test_what_was_saved_is_loaded_bit_for_bit(registry):
    trained = a_head()
    registry.save("7-abc", "nl-000001", trained.head, a_manifest())
    head, manifest = registry.load("7-abc", "nl-000001")
    assert np.array_equal(head.weights, trained.head.weights)
    assert np.array_equal(head.bias, trained.head.bias)
    assert head.temperature == trained.head.temperature
    assert head.space == SPACE
    assert manifest == a_manifest()


def test_another_process_finds_what_was_saved(registry, tmp_path):
    registry.save("7-abc", "nl-000001", a_head().head, a_manifest())
    assert ModelRegistry(FolderStore(tmp_path / "models")).load("7-abc", "nl-000001")[1] == a_manifest()


def test_a_second_look_reads_nothing(registry, folder):
    assert registry.load("7-abc", "nl-000001")[0] is registry.load("7-abc", "nl-000001")[0]


def test_a_store_that_was_deleted_and_begun_again_is_read_anew(registry, folder, tmp_path):
    registry.load("7-abc", "nl-000001")
    (tmp_path / "models" / "7-abc").rename(tmp_path / "gone")
    registry.save("7-abc", "nl-000001", a_head("other").head, a_manifest())
    assert np.array_equal(registry.load("7-abc", "nl-000001")[0].weights, a_head("other").head.weights)


def test_versions_are_listed_in_order_and_projects_stay_apart(registry):
    for version in ("nl-000002", "nl-000001", "nl-000001-label-names"):
        registry.save("1", version, a_head().head, a_manifest(version))
    registry.save("2", "nl-000009", a_head().head, a_manifest("nl-000009"))
    assert registry.versions("1") == ["nl-000001", "nl-000001-label-names", "nl-000002"]
    assert registry.versions("3") == []


def test_a_version_is_never_written_twice(registry, folder):
    with pytest.raises(VersionExists, match="'nl-000001' of project '7-abc' exists already"):
        registry.save("7-abc", "nl-000001", a_head("other").head, a_manifest())
    assert np.array_equal(registry.load("7-abc", "nl-000001")[0].weights, a_head().head.weights)


def test_of_two_writers_at_once_the_second_is_told(registry, folder, monkeypatch):
    monkeypatch.setattr(type(folder), "exists", lambda path: False)  # both looked before either wrote
    with pytest.raises(VersionExists):
        registry.save("7-abc", "nl-000001", a_head("other").head, a_manifest())
    assert [path.name for path in folder.parent.iterdir()] == ["nl-000001"]


def test_a_manifest_of_something_else_is_refused(registry):
    with pytest.raises(ValueError, match="does not describe"):
        registry.save("1", "nl-000002", a_head().head, a_manifest("nl-000001"))
    with pytest.raises(ValueError, match="does not describe"):
        registry.save("1", "nl-000001", a_head().head, a_manifest(classes=("maybe",)))


def test_a_writer_that_dies_before_the_rename_leaves_nothing_to_see(registry, monkeypatch, tmp_path):
    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("model.stores.folder._rename_new", die)
    with pytest.raises(KeyboardInterrupt):
        registry.save("1", "nl-000001", a_head().head, a_manifest())
    assert registry.versions("1") == []
    with pytest.raises(VersionMissing):
        registry.load("1", "nl-000001")


def test_what_a_killed_writer_left_is_ignored_and_later_swept(registry, folder):
    leftover = folder.parent / ".writing-nl-000002-dead"
    leftover.mkdir()
    (leftover / "head.safetensors").write_bytes(b"half")
    (leftover / "manifest.json").write_text("{}")
    assert registry.versions("7-abc") == ["nl-000001"]
    registry.save("7-abc", "nl-000002", a_head().head, a_manifest("nl-000002"))
    assert leftover.exists()  # it is young: its writer may be alive
    os.utime(leftover, (0, 0))
    registry.save("7-abc", "nl-000003", a_head().head, a_manifest("nl-000003"))
    assert not leftover.exists()
    assert registry.versions("7-abc") == ["nl-000001", "nl-000002", "nl-000003"]


@pytest.mark.parametrize("missing", ["head.safetensors", "manifest.json"])
def test_a_folder_that_lacks_a_file_is_called_broken_and_not_listed(registry, folder, missing):
    (folder / missing).unlink()
    with pytest.raises(VersionBroken, match="'nl-000001'.*roll back"):
        registry.load("7-abc", "nl-000001")
    assert registry.versions("7-abc") == []


@pytest.mark.parametrize("kept", [0, 4, 60, 150])
def test_a_head_cut_short_is_called_broken(registry, folder, kept):
    content = (folder / "head.safetensors").read_bytes()
    (folder / "head.safetensors").write_bytes(content[:kept])
    with pytest.raises(VersionBroken):
        registry.load("7-abc", "nl-000001")


def test_foreign_content_is_called_broken(registry, folder):
    for content in ("", "[]", "{}", "not json", json.dumps({"version": 1})):
        (folder / "manifest.json").write_text(content)
        with pytest.raises(VersionBroken):
            registry.load("7-abc", "nl-000001")


def test_a_version_under_another_name_is_called_broken(registry, folder):
    folder.rename(folder.with_name("nl-000005"))
    with pytest.raises(VersionBroken, match="manifest is of version 'nl-000001'"):
        registry.load("7-abc", "nl-000005")


def test_a_version_that_does_not_exist_is_called_missing(registry):
    with pytest.raises(VersionMissing, match="'nl-000009' of project '1' does not exist"):
        registry.load("1", "nl-000009")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "x" * 200, "a\n"])
def test_names_that_could_leave_the_store_are_refused(registry, name):
    for call in (registry.versions, lambda name: registry.load("1", name)):
        with pytest.raises(ValueError, match="no name for a folder"):
            call(name)


def test_a_manifest_survives_json():
    assert Manifest.from_json(a_manifest().to_json()) == a_manifest()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 3),
        ("kind", "other"),
        ("classes", "yes"),
        ("classes", ["yes", 1]),
        ("encoder", None),
        ("seed", "7"),
        ("seed", True),
        ("audit_threshold", "0.1"),
        ("audit_threshold", float("nan")),
        ("metrics", []),
        ("metrics", {"labels": "3"}),
        ("created_at", 0),
    ],
)
def test_a_manifest_with_a_wrong_type_is_refused_by_name(field, value):
    content = json.loads(a_manifest().to_json()) | {field: value}
    with pytest.raises(ValueError, match=rf"manifest: {field}.* Input should be"):
        Manifest.from_json(json.dumps(content))


def test_a_manifest_with_a_field_too_many_is_refused():
    content = json.loads(a_manifest().to_json()) | {"extra": 1}
    with pytest.raises(ValueError, match="manifest: extra Unexpected keyword argument"):
        Manifest.from_json(json.dumps(content))


# Words, which versions share


TEXTS = ["red green", "green blue", "blue red"]


def some_words(revision="tfidf@0a"):
    return fit_tfidf(TEXTS, revision=revision)


def with_words(version="nl-000002", revision="tfidf@0a"):
    return a_manifest(version, representation="joined", words=revision)


def test_words_come_back_with_the_same_bits(registry):
    registry.save_words("1", some_words())
    again = registry.load_words("1", "tfidf@0a")
    assert np.array_equal(again.encode([*TEXTS, "none"]), some_words().encode([*TEXTS, "none"]))
    assert registry.load_words("1", "tfidf@0b") is None
    assert registry.load_words("2", "tfidf@0a") is None


def test_words_are_no_version(registry):
    registry.save_words("1", some_words())
    assert registry.versions("1") == []


def test_words_that_no_version_needs_make_room_for_new_ones(registry):
    registry.save_words("1", some_words("tfidf@0a"))
    registry.save("1", "nl-000002", a_head().head, with_words())
    assert registry.save_words("1", some_words("tfidf@0b")) == ["tfidf@0a"]
    assert sorted(registry.save_words("1", some_words("tfidf@0c"))) == ["tfidf@0a", "tfidf@0b"]
    assert registry.load_words("1", "tfidf@0a") is not None
    assert registry.load_words("1", "tfidf@0b") is None


def test_words_that_are_in_use_stay_beside_new_ones(registry):
    registry.save_words("1", some_words("tfidf@words-0a"))
    assert registry.save_words("1", some_words("tfidf@characters-0a"), keep={"tfidf@words-0a"})
    assert registry.load_words("1", "tfidf@words-0a") is not None
    assert registry.load_words("1", "tfidf@characters-0a") is not None


def test_a_version_without_its_words_is_broken_until_they_are_back(registry, tmp_path):
    registry.save_words("1", some_words())
    registry.save("1", "nl-000002", a_head().head, with_words())
    assert registry.load("1", "nl-000002")[1].representation == "joined"
    (path,) = (tmp_path / "models" / "1" / "words").iterdir()
    for content in (b"", path.read_bytes()[:50], some_words("tfidf@0b").to_bytes(), None):
        path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(VersionBroken, match="the words 'tfidf@0a' are missing"):
            registry.load("1", "nl-000002")
    registry.save_words("1", some_words())
    assert registry.load("1", "nl-000002")[1].words == "tfidf@0a"


@pytest.mark.parametrize("revision", ["tfidf@", "tfidf@../x", "tfidf@.x", "a/b"])
def test_words_cannot_leave_the_store(registry, revision):
    with pytest.raises(ValueError, match="no revision of words"):
        registry.load_words("1", revision)


def test_a_manifest_of_old_says_nothing_of_representations(registry, folder):
    content = json.loads(a_manifest().to_json())
    del content["representation"], content["words"]
    (folder / "manifest.json").write_text(json.dumps(content))
    head = folder / "head.safetensors"
    head.write_bytes(save_tensors(load_tensors(head.read_bytes())))  # nor the head of its digest
    assert registry.load("7-abc", "nl-000001")[1] == a_manifest()


@pytest.mark.parametrize("place", [0.5, 0.8, 0.99])
def test_a_head_of_which_one_bit_changed_is_broken(place, registry, folder):
    content = bytearray((folder / "head.safetensors").read_bytes())
    content[int(place * len(content))] ^= 1
    (folder / "head.safetensors").write_bytes(content)
    with pytest.raises(VersionBroken):
        registry.load("7-abc", "nl-000001")


@pytest.mark.parametrize(
    "change", [{"classes": ("no", "yes")}, {"audit_threshold": 0.0}, {"encoder": "other@v1"}, {"seed": 8}]
)
def test_a_manifest_that_was_not_written_with_its_head_is_broken(change, registry, folder):
    (folder / "manifest.json").write_text(a_manifest(**change).to_json())
    with pytest.raises(VersionBroken, match="not what was written"):
        registry.load("7-abc", "nl-000001")


def test_words_of_which_one_bit_changed_are_not_read(registry, tmp_path):
    registry.save_words("1", some_words())
    (path,) = (tmp_path / "models" / "1" / "words").iterdir()
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    assert registry.load_words("1", some_words().revision) is None


@pytest.mark.parametrize(
    ("representation", "words"), [("pixels", None), ("joined", None), ("encoder", "tfidf@0a"), ("tfidf", 3)]
)
def test_a_manifest_names_words_if_and_only_if_they_are_needed(representation, words):
    content = json.loads(a_manifest().to_json()) | {"representation": representation, "words": words}
    with pytest.raises(ValueError, match="manifest: .*(representation|words)"):
        Manifest.from_json(json.dumps(content))
