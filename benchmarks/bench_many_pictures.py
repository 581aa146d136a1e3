"""A hundred thousand pictures: memory, rate, what a kill in the middle costs, and what encoding costs.

python -m benchmarks.bench_many_pictures [--pictures N] [--encoded N]

Pictures of 32 × 32 pixels, no two alike, come from a site on this machine that counts what it is asked. The
stage runs in a process of its own, first with a stand-in for the encoder, and is killed in the middle.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Bench
from benchmarks.picture_site import GOOD, Site, serving_site
from benchmarks.picture_stage import STAND_IN, open_project, peak_mib, prepare, run_stage, start_stage
from model.encoders.image_folders import LITE0_FOLDER

# Kept together and under way: backend/workflows/intake/fetch_pictures.py and read_pictures.py.
IN_FLIGHT = 64 + 24
KILLED_AT = 0.4
MOST_MIB = 600


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000, help="with the stand-in")
    parser.add_argument("--encoded", type=int, default=5_000, help="with the network")
    options = parser.parse_args()
    bench = Bench("many_pictures", "Many pictures: memory, rate, a kill in the middle")
    with tempfile.TemporaryDirectory() as folder:
        _report_kill(bench, Path(folder) / "many", options.pictures)
        if LITE0_FOLDER.is_dir():
            _report_encoded(bench, Path(folder) / "encoded", options.encoded)
    bench.finish()


def _report_kill(bench: Bench, folder: Path, count: int) -> None:
    with serving_site(Site()) as site:
        _prepare(folder, site, count, STAND_IN)
        bench.say(f"{count:,} tasks written")
        log = folder / "stage.log"
        killed_mib = _kill_in_the_middle(folder, site, log, at=int(count * KILLED_AT))
        asked_before, kept = site.asked.total(), _kept(folder)
        bench.say(f"killed after {asked_before:,} requests")
        found = run_stage(folder, log=log)
        bench.raw["after the kill"] = found | {"asked": site.asked.total(), "asked twice": site.asked_twice}
        rest = count - kept
        bench.check(
            f"{count:,} pictures, killed after {asked_before:,} requests, run again: pictures with a vector",
            f"{_kept(folder):,}",
            target=f"{count:,}",
            reached=_kept(folder) == count,
        )
        bench.at_most("… fetched twice", site.asked_twice, limit=IN_FLIGHT, unit="")
        bench.at_most(
            "… peak memory, both runs", max(killed_mib, found["peak_mib"]), limit=MOST_MIB, unit="MiB"
        )
        bench.add("… of which before the first picture", f"{found['peak_at_start_mib']:.0f} MiB")
        _add_rate(bench, "… fetched, read and kept, with a stand-in for the encoder", rest, found)
        bench.add("… a line of progress", _last_line(log))


def _report_encoded(bench: Bench, folder: Path, count: int) -> None:
    with serving_site(Site()) as site:
        _prepare(folder, site, count, "")
        found = run_stage(folder, log=folder / "stage.log")
        bench.raw["encoded"] = found
        bench.check(
            f"{count:,} pictures with the network: pictures with a vector",
            f"{found['joined']:,}",
            target=f"{count:,}",
            reached=found["joined"] == count,
        )
        bench.at_most("… peak memory", found["peak_mib"], limit=2 * MOST_MIB, unit="MiB")
        _add_rate(bench, "… fetched, read, encoded and kept", count, found)
        bench.add("… a line of progress", _last_line(folder / "stage.log"))


def _prepare(folder: Path, site: Site, count: int, encoder: str) -> None:
    addresses = [f"{GOOD}{number}.bmp" for number in range(count)]
    prepare(folder, label_studio_url=site.url, addresses=addresses, image_encoder=encoder)


def _kill_in_the_middle(folder: Path, site: Site, log: Path, *, at: int) -> float:
    """Kills the stage after so many requests; returns its peak memory until then in MiB."""
    process = start_stage(folder, log=log)
    while site.asked.total() < at and process.poll() is None:
        time.sleep(0.05)
    peak = peak_mib(process.pid)
    process.kill()
    process.communicate()
    return peak


def _kept(folder: Path) -> int:
    workspace = open_project(folder)
    joined = workspace.joined
    count = (
        0
        if joined is None
        else len(workspace.pictures._done(workspace.context.encoders.images.revision, now=0))
    )
    workspace.context.close()
    return count


def _add_rate(bench: Bench, what: str, count: int, found: dict[str, Any]) -> None:
    rates = f"{count / found['processor']:.0f} a second of processor, {count / found['seconds']:.0f} a second"
    bench.add(what, f"{rates} ({found['seconds']:.0f} s)")


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text().splitlines() if " done=" in line]
    return lines[-1].partition("stage=")[2] if lines else "none: it was over before"


if __name__ == "__main__":
    main()
