"""Broken, hostile and slow pictures among good ones: does the stage end, is each named, what memory is used?

python -m benchmarks.bench_hostile_pictures [--pictures N] [--hostile N] [--slow N]

The sites are on this machine and count what they are asked. The stage runs in a process of its own, under its
own limits, with a stand-in for the encoder. Good pictures have 32 × 32 pixels; four have 99 million.
"""

from __future__ import annotations

import argparse
import io
import random
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.figures import Bench
from benchmarks.hostile_pictures import WEB, Sites, hostile_addresses, hostile_sites, words_by_kind
from benchmarks.picture_site import GOOD, Handler
from benchmarks.picture_stage import STAND_IN, TOKEN, prepare, run_stage

LARGE = 4
MOST_MIB = 2048


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=5_000)
    parser.add_argument("--hostile", type=int, default=500, help="of these")
    parser.add_argument("--slow", type=int, default=40, help="of the hostile ones")
    options = parser.parse_args()
    bench = Bench("hostile_pictures", f"{options.hostile} hostile pictures among {options.pictures:,}")
    with tempfile.TemporaryDirectory() as folder, hostile_sites() as sites:
        _large()
        sites.uploads.answers["large"] = _send_large
        hostile = hostile_addresses(sites, options.hostile, slow=options.slow)
        good = [f"/data/upload/large/{number}" for number in range(LARGE)]
        good += [f"{GOOD}{number}.bmp" for number in range(options.pictures - options.hostile - LARGE)]
        addresses = [*hostile, *good]
        random.Random(0).shuffle(addresses)
        where = Path(folder) / "data"
        prepare(
            where,
            label_studio_url=sites.uploads.url,
            addresses=addresses,
            image_encoder=STAND_IN,
            media_allow=WEB,
        )
        bench.say(f"{len(addresses):,} tasks written")
        found = run_stage(where, log=where / "stage.log")
        bench.raw["stage"] = found
        _report(bench, found, Counter(hostile.values()), read=len(good))
        _report_sites(bench, sites)
    bench.finish()


def _report(bench: Bench, found: dict[str, Any], kinds: Counter[str], *, read: int) -> None:
    words, faults = words_by_kind(), found["faults"]
    wanted = Counter(words[kind] for kind in kinds.elements())
    told = {word: sum(count for reason, count in faults.items() if word in reason) for word in wanted}
    named = sum(min(told[word], count) for word, count in wanted.items())
    count = kinds.total()
    bench.check(
        f"hostile pictures that are named with their own reason, of {len(kinds)} kinds",
        f"{named} of {count}",
        target=f"{count}",
        reached=named == count and sum(faults.values()) == count,
    )
    bench.check(
        "other tasks with a vector",
        f"{found['joined']:,}",
        target=f"{read:,}",
        reached=found["joined"] == read,
    )
    bench.add(
        "time until the stage ends",
        f"{found['seconds']:.0f} s, of which {found['processor']:.0f} s of processor",
    )
    note = f", {found['peak_at_start_mib']:.0f} before the first picture"
    bench.at_most("peak memory", found["peak_mib"], limit=MOST_MIB, unit="MiB", note=note)


def _report_sites(bench: Bench, sites: Sites) -> None:
    forbidden = sites.forbidden.asked.total()
    bench.check(
        "requests at an address that is not allowed", f"{forbidden}", target="0", reached=forbidden == 0
    )
    tokens = sum(count for header, count in sites.web.headers.items() if TOKEN in header)
    asked = f"{tokens} of {sites.web.asked.total():,} requests"
    bench.check("requests with our token at another host", asked, target="0", reached=tokens == 0)
    bench.add("requests at Label Studio's own", f"{sites.uploads.asked.total():,}")


def _send_large(to: Handler) -> None:
    to.send(_large() + to.path.encode())


@cache
def _large() -> bytes:
    kept = io.BytesIO()
    Image.new("RGBA", (9_950, 9_950), (200, 30, 30, 120)).save(kept, "PNG")
    return kept.getvalue()


if __name__ == "__main__":
    main()
