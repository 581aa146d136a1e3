"""Draws a seeded sample of the small faults that mutmut's operators can put into our code, one fault each.

Runs in a virtual environment that holds mutmut: python tests/mutants/draw.py SAMPLE SEED OUT
"""

import json
import random
import sys
from pathlib import Path

from mutmut.configuration import config
from mutmut.mutation.file_mutation import create_mutations, deep_replace


def draw(sample, seed):
    """Mutants in a random order, of which a larger sample begins with the smaller one; how many there are."""
    modules, places = {}, []
    for path in _files():
        modules[path], mutations, *_ = create_mutations(str(path), path.read_text())
        places += [(path, mutation) for mutation in mutations if not _is_about_case(mutation)]
    random.Random(seed).shuffle(places)
    return [_describe(path, modules[path], mutation) for path, mutation in places[:sample]], len(places)


def _files():
    return sorted(path for folder in config().source_paths for path in folder.rglob("*.py"))


def _is_about_case(mutation):
    """Whether a text only changes between upper and lower case: one mutant of each text is enough."""
    before, after = (getattr(node, "value", None) for node in (mutation.original_node, mutation.mutated_node))
    return isinstance(before, str) and isinstance(after, str) and before.lower() == after.lower()


def _describe(path, module, mutation):
    mutated = deep_replace(module, mutation.original_node, mutation.mutated_node).code
    before, after = module.code.splitlines(), mutated.splitlines()
    line = next(n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
    return {
        "path": str(path),
        "line": line + 1,
        "before": before[line].strip(),
        "after": after[line].strip() if len(before) == len(after) else "a part left out",
        "source": mutated,
    }


def main():
    """Writes the sample as JSON."""
    sample, seed, out = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    drawn, total = draw(sample, seed)
    out.write_text(json.dumps(drawn))
    print(f"{len(drawn)} mutants drawn of {total} (seed {seed})")


if __name__ == "__main__":
    main()
