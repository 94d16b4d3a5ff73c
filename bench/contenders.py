"""Who runs in the bench, and how: each prepares a folder (unmeasured) and gives a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import envs, measure
from bench.peers import drt

PEERS = Path(__file__).parent / "peers"
TOKEN = "1.2.bench"  # the null target looks at no token
BATCH = 500

CONFIG = """\
[ledger]
url = "sqlite:///{folder}/ledger.db"

[campaigns.bench]
base_url = "{base_url}"
token = "{token}"
batch_size = {batch}
max_in_flight = {in_flight}
max_requests_per_second = 10000.0

[sources.leads]
kind = "csv"
path = "{leads}"
settle = "0s"

[syncs.bench]
source = "leads"
campaign = "bench"
every = "5m"

[syncs.bench.map]
key = "id"
phone = "phone"
default_region = "RU"
gmtZone = "{{tz}}"

[syncs.bench.hours]
preset = "{hours}"

[syncs.bench.map.payload]
lead = "{{id}}"
name = "{{first_name}} {{last_name}}"
city = "{{city}}"
amount = {{ column = "amount", type = "float" }}
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One measured run: the leads, the target, and an empty folder to work in."""

    leads: Path
    target: measure.Target
    folder: Path

    @property
    def url(self) -> str:
        return f"{self.target.base_url}/api/calls/campaign/{TOKEN}/addPhones"


@dataclass(frozen=True, slots=True)
class Contender:
    """A row of the table. `prepare` gives the command to measure, and its environment."""

    name: str
    prepare: Callable[[Job], tuple[Sequence[str], Mapping[str, str]]]
    ledger: bool = False  #: does it remember what was sent, so that a second run sends nothing?
    note: str = field(default="")

    def run(self, job: Job) -> measure.Cost:
        command, env = self.prepare(job)
        return measure.run(command, job.folder, env)


def syncd(
    env: str, in_flight: int = 4, hours: str = "off"
) -> Callable[[Job], tuple[Sequence[str], Mapping[str, str]]]:
    """`syncd init` unmeasured, `syncd backfill` measured, in the environment `env`.

    Without hours each job is what the others send too; with them it is three times as long.
    """

    def prepare(job: Job) -> tuple[Sequence[str], Mapping[str, str]]:
        config = job.folder / "syncd.toml"
        text = CONFIG.format(
            folder=job.folder,
            base_url=job.target.base_url,
            token=TOKEN,
            batch=BATCH,
            in_flight=in_flight,
            leads=job.leads,
            hours=hours,
        )
        config.touch(mode=0o600)
        config.write_text(text, encoding="utf-8")
        command = [envs.python(env), "-m", "syncd"]
        # Else the first run after a change of the code compiles it, which takes seconds.
        measure.run(
            [envs.python(env), "-m", "compileall", "-q", str(envs.ROOT / "syncd")], job.folder
        )
        measure.run([*command, "init", "--config", str(config)], job.folder)
        filling = ["backfill", "bench", "--config", str(config), "--no-wait", "--yes", "--json"]
        return [*command, *filling], {}

    return prepare


def script(
    env: str, name: str, phones: str
) -> Callable[[Job], tuple[Sequence[str], Mapping[str, str]]]:
    """A script of bench/peers with the phone library `phones`."""

    def prepare(job: Job) -> tuple[Sequence[str], Mapping[str, str]]:
        command = [envs.python(env), str(PEERS / name), "--csv", str(job.leads)]
        quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "HOME": str(job.folder)}
        return [*command, "--url", job.url, "--phones", phones], quiet

    return prepare


def drt_batch(job: Job) -> tuple[Sequence[str], Mapping[str, str]]:
    """drt-core's REST destination in batch mode."""
    drt.prepare(job.folder, job.leads, job.url)
    command = Path(envs.python("drt")).with_name("drt")
    return [str(command), "run", "--quiet"], {"HOME": str(job.folder), "DO_NOT_TRACK": "1"}


SYNCD_FAST = Contender("syncd, rphonenumbers", syncd("syncd-fast"), ledger=True)
SYNCD = Contender("syncd, phonenumbers", syncd("syncd"), ledger=True)
CONTENDERS = (
    SYNCD_FAST,
    SYNCD,
    Contender(
        "syncd, with hours",
        syncd("syncd-fast", hours="decent"),
        ledger=True,
        note="rphonenumbers, and permitted hours in each job; the others send none",
    ),
    Contender("plain script, rphonenumbers", script("plain", "plain.py", "rphonenumbers")),
    Contender("plain script, phonenumbers", script("plain", "plain.py", "phonenumbers")),
    Contender("dlt, rphonenumbers", script("dlt", "dlt_destination.py", "rphonenumbers")),
    Contender("dlt, phonenumbers", script("dlt", "dlt_destination.py", "phonenumbers")),
    Contender("drt-core", drt_batch, note="no phone work, no CSV: reads a prepared table"),
)
#: The same work against an API that takes 50 ms a request, with eight requests in flight.
SLOW_API_MS = 50.0
SLOW_API = (
    Contender("syncd, rphonenumbers", syncd("syncd-fast", in_flight=8), ledger=True),
    Contender("syncd, phonenumbers", syncd("syncd", in_flight=8), ledger=True),
    Contender("plain script, rphonenumbers", script("plain", "plain.py", "rphonenumbers")),
)
