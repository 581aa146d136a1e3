"""All vectors of a data folder, read off its files."""

from backend.vector_files.segment import Segment
from backend.vector_files.shelf import list_segments


def stored_vectors(context):
    """The bytes of every vector: by encoder, and by the hash of its content."""
    folder = context.settings.data_dir / "vectors"
    found = {}
    for shelf in folder.iterdir() if folder.exists() else ():
        if shelf.is_dir() and (paths := list_segments(shelf)):
            mine = found.setdefault((shelf / "encoder.txt").read_text(encoding="utf-8").strip(), {})
            for path in paths:
                segment = Segment(path)
                segment.grow()
                mine.update(
                    (key.tobytes().hex(), vector.tobytes())
                    for key, vector in zip(segment.keys, segment.vectors, strict=True)
                )
    return found
