"""Pictures are read as people see them, whatever they are called and however they were written."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from model.encoders import pictures
from model.encoders.pictures import UnreadablePicture, read_picture, read_size

FIXTURES = Path(__file__).parents[1] / "fixtures"
RED, WHITE = (255, 0, 0), (255, 255, 255)


def write(picture, format, **options):
    kept = io.BytesIO()
    picture.save(kept, format, **options)
    return kept.getvalue()


def half_red(mode="RGB"):
    """The upper half is red, the lower one white."""
    picture = Image.new("RGB", (40, 60), WHITE)
    picture.paste(RED, (0, 0, 40, 30))
    return picture.convert(mode)


def colours(picture):
    """The colours in the middle of the upper and of the lower half."""
    return [picture.getpixel((20, 15)), picture.getpixel((20, 45))]


def damaged_exif(orientation):
    """EXIF that turns the picture, with a height in letters, which cannot be written again."""
    entries = ((0x0101, 2, 5, 38), (0x0112, 3, 1, orientation << 16))
    ifd = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, len(entries)) + ifd + bytes(4) + b"desc\0\0\0\0"


def is_near(found, wanted):
    return np.abs(np.array(found, dtype=int) - np.array(wanted)).max() < 12


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "JPEG2000"])
def test_formats_are_told_by_content(format):
    picture = read_picture(write(half_red(), format))
    assert picture.mode == "RGB" and picture.size == (40, 60)
    assert is_near(colours(picture), [RED, WHITE])


@pytest.mark.parametrize("name", ["half-red", "half-red-turned"])
def test_pictures_of_telephones_are_read_upright(name):
    data = (FIXTURES / f"{name}.heic").read_bytes()
    picture = read_picture(data, smallest_side=20)
    assert picture.mode == "RGB" and picture.size == read_size(data) == (40, 60)
    assert is_near(colours(picture), [RED, WHITE])
    assert read_picture(data.replace(b"ftypheic", b"ftypmif1")).size == (40, 60)


def test_what_is_transparent_in_a_heic_picture_shows_white():
    assert read_picture((FIXTURES / "clear.heic").read_bytes()).getpixel((5, 5)) == WHITE


def test_a_heic_picture_that_is_cut_off_is_refused_and_not_shown_black():
    whole = (FIXTURES / "half-red.heic").read_bytes()
    for length in (12, 20, 60, 300, 500, 550):
        with pytest.raises(UnreadablePicture, match="it is broken"):
            read_picture(whole[:length])


@pytest.mark.parametrize(("side", "why"), [(20_000, "more than 100,000,000 pixels"), (1_000, "it is broken")])
def test_a_heic_picture_is_measured_by_what_it_stores_and_not_by_what_it_shows(side, why):
    whole = (FIXTURES / "half-red.heic").read_bytes()
    stored = b"ispe\0\0\0\0" + struct.pack(">II", 64, 64)
    assert stored in whole  # of which it shows 40 × 60
    huge = whole.replace(stored, b"ispe\0\0\0\0" + struct.pack(">II", side, side))
    with pytest.raises(UnreadablePicture, match=why):
        read_picture(huge)


def test_an_avif_picture_of_the_common_kind_is_told_from_a_heic_one():
    data = write(half_red(), "AVIF").replace(b"ftypavif", b"ftypmif1", 1)
    assert is_near(colours(read_picture(data)), [RED, WHITE])


@pytest.mark.parametrize("mode", ["RGBA", "I", "F", "I;16"])
def test_a_picture_is_the_same_whatever_is_worked_on_together(mode, monkeypatch):
    rng = np.random.default_rng(0)
    if mode == "RGBA":
        picture = Image.fromarray(rng.integers(0, 255, (37, 23, 4), dtype=np.uint8))
    else:
        dtype = {"I": np.int32, "F": np.float32, "I;16": np.uint16}[mode]
        picture = Image.fromarray(rng.integers(0, 70_000, (37, 23)).astype(dtype))
    data = write(picture, "TIFF")
    whole = np.asarray(read_picture(data))
    monkeypatch.setattr(pictures, "_AT_A_TIME", 60)
    assert np.array_equal(np.asarray(read_picture(data)), whole)


@pytest.mark.parametrize(
    ("mode", "format"), [("P", "PNG"), ("CMYK", "JPEG"), ("CMYK", "TIFF"), ("RGBA", "PNG"), ("YCbCr", "JPEG")]
)
def test_modes_give_the_colours_that_people_see(mode, format):
    assert is_near(colours(read_picture(write(half_red(mode), format))), [RED, WHITE])


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_greys_stay_grey(mode):
    upper, lower = colours(read_picture(write(half_red("L").convert(mode), "PNG")))
    assert len(set(upper)) == len(set(lower)) == 1 and upper < lower


def test_what_is_transparent_shows_white():
    clear = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    assert read_picture(write(clear, "PNG")).getpixel((5, 5)) == WHITE
    palette = Image.new("P", (10, 10), 0)
    assert read_picture(write(palette, "GIF", transparency=0)).getpixel((5, 5)) == WHITE


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_that_a_camera_turned_stands_upright(turn):
    upright = half_red()
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # how a camera that was held so writes it
    stored = upright if turn == 1 else upright.transpose(Image.Transpose(back[turn]))
    exif = Image.Exif()
    exif[0x0112] = turn
    picture = read_picture(write(stored, "JPEG", exif=exif, quality=95))
    assert picture.size == (40, 60) and is_near(colours(picture), [RED, WHITE])


def test_of_moving_pictures_the_first_frame_is_read():
    frames = [half_red(), Image.new("RGB", (40, 60), (0, 0, 255))]
    data = write(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert is_near(colours(read_picture(data)), [RED, WHITE])


@pytest.mark.parametrize("highest", [65535, 300])
def test_greys_of_16_bits_are_brought_to_8(highest):
    values = np.linspace(0, highest, 100, dtype=np.uint16).reshape(10, 10)
    found = np.asarray(read_picture(write(Image.fromarray(values), "PNG")))[:, :, 0]
    assert abs(int(found.max()) - round(highest / 65535 * 255)) <= 1 and found.min() == 0


def test_floats_and_whole_numbers_of_tiff_are_read():
    for mode, dtype in (("F", np.float32), ("I", np.int32)):
        values = np.linspace(-5, 100, 100).astype(dtype).reshape(10, 10)
        found = np.asarray(read_picture(write(Image.fromarray(values, mode), "TIFF")))
        assert (found.min(), found.max()) == (0, 255)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_of_a_picture_that_was_cut_off_the_part_that_came_is_read(format):
    rng = np.random.default_rng(0)
    whole = write(Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)), format)
    if format == "WEBP":
        with pytest.raises(UnreadablePicture):
            read_picture(whole[: len(whole) // 2])
    else:
        assert read_picture(whole[: len(whole) // 2]).size == (64, 64)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"hello", "no picture"),
        (b"<html><body>log in</body></html>", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<?xml version='1.0'?>\n<!-- made by hand -->\n<svg width='1'></svg>", "SVG"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "broken"),
        (b"%PDF-1.7", "no picture"),
    ],
)
def test_what_is_not_read_is_named(data, why):
    with pytest.raises(UnreadablePicture, match=why):
        read_picture(data)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked():
    bomb = write(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 200_000
    with pytest.raises(UnreadablePicture, match="more than 100,000,000 pixels"):
        read_picture(bomb)


def test_a_large_photograph_is_read_small():
    data = write(half_red().resize((800, 1200)), "JPEG")
    small = read_picture(data, smallest_side=128)
    assert min(small.size) in range(128, 400)


def test_every_picture_is_read_small():
    assert read_picture(write(half_red().resize((800, 1200)), "PNG"), smallest_side=100).size == (200, 300)
    line = read_picture(write(Image.new("RGB", (50_000, 10)), "PNG"), smallest_side=100)
    assert line.size[0] <= 2 * 2 * 100 * 8 and line.size[1] == 10


@given(
    data=st.binary(max_size=300),
    head=st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF", b"II*\x00", b""]),
)
def test_hostile_bytes_are_a_picture_or_refused(data, head):
    try:
        assert read_picture(head + data).mode == "RGB"
    except UnreadablePicture as error:
        assert str(error)


@given(
    cut=st.integers(0, 400),
    at=st.integers(0, 400),
    byte=st.integers(0, 255),
    format=st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "HEIC"]),
)
def test_a_changed_byte_is_a_picture_or_refused(cut, at, byte, format):
    of_telephones = (FIXTURES / "half-red.heic").read_bytes()
    data = bytearray(of_telephones if format == "HEIC" else write(half_red(), format))
    data[at % len(data)] = byte
    try:
        assert read_picture(bytes(data[: max(1, len(data) - cut)]), most_pixels=10_000_000).mode == "RGB"
    except UnreadablePicture as error:
        assert str(error)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize(("orientation", "size"), [(6, (60, 40)), (3, (40, 60))])
def test_damaged_words_about_a_picture_do_not_make_it_unreadable(format, orientation, size):
    data = write(half_red(), format, exif=damaged_exif(orientation))
    assert read_picture(data).size == read_size(data) == size


def test_whatever_a_reader_raises_the_picture_is_called_broken():
    data = write(half_red(), "AVIF")
    place = data.rindex(b"mdat") + 4
    with pytest.raises(UnreadablePicture, match="it is broken"):
        read_picture(data[:place] + b"\xff\x00" * 8 + data[place + 16 :])
