"""What a poll that finds 1,000 new leads costs, given a ledger: prints one JSON object.

It runs syncd's own pass in this process and measures around it, so that starting Python and
reading the configuration are left out; each round reads one new file of 1,000 leads. Run it in an
environment of syncd:

    python -m bench.poll_growth --config syncd.toml --first 1000000
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench import leads
from syncd.app import App
from syncd.config.load import load
from syncd.engine import poll
from syncd.sources.registry import kind_of

NEW_LEADS = 1_000
WARM_UP = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0, help="number of the first new lead")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    folder = given.config.parent / "new"
    kind = kind_of("csv")
    options = kind.Options.model_validate({"path": str(folder / "*.csv"), "settle": "0s"})
    app = App.open(load(given.config, {}), alone=True)
    sync = replace(app.sync("bench"), source=kind.open("leads", options))
    cpu_ms, wall_ms = [], []
    for turn in range(WARM_UP + given.rounds):
        leads.write(folder / f"{turn:03d}.csv", NEW_LEADS, given.first + turn * NEW_LEADS)
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        result = poll.run_once(sync, app.tools)
        cpu_ms.append((time.process_time() - cpu_s) * 1000)
        wall_ms.append((time.perf_counter() - wall_s) * 1000)
        assert result.counts.get("new") == NEW_LEADS, result
    app.close()
    found = {"cpu_ms": median(cpu_ms[WARM_UP:]), "wall_ms": median(wall_ms[WARM_UP:])}
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
