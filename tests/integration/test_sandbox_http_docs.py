"""The reference page tells the truth: its examples are run, its tables are compared."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import httpx
import pytest

from syncd.sandbox.clock import parse_ms
from syncd.sandbox.control import control_routes
from syncd.sandbox.faults import KINDS, read_fault
from syncd.sandbox.knobs import KNOBS, Knobs
from syncd.sandbox.outcomes import MAGIC
from syncd.sandbox.testing import RunningSandbox, running_sandbox
from syncd.sandbox.world import SandboxConfig, build_world

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "sandbox.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^\$ (curl .+)\n((?:(?!\$ |```).*\n)*)", re.MULTILINE)
LOST = "curl: (52) Empty reply from server"


def curl(http: httpx.Client, box: RunningSandbox, command: str) -> str:
    """What curl prints for the options that the page uses."""
    base = box.base_url
    for name, value in (
        ("$API", f"{base}/api/calls/campaign/{box.token}"),
        ("$CRM", f"{base}/api/crmCalls/campaign/{box.token}"),
        ("$BOX", base),
    ):
        command = command.replace(name, value)
    words = shlex.split(command)[1:]
    options = {word: words[at + 1] for at, word in enumerate(words) if word in {"-d", "-H", "-X"}}
    name, _, value = options.get("-H", "").partition(": ")
    method = options.get("-X", "POST" if "-d" in options else "GET")
    try:
        answer = http.request(
            method, words[-1], content=options.get("-d"), headers={name: value} if name else {}
        )
    except httpx.RemoteProtocolError:
        return LOST
    return answer.text.rstrip()


def test_the_tour_of_the_page_is_true() -> None:
    """Each command of the page, run in its order, prints what the page shows."""
    examples = EXAMPLE.findall(PAGE)
    assert len(examples) > 15
    with (
        running_sandbox(start_ms=parse_ms("2026-11-23T08:00:00Z")) as box,
        httpx.Client(trust_env=False, verify=False) as http,
    ):
        said = [(command, curl(http, box, command)) for command, _ in examples]
    assert said == [(command, printed.rstrip()) for command, printed in examples]


@pytest.mark.parametrize("ending", sorted(MAGIC))
def test_the_table_of_magic_numbers_is_complete(ending: str) -> None:
    """A row for each ending."""
    assert f"| `{ending}` | `{MAGIC[ending].status}` | {MAGIC[ending].meaning} |" in PAGE


@pytest.mark.parametrize("name", list(KINDS))
def test_the_table_of_faults_is_complete(name: str) -> None:
    """A row for each fault, with what happens to the work."""
    assert f"| `{name}` | {KINDS[name].work} | {KINDS[name].meaning} |" in PAGE


@pytest.mark.parametrize("name", list(KINDS))
def test_the_fields_of_a_fault_are_told(name: str) -> None:
    """Each field that only some faults take stands in the row of the fault, as code."""
    kind = KINDS[name]
    assert all(f"`{field}`" in kind.meaning for field in kind.takes)


@pytest.mark.parametrize("name", list(KNOBS))
def test_the_table_of_knobs_is_complete(name: str) -> None:
    """A row for each knob: default, values and meaning."""
    knob, default = KNOBS[name], json.dumps(Knobs().public()[name]).strip('"')
    assert f"| `{name}` | `{default}` | {knob.allowed} | {knob.meaning} |" in PAGE


def test_the_scripts_of_the_page_are_faults() -> None:
    """Each example of a refusal can be asked for as it stands."""
    scripts = re.findall(r"^\| [^|]+ \| `(\{.+\})` \|$", PAGE, re.MULTILINE)
    assert len(scripts) == 10
    for script in scripts:
        assert read_fault(json.loads(script)).public()["name"] in {"refused", "answer"}


def test_every_route_of_the_control_plane_is_on_the_page() -> None:
    """Method and path."""
    for route in control_routes(build_world(SandboxConfig())):
        (method,) = (route.methods or set()) - {"HEAD"}
        assert f"| `{method} {route.path}` |" in PAGE
