"""Tries a drawn sample of mutants and prints which survive: python -m tests.mutants (see `make mutants`)."""

import hashlib
import json
from pathlib import Path

from tests.mutants.reach import TESTS_FILE, Reach, record
from tests.mutants.trial import HANGS, KILLED, preload, try_out

FOLDER = Path(".cache/mutants")
MOST_SECONDS = 40.0  # of processor time, as recorded, for the tests of one mutant
UNREACHED = "unreached"


def main():
    """The ledger remembers what was tried; a survivor is tried again once the tests have changed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    mutants = json.loads((FOLDER / "drawn.json").read_text())
    stamp = _digest("backend", "model", "tests")
    if not (FOLDER / TESTS_FILE).exists() or _read("recorded") != stamp:
        record(FOLDER)
        (FOLDER / "recorded").write_text(stamp)
    reach, ledger = Reach(FOLDER), _ledger(stamp)
    preload()
    for number, mutant in enumerate(mutants, start=1):
        key = hashlib.sha256((mutant["path"] + mutant["source"]).encode()).hexdigest()
        if key not in ledger:
            ledger[key] = _outcome(mutant, reach)
            _write_down(key, ledger[key], stamp)
            print(f"{number:4} {ledger[key]:9} {mutant['path']}:{mutant['line']}", flush=True)
        mutant["outcome"] = ledger[key]
    _print_survivors(mutants)


def _outcome(mutant, reach):
    tests, seconds = [], 0.0
    for name in reach.tests_of(mutant["path"], mutant["line"]):
        seconds += reach.seconds(name)
        if tests and seconds > MOST_SECONDS:
            break
        tests.append(name)
    return try_out(mutant, tests, seconds=seconds, folder=FOLDER) if tests else UNREACHED


def _print_survivors(mutants):
    lost = [mutant for mutant in mutants if mutant["outcome"] not in (KILLED, HANGS)]
    print(f"\n{len(mutants) - len(lost)} of {len(mutants)} mutants die, {len(lost)} do not:\n")
    print("| Where | Change | |\n| --- | --- | --- |")
    for mutant in sorted(lost, key=lambda each: (each["path"], each["line"])):
        change = f"`{mutant['before']}` → `{mutant['after']}`".replace("|", "\\|")
        print(f"| {mutant['path']}:{mutant['line']} | {change} | {mutant['outcome']} |")


def _ledger(stamp):
    """Outcome by mutant: the dead stay dead, the others are what they are for tests as they are now."""
    rows = [json.loads(line) for line in _read("ledger.jsonl").splitlines()]
    return {
        row["key"]: row["outcome"]
        for row in rows
        if row["outcome"] in (KILLED, HANGS) or (row["stamp"] == stamp and row["outcome"] != "unclear")
    }


def _write_down(key, outcome, stamp):
    with (FOLDER / "ledger.jsonl").open("a") as file:
        file.write(json.dumps({"key": key, "outcome": outcome, "stamp": stamp}) + "\n")


def _read(name):
    path = FOLDER / name
    return path.read_text() if path.exists() else ""


def _digest(*folders):
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
