"""Commands of syncd in a folder of their own, with what they print and how they end."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncd.sandbox.testing import RunningSandbox
from tests.warm.commands import warm_syncd

PATIENCE_S = 60.0

CONFIG = """\
[ledger]
url = "sqlite:///syncd.db"

[campaigns.welcome]
base_url = "{base_url}"
token_file = "welcome.token"
max_requests_per_second = 1000.0

[sources.crm]
kind = "csv"
path = "leads.csv"
renamed = true

[syncs.crm-leads]
source = "crm"
campaign = "welcome"
every = "5m"

[syncs.crm-leads.map]
key = "id"
phone = "phone"
default_region = "US"
filter = 'stage != "lost"'
gmtZone = "{{zone}}"
payload = {{ name = "{{name}}" }}

[syncs.crm-leads.zones]
chain = ["column"]  # a lead without a zone of its own is held, whatever its number says
"""

#: id, name, phone, zone, stage: 2 to call, 1 duplicate phone, 1 held, 1 filtered, 3 rejected.
LEADS = """\
id,name,phone,zone,stage
1,Ann,(212) 555-0101,America/New_York,new
2,Böb [x],+44 20 7946 0102,+01:00,new
3,Ann again,+12125550101,America/New_York,new
4,Mia,+61 491 570 006,,new
5,Gone,+12125550105,America/New_York,lost
6,Short,=12,America/New_York,new
,Nokey,+12125550107,America/New_York,new
8,Junk,+99 999 1234 5678,America/New_York,new
"""
ANN, BOB, MIA = "+12125550101", "+442079460102", "+61491570006"


@dataclass(frozen=True)
class Told:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Desk:
    """A folder with a configuration, from which commands are given."""

    folder: Path
    box: RunningSandbox

    def __call__(self, *arguments: str, code: int | None = 0, **variables: str) -> Told:
        """Run `syncd ARGUMENTS`; fail unless it ends with `code` (None: any)."""
        done = subprocess.run(
            [warm_syncd(), *arguments],
            cwd=self.folder,
            env={**_environment(), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        told = Told(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert code is None or told.code == code, f"{arguments}: {told}"
        assert "Traceback" not in told.err, told.err
        assert self.box.token not in told.out + told.err
        return told

    def configure(self, text: str = CONFIG, **more: str) -> None:
        """Write the configuration and the token."""
        written = text.format(base_url=self.box.base_url, **more)
        (self.folder / "syncd.toml").write_text(written, encoding="utf-8")

    def write_leads(self, text: str = LEADS) -> None:
        """Put an export in place by a rename."""
        part = self.folder / "leads.part"
        part.write_text(text, encoding="utf-8")
        part.replace(self.folder / "leads.csv")

    def files(self) -> dict[str, bytes]:
        """Every file that holds something, lock files aside."""
        return {
            path.name: path.read_bytes()
            for path in sorted(self.folder.iterdir())
            if not path.name.endswith((".lock", ".instance", "-shm")) and path.stat().st_size
        }


def new_desk(folder: Path, box: RunningSandbox) -> Desk:
    """A configured folder with leads and no ledger yet."""
    desk = Desk(folder, box)
    token = folder / "welcome.token"
    token.write_text(box.token, encoding="utf-8")
    token.chmod(0o600)
    desk.configure()
    desk.write_leads()
    return desk


def _environment() -> dict[str, str]:
    own = {name: told for name, told in os.environ.items() if not name.startswith("SYNCD_")}
    return {**own, "NO_COLOR": "1", "no_proxy": "127.0.0.1"}
