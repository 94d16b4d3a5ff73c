"""Where values come from, which counts most, and what is refused as a whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.config.layers import FILE_BYTES_MAX
from syncd.config.load import Loaded, find, load, load_ledger_url
from syncd.config.settings import Settings
from syncd.errors import ConfigError, Problem

Load = Callable[..., Loaded]
Refused = Callable[..., dict[str, Problem]]

TOKEN = "123.456.bAYx-not-a-real-token"
TOKEN_VARIABLE = "SYNCD_CAMPAIGNS__WELCOME__TOKEN"


def token_of(loaded: Loaded) -> str:
    return loaded.settings.campaigns["welcome"].token.get_secret_value()


def test_a_valid_file_gives_typed_settings(load_text: Load) -> None:
    """Values of the file arrive with their types, the others have their defaults."""
    loaded = load_text()
    campaign = loaded.settings.campaigns["welcome"]
    assert (campaign.batch_size, campaign.max_in_flight) == (100, 4)
    assert campaign.max_requests_per_second == pytest.approx(10.0)
    assert campaign.report_every == timedelta(minutes=1)
    assert campaign.timeouts.total_s == pytest.approx(60.0)
    assert loaded.settings.syncs["crm-leads"].every == timedelta(minutes=5)
    assert loaded.settings.syncs["crm-leads"].policy.on_change == "ignore"
    assert loaded.settings.sources["crm"].options == {"path": "exports/*.csv"}
    assert loaded.warnings == ()


def test_settings_are_frozen_and_hide_the_token(load_text: Load) -> None:
    """Nobody can change a setting, and no repr has the token."""
    loaded = load_text()
    with pytest.raises(ValueError, match="frozen"):
        loaded.settings.campaigns["welcome"].batch_size = 1
    with pytest.raises(ValueError, match="frozen"):
        loaded.settings.ledger = None
    assert TOKEN not in repr(loaded)


def test_settings_never_look_at_the_environment_by_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Values come from `load` only: pydantic's own environment source is off."""
    monkeypatch.setenv("LOG", '{"level": "debug"}')
    assert Settings().log.level == "info"


def test_each_value_knows_where_it_stands(load_text: Load, tmp_path: Path) -> None:
    """Origins name the file, the variable, or the default."""
    loaded = load_text(env={TOKEN_VARIABLE: TOKEN, "SYNCD_LOG_LEVEL": "debug"})
    assert loaded.origin("campaigns.welcome.base_url") == str(tmp_path / "syncd.toml")
    assert loaded.origin("campaigns.welcome.token") == f"environment {TOKEN_VARIABLE}"
    assert loaded.origin("log.level") == "environment SYNCD_LOG_LEVEL"
    assert loaded.origin("log.format") == "default"
    assert loaded.folder == tmp_path


def test_the_file_is_looked_for_in_four_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--config, then $SYNCD_CONFIG, then ./syncd.toml, then /etc/syncd/config.toml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("syncd.config.load.PLACES", (Path("syncd.toml"), tmp_path / "etc.toml"))
    given, named = Path("given.toml"), Path("named.toml")
    with pytest.raises(ConfigError, match="was not found"):
        find(None, {"SYNCD_CONFIG": ""})
    (tmp_path / "etc.toml").touch()
    assert find(None, {}) == tmp_path / "etc.toml"
    (tmp_path / "syncd.toml").touch()
    assert find(None, {}) == Path("syncd.toml")
    assert find(None, {"SYNCD_CONFIG": str(named)}) == named
    assert find(given, {"SYNCD_CONFIG": str(named)}) == given


def test_a_named_file_that_is_absent_is_an_error(tmp_path: Path) -> None:
    """A wrong --config never falls through to another file."""
    with pytest.raises(ConfigError, match="cannot be read: no such file") as caught:
        load(tmp_path / "absent.toml", {})
    assert "syncd init" in caught.value.hint


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a = 1\na = 2\n", r"no TOML: .*line 2, column"),
        (b"[log]\n[log]\n", r"no TOML: .*twice .*line 2"),
        (b"[log]\nlevel = debug\n", r"no TOML: .*line 2, column 9"),
        (b"x = " + b"[" * 5000, "nested too deeply"),
        (b"[log]\n# \xff\n", "not UTF-8 in line 2"),
        (b"#" * (FILE_BYTES_MAX + 1), "larger than 1 MiB"),
    ],
)
def test_g1_what_is_no_toml_is_refused_with_its_line(
    tmp_path: Path, data: bytes, said: str
) -> None:
    """Syntax, double keys, depth, encoding and size: one clear problem each."""
    file = tmp_path / "syncd.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigError, match=said) as caught:
        load(file, {})
    assert caught.value.where == str(file)
    assert len(caught.value.problems) == 1
    assert caught.value.__cause__ is None


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    """A file that Windows Notepad saved is read."""
    file = tmp_path / "syncd.toml"
    file.write_bytes(b'\xef\xbb\xbf[log]\nlevel = "debug"\n')
    assert load(file, {}).settings.log.level == "debug"


def test_a_directory_is_no_configuration(tmp_path: Path) -> None:
    """A path that is no file is refused in our words."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})


def test_relative_paths_start_from_the_folder_of_the_file(load_text: Load, tmp_path: Path) -> None:
    """SQLite's file stays the same file wherever syncd is started."""
    assert load_text().settings.ledger.url == f"sqlite:///{tmp_path}/syncd.db"
    absolute = load_text('[ledger]\nurl = "sqlite:////var/lib/syncd/l.db"\n', {})
    assert absolute.settings.ledger.url == "sqlite:////var/lib/syncd/l.db"
    remote = load_text('[ledger]\nurl = "postgresql://syncd@db/syncd"\n', {})
    assert remote.settings.ledger.url == "postgresql://syncd@db/syncd"


EXPOSED = f'[campaigns.w]\ntoken = "{TOKEN}"\n[ledger]\nurl = "postgresql://syncd:pw-pw@db/syncd"\n'


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_g1_a_secret_in_a_file_that_others_can_read_is_refused(
    load_text: Load, refused: Refused, tmp_path: Path, mode: int
) -> None:
    """Token and password, each with the hint `chmod 600`; then it is taken."""
    file = tmp_path / "syncd.toml"
    file.touch()
    file.chmod(mode)
    problems = refused(EXPOSED, {})
    assert set(problems) == {"campaigns.w.token", "ledger.url"}
    assert all(f"chmod 600 {file}" in problem.hint for problem in problems.values())
    with pytest.raises(ConfigError) as caught:
        load_ledger_url(file, {})
    assert [problem.key for problem in caught.value.problems] == ["ledger.url"]
    file.chmod(0o600)
    assert load_text(EXPOSED, {}).warnings == ()


def test_a_file_without_secrets_may_be_read_by_everybody(load_text: Load, tmp_path: Path) -> None:
    """The token comes from elsewhere: nothing to hide."""
    (tmp_path / "syncd.toml").touch()
    (tmp_path / "syncd.toml").chmod(0o644)
    assert load_text("[campaigns.w]\n", {"SYNCD_CAMPAIGNS__W__TOKEN": TOKEN}).warnings == ()


def test_a_mounted_configuration_has_the_mode_of_its_platform(
    load_text: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker mounts secrets with 0444: a whole configuration may be one of them."""
    monkeypatch.setattr("syncd.config.layers.PLATFORM_SECRETS", (tmp_path,))
    (tmp_path / "syncd.toml").touch()
    (tmp_path / "syncd.toml").chmod(0o644)
    assert load_text(EXPOSED, {}).settings.campaigns["w"].token.get_secret_value() == TOKEN


def test_http_by_permission_is_a_warning(load_text: Load) -> None:
    """The token can be read on the way: allowed, and told."""
    text = '[campaigns.w]\nbase_url = "http://calls.internal"\nallow_insecure_http = true\n'
    (problem,) = load_text(text, {"SYNCD_CAMPAIGNS__W__TOKEN": TOKEN}).warnings
    assert problem.key == "campaigns.w.allow_insecure_http"


def test_reading_the_configuration_needs_no_heavy_library() -> None:
    """`import syncd.config` loads no database, no HTTP, no scheduler and no phone data."""
    heavy = "sqlalchemy", "alembic", "httpx", "apscheduler", "phonenumbers", "rich"
    code = f"import sys, syncd.config.load; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
