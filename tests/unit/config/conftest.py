"""A valid configuration in a folder of its own, and a way to read a changed one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from syncd.config.load import Loaded, load
from syncd.errors import ConfigError, Problem

TOKEN = "123.456.bAYx-not-a-real-token"
TOKEN_VARIABLE = "SYNCD_CAMPAIGNS__WELCOME__TOKEN"

VALID = """
[campaigns.welcome]
base_url = "https://app.jaicp.com"
batch_size = 100

[sources.crm]
kind = "csv"
path = "exports/*.csv"

[syncs.crm-leads]
source = "crm"
campaign = "welcome"
every = "5m"

[syncs.crm-leads.map]
key = "id"
phone = ["mobile", "phone"]
default_region = "GB"
gmtZone = "{tz}"

[syncs.crm-leads.map.payload]
name = "{first} {last}"
city = "{city}"
"""

Load = Callable[..., Loaded]
Refused = Callable[..., dict[str, Problem]]


@pytest.fixture
def load_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load a text as syncd.toml; the token comes from the environment unless `env` is given."""
    monkeypatch.setattr("syncd.config.layers.DEFAULT_SECRETS_DIR", tmp_path / "no-secrets")

    def read(text: str = VALID, env: Mapping[str, str] | None = None) -> Loaded:
        file = tmp_path / "syncd.toml"
        file.touch(mode=0o600)
        file.write_text(text, "utf-8")
        return load(file, {TOKEN_VARIABLE: TOKEN} if env is None else env)

    return read


@pytest.fixture
def valid() -> str:
    """The text of a valid configuration without its token."""
    return VALID


@pytest.fixture
def with_token_file() -> str:
    """The valid configuration with the token in a file."""
    return VALID.replace("batch_size = 100", 'token_file = "welcome.token"')


@pytest.fixture
def refused(load_text: Load) -> Refused:
    """Load what has to be refused; gives the problems by key."""

    def read(text: str = VALID, env: Mapping[str, str] | None = None) -> dict[str, Problem]:
        with pytest.raises(ConfigError) as caught:
            load_text(text, env)
        assert caught.value.exit_code == 2
        assert TOKEN not in repr(caught.value.problems)
        return {problem.key: problem for problem in caught.value.problems}

    return read
