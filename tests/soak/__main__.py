"""`make soak MINUTES=10`: two `syncd run` on one PostgreSQL ledger through bad weather.

Leads keep coming. Processes are killed and stopped, the network loses, cuts and breaks requests and
answers, and the database hangs up. In the first half one instance is spared kills, in the second
half the other one, so that memory and open files of a long life can be looked at. Then the weather
clears, all work has to come to its end, and the sandbox's own book is compared with the ledger.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.postgres import new_database
from tests.running import stern_sandbox
from tests.soak.cluster import Cluster, Instance
from tests.soak.weather import Weather

LOOK_EVERY_S = 5.0
LEADS_EVERY_S = 2.0
LEADS_AT_ONCE = 60
#: So long after the weather has cleared everything has to be in the campaign.
CALM_S = 900.0
LINES = 500
_TICK_S = 0.1


def soak(folder: Path, url: str, *, seconds: float, seed: int) -> list[str]:
    """Soak; prints the figures, gives what is wrong."""
    with stern_sandbox(speed=1.0, lines=LINES) as box:
        cluster = Cluster(folder, url, box, [Instance("one"), Instance("two")])
        cluster.prepare()
        weather = Weather(cluster, random.Random(seed))
        began_s = time.monotonic()
        try:
            for one in cluster.instances:
                cluster.start(one)
            _through(weather, seconds)
            left = cluster.open_jobs()
            weather.clear()
            calm_s = _until_done(cluster)
            ended = cluster.end()
        finally:
            cluster.kill_all()
        wrong = cluster.problems()
        wrong += [f"{name} ended with {code}" for name, code in ended.items() if code]
        if calm_s is None:
            wrong.append(f"not done {CALM_S:.0f} s after the weather had cleared")
        wrong += _tell(weather, time.monotonic() - began_s, calm_s, left)
    return wrong


def _through(weather: Weather, seconds: float) -> None:
    """Bad weather for so long."""
    cluster, pause = weather.cluster, threading.Event()
    began_s = looked_s = time.monotonic()
    brought_s = 0.0
    while (now_s := time.monotonic()) < began_s + seconds:
        half = 0 if now_s < began_s + seconds / 2 else 1
        weather.blow(spared=cluster.instances[half])
        if now_s >= brought_s + LEADS_EVERY_S:
            cluster.add_leads(LEADS_AT_ONCE)
            brought_s = now_s
        if now_s >= looked_s + LOOK_EVERY_S:
            cluster.look()
            looked_s = now_s
        pause.wait(_TICK_S)


def _until_done(cluster: Cluster) -> float | None:
    """Seconds until all leads are in the campaign; None: they never were."""
    pause = threading.Event()
    began_s = time.monotonic()
    while cluster.open_jobs():
        if time.monotonic() > began_s + CALM_S:
            return None
        cluster.look()
        pause.wait(1.0)
    return time.monotonic() - began_s


def _tell(weather: Weather, lasted_s: float, calm_s: float | None, left: int) -> list[str]:
    """Print the figures; what is not flat."""
    cluster, happened = weather.cluster, weather.happened
    batches = cluster.sql(
        "SELECT count(*), coalesce(sum(sends), 0), count(*) FILTER (WHERE ambiguous > 0)"
        " FROM batches"
    )[0]
    states = dict(cluster.sql("SELECT state, count(*) FROM call_jobs GROUP BY state"))
    faults = {n: count for n, count in sorted(happened.items()) if n.startswith("fault ")}
    _say(
        f"lasted              {lasted_s:.0f} s; done {calm_s or -1:.0f} s after the weather cleared"
    )
    _say(f"leads               {cluster.leads:,}: {states}; {left:,} waited when it cleared")
    _say(f"batches             {batches[0]:,}, sent {batches[1]:,} times, {batches[2]:,} in doubt")
    _say(f"faults of the net   {sum(faults.values())} asked for, of {len(faults)} kinds")
    _say(f"SIGKILL             {happened['SIGKILL']}, {happened['while stopped']} of them stopped")
    _say(f"SIGSTOP             {happened['SIGSTOP']}")
    _say(f"connections         {happened['connections']} cut by the database")
    lives = [life for one in cluster.instances for life in one.lives]
    for life in lives:
        if life.growth() is not None:
            _say(f"  {life.told()}")
    return [f"not flat: {life.told()}" for life in lives if not life.is_flat()]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Soak on a database of its own; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="syncd-soak-") as folder,
        new_database(f"syncd_soak_{os.getpid()}") as url,
    ):
        wrong = soak(Path(folder), url, seconds=60 * asked.minutes, seed=asked.seed)
        if wrong:
            Path("soak-failed.log").write_text(_said(Path(folder)), encoding="utf-8")
    for one in wrong:
        _say(f"WRONG {one}")
    _say("verdict             " + ("wrong" if wrong else "nothing twice, nothing lost, flat"))
    return 1 if wrong else 0


def _said(folder: Path) -> str:
    return "".join(log.read_text(encoding="utf-8") for log in sorted(folder.glob("*.log")))


if __name__ == "__main__":
    sys.exit(main())
