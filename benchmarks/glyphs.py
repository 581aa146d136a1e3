"""Digits and letters rendered from the fonts of this machine, centred as MNIST is, upright or leaning.

Fonts are those of Debian's packages under /usr/share/fonts (fonts-dejavu-core and fonts-dejavu-extra here)
and those inside matplotlib and Pillow. A font counts once, whatever number of files holds it, and only where
its digits and letters all differ.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.digits import GLYPH, centred

FOLDERS: Final = (Path("/usr/share/fonts"), Path(matplotlib.get_data_path()) / "fonts" / "ttf")
DIGITS: Final = "0123456789"
LETTERS: Final = "ACEFHKMNPRTUVWXY"  # those that no digit looks like
SIGNS: Final = ("cmex10.ttf", "cmsy10.ttf")  # these have mathematical signs where others have digits
MOST_LEAN: Final = 0.35  # sideways for each step up
MOST_TURN: Final = 12.0  # degrees

Font = ImageFont.FreeTypeFont


@dataclass(frozen=True, slots=True, eq=False)
class Glyph:
    """A picture as PNG, and what it shows."""

    character: str
    content: bytes


def load_fonts() -> list[Font]:
    """The fonts that have all digits and letters, each once, by the name of its file."""
    files = [path for folder in FOLDERS for path in folder.rglob("*") if path.suffix in (".ttf", ".otf")]
    paths = {path.name: path for path in files if path.name not in SIGNS}
    found: dict[bytes, Font] = {}
    fonts = [ImageFont.truetype(str(path), GLYPH) for _, path in sorted(paths.items())]
    for font in [*fonts, ImageFont.load_default(GLYPH)]:
        drawn = [_draw(font, character, 0.0, 0.0) for character in DIGITS + LETTERS]
        pixels = [one.tobytes() for one in drawn if one is not None]
        if len(set(pixels)) == len(DIGITS + LETTERS):
            found.setdefault(b"".join(pixels), font)
    return list(found.values())


def render(font: Font, characters: str, rng: np.random.Generator) -> list[Glyph]:
    """Each character once, leaning and turned at random."""
    found = []
    for character in characters:
        lean, turn = rng.uniform(-MOST_LEAN, MOST_LEAN), rng.uniform(-MOST_TURN, MOST_TURN)
        drawn = _draw(font, character, lean, turn)
        if drawn is None:
            raise ValueError(f"render: {font.getname()} has no {character!r}")
        found.append(Glyph(character, as_png(Image.fromarray(drawn))))
    return found


def as_png(picture: Image.Image) -> bytes:
    """A picture in RGB as the bytes of a file."""
    out = io.BytesIO()
    picture.convert("RGB").save(out, "PNG")
    return out.getvalue()


def _draw(font: Font, character: str, lean: float, turn: float) -> NDArray[np.uint8] | None:
    """White on black (28, 28); None where the font has nothing there."""
    side = 3 * GLYPH
    canvas = Image.new("L", (side, side))
    ImageDraw.Draw(canvas).text((side / 2, side / 2), character, font=font, fill=255, anchor="mm")
    if lean or turn:
        sideways = (1.0, lean, -lean * side / 2, 0.0, 1.0, 0.0)
        canvas = canvas.transform(canvas.size, Image.Transform.AFFINE, sideways, Image.Resampling.BILINEAR)
        canvas = canvas.rotate(turn, Image.Resampling.BILINEAR)
    ink = centred(np.asarray(canvas, dtype=np.float32) / 255.0)
    return None if ink is None else (ink * 255).astype(np.uint8)
