"""What the Dockerfile says, read without an engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Instruction:
    """One step: `COPY`, and what stands behind it on its line, continued lines joined."""

    name: str
    text: str

    @property
    def words(self):
        return self.text.split()

    @property
    def command(self):
        """The list in the text, where it is one: `CMD ["python"]`."""
        return json.loads(self.text[self.text.index("[") :])


def read_dockerfile(path=ROOT / "Dockerfile"):
    """Its instructions, in their order."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    steps = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [Instruction(name, text.strip()) for name, _space, text in steps]


def copy_step(step, root, workdir):
    """Does a COPY below `root`, with the files that git does not ignore; raises FileNotFoundError."""
    *sources, target = step.words
    place = root / target.lstrip("/") if target.startswith("/") else workdir / target
    for source in sources:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", source]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
        if not listed:
            raise FileNotFoundError(f"COPY {source}: there is no such file")
        for name in (name for name in listed if (ROOT / name).is_file()):
            is_folder = (ROOT / source).is_dir()
            to = place / Path(name).relative_to(source) if is_folder else place
            if not is_folder and (len(sources) > 1 or target.endswith(("/", "."))):
                to = place / Path(name).name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to)
