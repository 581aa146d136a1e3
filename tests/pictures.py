"""Small pictures of two classes, and what serves them in place of a network."""

import io
import threading

import numpy as np
from PIL import Image, ImageDraw

from backend.label_studio.media.errors import MediaRefused

WARM, COLD, STRIPES = "warm", "cold", "stripes"
IMAGE = '<Image name="i" value="$image"/>'
CHOICES = f'<Choices name="c" toName="i"><Choice value="{WARM}"/><Choice value="{COLD}"/></Choices>'
TASKS = 60


def label_of(address):
    return WARM if int(address.rsplit("-", 1)[1].partition(".")[0]) % 2 else COLD


def address_of(number):
    return f"/data/upload/1/p-{number}.png"


def draw(label, seed, *, side=32):
    """A PNG of one class: a red disc, a blue square, or green stripes, on noise."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(90, 170, size=(side, side, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    left, top = rng.integers(2, side // 3, size=2).tolist()
    box = (left, top, left + side // 2, top + side // 2)
    pen = ImageDraw.Draw(picture)
    if label == STRIPES:
        for across in range(left % 6, side, 6):
            pen.line((across, 0, across, side), fill=(30, 190, 40), width=2)
    elif label == WARM:
        pen.ellipse(box, fill=(220, int(rng.integers(40)), 30))
    else:
        pen.rectangle(box, fill=(30, int(rng.integers(40)), 220))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


class Files:
    """Bytes by address, and how often each was asked for; stands in for a fetcher."""

    def __init__(self, contents):
        self.contents = dict(contents)
        self.asked = []
        self._lock = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def fetch(self, value, *, task_id):
        """The bytes; what is not there is refused."""
        with self._lock:
            self.asked.append(value)
        if value not in self.contents:
            raise MediaRefused("the answer is 404")
        return self.contents[value]


class FewPixels:
    """Brightness of three colours in a few places: short vectors, quick to look through."""

    def __init__(self, side):
        """Takes the number of pixels along each side."""
        self.side = side
        self.dimensions = side * side * 3
        self.revision = f"few-pixels@{side}"

    def encode(self, pictures, *, progress=None):
        """Unit vectors (n, d); of a picture that is middle grey all over zeros."""
        vectors = np.zeros((len(pictures), self.dimensions), dtype=np.float32)
        for row, picture in enumerate(pictures):
            small = picture.convert("RGB").resize((self.side, self.side), Image.Resampling.BOX)
            pixels = np.asarray(small, dtype=np.float32).reshape(-1) / 255.0 - 0.5
            vectors[row] = pixels / max(float(np.linalg.norm(pixels)), 1e-6)
            if progress is not None:
                progress(1)
        return vectors
