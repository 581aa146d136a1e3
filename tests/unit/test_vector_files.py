"""Vectors in flat files: what was written is read, whoever wrote it and however that ended."""

import hashlib
import multiprocessing
import os
import shutil
import signal
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from backend.backup.archive import reading, writing
from backend.backup.vectors import add_vectors, is_vectors, write_vectors
from backend.vector_files.index import KeyIndex, pack_keys
from backend.vector_files.library import VectorFiles
from backend.vector_files.mapped import make_room
from backend.vector_files.segment import Segment, SegmentWriter, is_being_written
from backend.vector_files.shelf import list_segments
from backend.vector_files.sweeping import KEPT_SWEEPS, sweep_number

TODAY = date(2026, 11, 29)
WIDTH = 16


def key_of(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


def vector_of(number, width=WIDTH):
    return hashlib.sha256(f"v{number}".encode()).digest()[:width]


def some(*numbers):
    return {key_of(number): vector_of(number) for number in numbers}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "vectors"


@pytest.fixture
def files(folder):
    return VectorFiles(folder)


def paths_of(folder, encoder="one"):
    name = hashlib.sha256(encoder.encode()).hexdigest()[:32]
    return list_segments(folder / name)


def test_what_one_process_writes_another_reads(folder, files):
    other = VectorFiles(folder)
    assert other.read("one", [key_of(1)]) == {}
    files.write("one", some(1, 2))
    assert other.read("one", [key_of(1), key_of(3)]) == some(1)
    files.write("one", some(3))
    assert other.read("one", [key_of(3)]) == some(3)
    assert other.are_known("one", [key_of(4), key_of(2)]).tolist() == [False, True]


def test_encoders_do_not_see_each_others_vectors(files):
    files.write("one", some(1))
    assert files.read("two", [key_of(1)]) == {}


def test_keys_are_sha_256_alone(files):
    with pytest.raises(ValueError, match="SHA-256"):
        files.write("one", {"abcd": b"1234"})


def test_vectors_of_two_lengths_by_one_encoder_are_refused_when_read_together(files):
    files.write("one", {key_of(1): b"1234", key_of(2): b"12345678"})
    assert files.read("one", [key_of(2)]) == {key_of(2): b"12345678"}
    with pytest.raises(ValueError, match="vectors of"):
        files.read("one", [key_of(1), key_of(2)])


def test_what_was_gathered_comes_in_the_order_asked(files):
    files.write("one", some(1, 2, 3))
    rows = np.zeros((4, WIDTH), dtype=np.uint8)
    found = files.find("one", [key_of(3), key_of(9), key_of(1), key_of(3)])
    came = files.fill(found, rows)
    assert found.width == WIDTH
    assert came.tolist() == [True, False, True, True]
    assert [row.tobytes() for row in rows[came]] == [vector_of(3), vector_of(1), vector_of(3)]


@pytest.mark.parametrize("cut", [1, 4, 35, 36, 40])
def test_a_torn_end_counts_for_nothing(folder, files, cut):
    files.write("one", some(1, 2, 3))
    files.close()
    (path,) = paths_of(folder)
    os.truncate(path, path.stat().st_size - cut)
    whole = (3 * 36 - cut) // 36
    found = VectorFiles(folder).read("one", [key_of(number) for number in (1, 2, 3)])
    assert found == some(*(1, 2, 3)[:whole])


@pytest.mark.parametrize("suffix", [".vectors", ".used"])
def test_keys_without_the_rest_count_for_nothing(folder, files, suffix):
    files.write("one", some(1, 2))
    files.close()
    path = paths_of(folder)[0].with_suffix(suffix)
    os.truncate(path, path.stat().st_size - 1)
    assert VectorFiles(folder).read("one", [key_of(1), key_of(2)]) == some(1)


def test_a_damaged_vector_is_found_no_more_and_can_be_written_again(folder, files, caplog):
    files.write("one", some(1, 2))
    path = paths_of(folder)[0].with_suffix(".vectors")
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    reader = VectorFiles(folder)
    assert reader.read("one", [key_of(1), key_of(2)]) == some(2)
    assert "damaged" in caplog.text
    assert reader.are_known("one", [key_of(1)]).tolist() == [False]
    reader.write("one", some(1))
    assert reader.read("one", [key_of(1)]) == some(1)


def zero(path):
    """What a power cut may leave: the size is there, and the bytes are not."""
    path.write_bytes(bytes(path.stat().st_size))


def test_what_is_damaged_is_not_known_either_before_anybody_read_it(folder, files):
    files.write("one", some(1, 2))
    zero(paths_of(folder)[0].with_suffix(".vectors"))
    files.write("one", some(3))
    reader = VectorFiles(folder)
    assert reader.are_known("one", list(some(1, 2, 3))).tolist() == [False, False, True]
    assert reader.find("one", list(some(1, 2, 3))).is_there.tolist() == [False, False, True]


def test_vectors_of_two_segments_that_were_swapped_are_not_known(folder):
    for number in (1, 2):
        writer = VectorFiles(folder)
        writer.write("one", some(number))
        writer.close()
    one, two = (path.with_suffix(".vectors") for path in paths_of(folder))
    one_was, two_was = one.read_bytes(), two.read_bytes()
    one.write_bytes(two_was)
    two.write_bytes(one_was)
    assert not VectorFiles(folder).are_known("one", list(some(1, 2))).any()


def test_of_a_key_that_is_there_twice_the_sound_row_is_found_whichever_segment_comes_first(folder):
    for _ in range(2):
        writer = VectorFiles(folder)
        writer.write("one", some(1, 2))
        writer.close()
    for path in paths_of(folder):
        vectors = path.with_suffix(".vectors")
        sound = vectors.read_bytes()
        zero(vectors)
        assert VectorFiles(folder).are_known("one", list(some(1, 2))).all()
        assert VectorFiles(folder).read("one", list(some(1, 2))) == some(1, 2)
        vectors.write_bytes(sound)


def test_a_full_disk_leaves_what_was_written_before(folder, files, monkeypatch):
    files.write("one", some(1))
    pwrite, calls = os.pwrite, []

    def fail_at_the_keys(file, part, at):
        calls.append(len(part))
        if len(calls) == 3:
            pwrite(file, part[:40], at)
            raise OSError(28, "No space left on device")
        return pwrite(file, part, at)

    monkeypatch.setattr(os, "pwrite", fail_at_the_keys)
    with pytest.raises(OSError, match="No space"):
        files.write("one", some(2, 3))
    monkeypatch.undo()
    # the first of the two came whole
    assert VectorFiles(folder).read("one", list(some(1, 2, 3))) == some(1, 2)
    files.write("one", some(3, 4))
    assert VectorFiles(folder).read("one", list(some(1, 2, 3, 4))) == some(1, 2, 3, 4)


def write_for_ever(folder, started):
    files, number = VectorFiles(folder), os.getpid() * 1_000_000
    while True:
        files.write("one", some(*range(number, number + 50)))
        number += 50
        started.set()


def test_writers_that_are_killed_leave_only_whole_rows(folder):
    context = multiprocessing.get_context("spawn")
    numbers = []
    for _ in range(2):
        started = context.Event()
        process = context.Process(target=write_for_ever, args=(folder, started))
        process.start()
        assert started.wait(60)
        numbers.append(process.pid * 1_000_000)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    files = VectorFiles(folder)
    for first in numbers:
        keys = [key_of(number) for number in range(first, first + 50)]
        assert files.read("one", keys) == some(*range(first, first + 50))
    assert not any(is_being_written(path) for path in paths_of(folder))


def test_a_forgotten_encoder_has_nothing_and_begins_anew(folder, files):
    other = VectorFiles(folder)
    other.write("one", some(1))
    assert files.read("one", [key_of(1)]) == some(1)
    files.forget("one")
    assert files.read("one", [key_of(1)]) == {}
    other.write("one", some(2))
    assert files.read("one", [key_of(1), key_of(2)]) == some(2)


def sweep(files, *, times=1, start=0):
    return [files.sweep(today=TODAY + timedelta(days=start + day)) for day in range(times)]


def test_many_small_segments_become_one_and_readers_do_not_notice(folder, files):
    for number in range(5):
        writer = VectorFiles(folder)
        writer.write("one", some(number, 100))
        writer.close()
    everything = [*map(key_of, range(5)), key_of(100)]
    rows = np.zeros((6, WIDTH), dtype=np.uint8)
    reader = VectorFiles(folder)
    found = reader.find("one", everything)
    (swept,) = sweep(files)
    assert swept.doubled == 4
    assert len(paths_of(folder)) == 1
    assert found.fill(rows, sweep=1).all()  # what it had mapped before
    assert reader.read("one", everything) == some(0, 1, 2, 3, 4, 100)
    assert VectorFiles(folder).read("one", everything) == some(0, 1, 2, 3, 4, 100)


def test_a_sweep_is_due_once_a_day(folder, files):
    files.write("one", some(1))
    assert sweep(files)[0] is not None
    assert sweep(files) == [None]
    assert sweep_number(folder) == 1


def test_what_nobody_uses_for_long_goes_and_what_is_used_stays(folder, files):
    files.write("one", some(1, 2))
    sweep(files, times=KEPT_SWEEPS)
    assert files.read("one", [key_of(1)]) == some(1)
    assert sweep(files, start=KEPT_SWEEPS)[0].unused == 1
    assert files.read("one", [key_of(1), key_of(2)]) == some(1)
    sweep(files, times=KEPT_SWEEPS + 1, start=KEPT_SWEEPS + 1)
    assert paths_of(folder) == []
    assert [path for path in folder.iterdir() if path.is_dir()] == []


def test_a_sweep_leaves_what_others_write(folder, files):
    other = VectorFiles(folder)
    other.write("one", some(1))
    sweep(files, times=KEPT_SWEEPS + 1)
    assert files.read("one", [key_of(1)]) == some(1)
    assert is_being_written(paths_of(folder)[0])


def test_a_sweep_that_is_killed_loses_nothing(folder, files, monkeypatch):
    for number in range(5):
        writer = VectorFiles(folder)
        writer.write("one", some(number))
        writer.close()
    with monkeypatch.context() as patched:
        patched.setattr("backend.vector_files.sweeping.remove_segment", fail)
        with pytest.raises(KeyboardInterrupt):
            sweep(files)
    assert files.read("one", list(some(*range(5)))) == some(*range(5))
    assert sweep(files, start=1)[0].doubled == 5
    assert files.read("one", list(some(*range(5)))) == some(*range(5))


def fail(_path):
    raise KeyboardInterrupt


@pytest.mark.parametrize("gone", [(".keys",), (".keys", ".used"), (".vectors",), (".vectors", ".used")])
def test_a_sweep_takes_away_what_is_left_of_a_segment(folder, files, gone):
    files.write("one", some(1))
    files.close()
    (path,) = paths_of(folder)
    for suffix in gone:
        path.with_suffix(suffix).unlink()
    (path.parent / f"{path.name}.restored").write_bytes(b"half")
    files.write("one", some(2))
    sweep(VectorFiles(folder))
    assert files.read("one", list(some(1, 2))) == some(2)
    assert len(list(path.parent.iterdir())) == 4


def test_a_sweep_leaves_a_segment_whose_files_are_being_made(folder, files, monkeypatch):
    files.write("one", some(1))
    opened, days = os.open, []

    def open_and_sweep(path, *more):
        found = opened(path, *more)
        if len(days) < 6 and (not days or days[-1] is not None):
            days.append(None)  # not again for what the sweep itself opens
            sweep(VectorFiles(folder), start=len(days))
            days.append(path)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", open_and_sweep)
        VectorFiles(folder).write("one", some(2))
    assert len(days) == 6
    assert VectorFiles(folder).read("one", list(some(1, 2))) == some(1, 2)


@pytest.mark.parametrize(
    "name", ["notes.keys", "0123456789abcdef-16 (copy).keys", "0123456789abcdef-0.keys", ".keys"]
)
def test_files_of_others_are_left_alone(folder, files, tmp_path, name):
    files.write("one", some(1))
    path = paths_of(folder)[0]
    other = path.with_name(name)
    other.write_bytes(path.read_bytes())
    assert VectorFiles(folder).read("one", list(some(1))) == some(1)
    with (tmp_path / "backup").open("w+b") as file, writing(file) as archive:
        add_vectors(archive, folder)
    assert len(archive.entries) == 4
    sweep(files, times=KEPT_SWEEPS + 2)
    assert list(path.parent.iterdir()) == [other]


@pytest.mark.parametrize("text", ["70000 2026-01-01", "-1 2026-01-01", "ä", "", "1 2 3"])
def test_a_number_of_sweeps_that_none_can_be_counts_as_none(folder, files, text):
    files.write("one", some(1))
    (folder / "sweeps.txt").write_text(text, encoding="utf-8")
    assert files.read("one", list(some(1))) == some(1)
    files.write("one", some(2))
    assert sweep(files)[0] is not None
    assert sweep_number(folder) == 1


def test_keys_with_the_same_beginning_are_told_apart():
    keys = np.zeros((5000, 32), dtype=np.uint8)
    keys[:, 30:] = np.arange(5000, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    index = KeyIndex(lambda places: keys[places])
    index.add(keys, np.arange(5000))
    assert index.find(keys[[0, 17, 4999]]).tolist() == [0, 17, 4999]
    other = keys[:1].copy()
    other[0, 20] = 1
    assert index.find(other).tolist() == [-1]


def test_large_room_lies_in_a_file_without_a_name(tmp_path):
    rows = make_room(tmp_path, rows=70, width=2**20)
    rows[69, 5] = 7
    assert rows[69].sum() == 7
    assert list(tmp_path.iterdir()) == []


def test_a_segment_has_one_row_each_for_keys_sums_and_vectors(tmp_path):
    writer = SegmentWriter(tmp_path, WIDTH)
    writer.append(pack_keys([key_of(1)]), [vector_of(1)], used=3)
    segment = Segment(writer.path)
    assert segment.grow() == 1
    assert (segment.keys[0].tobytes().hex(), segment.vectors[0].tobytes()) == (key_of(1), vector_of(1))
    assert segment.used.tolist() == [3]
    writer.close()


def test_a_backup_holds_the_whole_rows_and_brings_them_back(folder, files, tmp_path):
    files.write("one", some(1, 2))
    (path,) = paths_of(folder)
    with path.open("ab") as torn:
        torn.write(b"half a key")
    with (tmp_path / "backup").open("w+b") as file, writing(file) as archive:
        add_vectors(archive, folder)
        archive.finish(made_at="now", code_version="1", schema="1", settings={})
    there = tmp_path / "other" / "vectors"
    with reading(tmp_path / "backup") as backup:
        backup.check()
        write_vectors(backup, there)
        write_vectors(backup, there)
    assert VectorFiles(there).read("one", [key_of(1), key_of(2)]) == some(1, 2)
    assert paths_of(there)[0].stat().st_size == 2 * 36


@pytest.fixture
def backup(files, folder, tmp_path):
    """A backup that holds two vectors, open."""
    files.write("one", some(1, 2))
    with (tmp_path / "backup").open("w+b") as file, writing(file) as archive:
        add_vectors(archive, folder)
        archive.finish(made_at="now", code_version="1", schema="1", settings={})
    with reading(tmp_path / "backup") as found:
        yield found


@pytest.mark.parametrize("suffix", [".vectors", ".keys", ".used"])
@pytest.mark.parametrize("damage", [bytes, lambda size: b"", lambda size: b"x" * (size // 2)])
def test_a_restore_brings_back_what_was_damaged_or_cut_short(folder, backup, suffix, damage):
    path = paths_of(folder)[0].with_suffix(suffix)
    path.write_bytes(damage(path.stat().st_size))
    write_vectors(backup, folder)
    assert VectorFiles(folder).read("one", list(some(1, 2))) == some(1, 2)


def test_a_restore_keeps_what_came_since_the_backup(folder, files, backup):
    files.write("one", some(3))
    write_vectors(backup, folder)
    assert VectorFiles(folder).read("one", list(some(1, 2, 3))) == some(1, 2, 3)


@pytest.mark.parametrize("at", range(4))
def test_a_restore_that_ends_in_the_middle_of_a_file_can_be_made_again(backup, tmp_path, monkeypatch, at):
    there, pieces, begun = tmp_path / "other" / "vectors", type(backup)._pieces, []

    def full_disk(self, entry):
        begun.append(entry)
        piece = b"".join(pieces(self, entry))
        if len(begun) > at:
            yield piece[: len(piece) // 2]
            raise OSError(28, "No space left on device")
        yield piece

    with monkeypatch.context() as patched:
        patched.setattr(type(backup), "_pieces", full_disk)
        with pytest.raises(OSError, match="No space"):
            write_vectors(backup, there)
    write_vectors(backup, there)
    assert VectorFiles(there).read("one", list(some(1, 2))) == some(1, 2)
    assert len(list(paths_of(there)[0].parent.iterdir())) == 4


def test_a_restore_leaves_readers_the_file_that_they_have_mapped(folder, backup):
    reader = VectorFiles(folder)
    found = reader.find("one", list(some(1, 2)))
    zero(paths_of(folder)[0].with_suffix(".keys"))
    write_vectors(backup, folder)
    rows = np.zeros((2, WIDTH), dtype=np.uint8)
    assert found.fill(rows, sweep=1).all()


@pytest.mark.parametrize("entry", ["vectors/../x", "vectors/" + "a" * 32 + "/../../x", "models/a/b/c"])
def test_nothing_else_is_taken_for_vectors(entry):
    assert not is_vectors(entry)


@pytest.mark.parametrize("suffix", [".vectors", ".keys", ".used"])
@pytest.mark.parametrize("rows", [0, 1])
def test_a_file_that_was_cut_short_under_a_reader_leaves_what_is_whole(folder, files, suffix, rows):
    files.write("one", some(1, 2, 3))
    assert files.read("one", list(some(1, 2, 3))) == some(1, 2, 3)
    path = paths_of(folder)[0].with_suffix(suffix)
    os.truncate(path, path.stat().st_size // 3 * rows)
    assert files.read("one", list(some(1, 2, 3))) == some(*(1,) * rows)
    files.write("one", some(4))
    assert VectorFiles(folder).read("one", list(some(1, 4)))[key_of(4)] == vector_of(4)


def test_a_folder_that_was_copied_over_a_read_one_is_read_anew(folder, files, tmp_path):
    files.write("one", some(1))
    yesterday = tmp_path / "yesterday"
    shutil.copytree(folder, yesterday)
    files.write("one", some(*range(2, 2000)))
    files.close()
    assert len(files.read("one", list(some(*range(1, 2000))))) == 1999
    shutil.copytree(yesterday, folder, dirs_exist_ok=True)
    assert files.read("one", list(some(*range(1, 2000)))) == some(1)


def refuse(monkeypatch, *, suffix, refused):
    """Files of a suffix may not be opened in a mode, as if they were another user's."""
    opened = Path.open

    def open_or_refuse(self, mode="r", *more, **named):
        if self.suffix == suffix and mode == refused:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, mode, *more, **named)

    monkeypatch.setattr(Path, "open", open_or_refuse)


def test_reading_needs_no_right_to_write(files, folder, monkeypatch):
    files.write("one", some(1, 2))
    refuse(monkeypatch, suffix=".used", refused="r+b")
    assert VectorFiles(folder).read("one", list(some(1, 2))) == some(1, 2)


@pytest.mark.parametrize("suffix", [".keys", ".vectors"])
def test_what_another_user_keeps_to_himself_is_made_again(files, folder, monkeypatch, caplog, suffix):
    files.write("one", some(1))
    files.close()
    mine = VectorFiles(folder)
    with monkeypatch.context() as patched:
        refuse(patched, suffix=suffix, refused="rb")
        assert not mine.are_known("one", list(some(1))).any()
        assert not mine.are_known("one", list(some(1))).any()
        assert mine.sweep(today=TODAY) is not None
    assert caplog.text.count("may not read") == 1
    assert mine.read("one", list(some(1))) == some(1)
