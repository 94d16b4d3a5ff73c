"""The environment and secret files: names, types, order, permissions."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.config.load import Loaded
from syncd.errors import Problem

Load = Callable[..., Loaded]
Refused = Callable[..., dict[str, Problem]]

TOKEN = "123.456.bAYx-not-a-real-token"
OTHER = "789.012.another-token-of-nobody"
TOKEN_VARIABLE = "SYNCD_CAMPAIGNS__WELCOME__TOKEN"
SYNC = "SYNCD_SYNCS__CRM_LEADS__"


def secret_file(folder: Path, name: str, text: str = OTHER, mode: int = 0o600) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(text, "utf-8")
    file.chmod(mode)
    return file


def token_of(loaded: Loaded) -> str:
    return loaded.settings.campaigns["welcome"].token.get_secret_value()


def test_a_variable_counts_more_than_the_file(load_text: Load) -> None:
    """The environment overrides the file, and texts become what the key asks for."""
    loaded = load_text(
        env={
            TOKEN_VARIABLE: TOKEN,
            "SYNCD_CAMPAIGNS__WELCOME__BATCH_SIZE": "7",
            "SYNCD_CAMPAIGNS__WELCOME__MAX_REQUESTS_PER_SECOND": "2.5",
            "SYNCD_CAMPAIGNS__WELCOME__TIMEOUTS__READ_S": "9",
            "SYNCD_CAMPAIGNS__WELCOME__ALLOW_INSECURE_HTTP": "yes",
            "SYNCD_LEDGER__URL": "postgresql://syncd@db/syncd",
        }
    )
    campaign = loaded.settings.campaigns["welcome"]
    assert campaign.batch_size == 7
    assert campaign.max_requests_per_second == pytest.approx(2.5)
    assert campaign.timeouts.read_s == pytest.approx(9.0)
    assert campaign.allow_insecure_http is True
    assert loaded.settings.ledger.url == "postgresql://syncd@db/syncd"


def test_names_are_matched_without_case_and_with_underscores(load_text: Load) -> None:
    """A sync "crm-leads", and vendor fields with capitals, can be reached from a shell."""
    loaded = load_text(
        env={
            TOKEN_VARIABLE.lower(): TOKEN,
            f"{SYNC}EVERY": "1h",
            f"{SYNC}MAP__GMTZONE": "Europe/London",
            f"{SYNC}MAP__KEY": '["id", "email"]',
            f"{SYNC}MAP__PAYLOAD__CITY": "London",
            f"{SYNC}MAP__PAYLOAD__EXTRA": '{"a": [1]}',
            f"{SYNC}MAP__PAYLOAD__BROKEN": "[1",
        }
    )
    sync = loaded.settings.syncs["crm-leads"]
    assert sync.every == timedelta(hours=1)
    assert sync.map.gmtZone == "Europe/London"
    assert sync.map.key == ("id", "email")
    assert sync.map.payload["city"] == "London"
    assert sync.map.payload["extra"] == {"a": [1]}
    assert sync.map.payload["broken"] == "[1"


def test_options_of_a_source_are_reached_too(load_text: Load) -> None:
    """A known option is matched whatever its case; a new one is taken in lower case."""
    loaded = load_text(
        env={
            TOKEN_VARIABLE: TOKEN,
            "SYNCD_SOURCES__CRM__PATH": "b.csv",
            "SYNCD_SOURCES__CRM__DELIMITER": ";",
            "SYNCD_SOURCES__CRM__KIND": "csv",
        }
    )
    assert loaded.settings.sources["crm"].options == {"path": "b.csv", "delimiter": ";"}


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("SYNCD_CAMPAIGNS__WELCME__TOKEN", 'did you mean "welcome"'),
        ("SYNCD_CAMPAIGNS__WELCOME__TOKN", 'did you mean "token"'),
        ("SYNCD_CAMPAIGNS__WELCOME", "is a table"),
        ("SYNCD_CAMPAGNS__WELCOME__TOKEN", 'did you mean "campaigns"'),
        ("SYNCD_LOGLEVEL", 'did you mean "SYNCD_LOG_LEVEL"'),
        ("SYNCD_QQQQQQQQQ", "have: "),
        ("SYNCD_LEDGER__URL__MORE", "no keys below it"),
        ("SYNCD_SOURCES__CRM__", "is a table"),
        ("SYNCD_SYNCS__CRM_LEADS__MAP__XYZ", "have: "),
    ],
)
def test_a_variable_that_is_no_key_is_refused(refused: Refused, variable: str, hint: str) -> None:
    """A typo in a variable is not silence: the nearest right name is shown."""
    problem = refused(env={TOKEN_VARIABLE: TOKEN, variable: "a value"})[variable]
    assert hint in problem.hint
    assert "a value" not in str(problem)


def test_variables_of_syncd_that_are_no_keys_are_known(load_text: Load) -> None:
    """Reserved names, and those of other programs, are let be."""
    env = {TOKEN_VARIABLE: TOKEN, "SYNCD_CONFIG": "x", "SYNCD_TEST_X": "y", "HOME": "/"}
    assert token_of(load_text(env=env)) == TOKEN


def test_two_variables_for_one_key_are_refused(refused: Refused) -> None:
    """A key that the environment gives twice is decided by nobody."""
    problems = refused(env={TOKEN_VARIABLE: TOKEN, TOKEN_VARIABLE.lower(): OTHER})
    assert problems["campaigns.welcome.token"].what == "is given twice"


def test_a_table_and_a_key_inside_it_are_refused(refused: Refused) -> None:
    """A table given whole leaves no room for one of its keys."""
    env = {
        TOKEN_VARIABLE: TOKEN,
        f"{SYNC}MAP__PAYLOAD": '{"city": "{city}"}',
        f"{SYNC}MAP__PAYLOAD__CITY__COLUMN": "town",
    }
    assert "is given twice" in refused(env=env)["syncs.crm-leads.map.payload.city.column"].what


def test_a_key_below_a_text_is_refused(refused: Refused) -> None:
    """A variable that goes into a plain value of the same layer is refused."""
    env = {
        TOKEN_VARIABLE: TOKEN,
        f"{SYNC}MAP__PAYLOAD__X": "1",
        f"{SYNC}MAP__PAYLOAD__X__A__B": "2",
    }
    assert "is given twice" in refused(env=env)["syncs.crm-leads.map.payload.x.a.b"].what


def test_a_value_that_the_key_cannot_be_is_refused_with_the_variable(refused: Refused) -> None:
    """The place of the problem is the variable, not the file; the value is not shown."""
    variable = "SYNCD_CAMPAIGNS__WELCOME__BATCH_SIZE"
    problem = refused(env={TOKEN_VARIABLE: TOKEN, variable: "many-canary"})
    assert problem["campaigns.welcome.batch_size"].where == f"environment {variable}"
    assert "canary" not in repr(problem)


def test_a_name_with_two_underscores_is_reached(load_text: Load) -> None:
    """The longest known name counts."""
    text = f'[campaigns.a]\ntoken = "{OTHER}"\n[campaigns.a__b]\ntoken = "{OTHER}"\n'
    loaded = load_text(text, {"SYNCD_CAMPAIGNS__A__B__BATCH_SIZE": "9"})
    assert loaded.settings.campaigns["a__b"].batch_size == 9


def test_names_that_a_variable_cannot_tell_apart_are_refused(refused: Refused) -> None:
    """The names "a-b" and "A_b" would be one variable."""
    text = f'[campaigns.a-b]\ntoken = "{OTHER}"\n[campaigns.A_b]\ntoken = "{OTHER}"\n'
    problems = refused(text, {"SYNCD_CAMPAIGNS__A_B__BATCH_SIZE": "9"})
    assert "cannot be told apart" in problems["SYNCD_CAMPAIGNS__A_B__BATCH_SIZE"].hint
    assert "in case" in problems["campaigns.A_b"].what


def test_a_variable_into_a_section_of_a_wrong_type_is_refused(refused: Refused) -> None:
    """A file that has a text where a table belongs breaks nothing."""
    problems = refused("campaigns = 5\nsources = 1\nsyncs = []\n", {TOKEN_VARIABLE: TOKEN})
    assert problems["campaigns"].what == "must be a table"
    assert TOKEN_VARIABLE in problems


def test_secret_files_count_more_than_variables(load_text: Load, tmp_path: Path) -> None:
    """The environment ▶ secrets directory ▶ $CREDENTIALS_DIRECTORY, the last counts most."""
    env = {TOKEN_VARIABLE: TOKEN, "SYNCD_SECRETS_DIR": str(tmp_path / "secrets")}
    secret_file(tmp_path / "secrets", "syncd_campaigns__welcome__token", OTHER + "\n")
    loaded = load_text(env=env)
    assert token_of(loaded) == OTHER
    where = tmp_path / "secrets" / "syncd_campaigns__welcome__token"
    assert loaded.origin("campaigns.welcome.token") == f"secret file {where}"
    secret_file(tmp_path / "creds", "campaigns__welcome__token", "third.token.of-it")
    env["CREDENTIALS_DIRECTORY"] = str(tmp_path / "creds")
    assert token_of(load_text(env=env)) == "third.token.of-it"


def test_other_files_of_a_secrets_directory_are_let_be(load_text: Load, tmp_path: Path) -> None:
    """/run/secrets is shared: only names that begin with one of our sections are read."""
    folder = tmp_path / "secrets"
    secret_file(folder, "syncd_campaigns__welcome__token")
    secret_file(folder, "postgres_password", mode=0o644)
    secret_file(folder, "syncd_token", mode=0o644)
    secret_file(folder, "ledger__url", "postgresql://u:pw@db/syncd")
    loaded = load_text(env={"SYNCD_SECRETS_DIR": str(folder)})
    assert loaded.settings.ledger.url == "postgresql://u:pw@db/syncd"


def test_a_secret_file_that_means_no_key_is_refused(refused: Refused, tmp_path: Path) -> None:
    """A file name with a typo is not silence."""
    secret_file(tmp_path / "secrets", "campaigns__welcme__token")
    problems = refused(env={"SYNCD_SECRETS_DIR": str(tmp_path / "secrets")})
    assert 'did you mean "welcome"' in problems["campaigns__welcme__token"].hint


def test_a_named_secrets_directory_has_to_be_there(refused: Refused, tmp_path: Path) -> None:
    """Only the default one may be absent."""
    problems = refused(env={TOKEN_VARIABLE: TOKEN, "SYNCD_SECRETS_DIR": str(tmp_path / "no")})
    assert "no such file" in problems[""].what


def test_a_token_file_is_read(load_text: Load, tmp_path: Path, with_token_file: str) -> None:
    """Relative to the file's folder, without its line end, with its origin."""
    file = secret_file(tmp_path, "welcome.token", OTHER + "\r\n")
    loaded = load_text(with_token_file, {})
    assert token_of(loaded) == OTHER
    assert loaded.settings.campaigns["welcome"].token_file == str(file)
    assert loaded.origin("campaigns.welcome.token") == f"secret file {file}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_token_file_that_others_can_read_is_refused(
    refused: Refused, tmp_path: Path, with_token_file: str, mode: int
) -> None:
    """The mode has to be 600 or less; the only problem told is this one."""
    secret_file(tmp_path, "welcome.token", mode=mode)
    problems = refused(with_token_file, {})
    assert "can be read by others" in problems["campaigns.welcome.token"].what
    assert "chmod 600" in problems["campaigns.welcome.token"].hint
    assert list(problems) == ["campaigns.welcome.token"]


@pytest.mark.parametrize("place", ["platform", "credentials"])
def test_platforms_set_the_modes_of_their_secrets(
    load_text: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Docker and systemd choose modes themselves: files there are exempt, by their real path."""
    folder = tmp_path / "run"
    real = secret_file(folder, "any-name", mode=0o444)
    (tmp_path / "welcome.token").symlink_to(real)
    env = {}
    if place == "platform":
        monkeypatch.setattr("syncd.config.layers.PLATFORM_SECRETS", (folder,))
    else:
        env["CREDENTIALS_DIRECTORY"] = str(folder)
    text = '[campaigns.welcome]\ntoken_file = "welcome.token"\n'
    assert token_of(load_text(text, env)) == OTHER


def test_a_token_file_of_another_user_is_refused(
    refused: Refused, tmp_path: Path, with_token_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another user can change is not our secret."""
    secret_file(tmp_path, "welcome.token")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(
        os, "fstat", lambda fd, real=os.fstat: os.stat_result([*real(fd)[:4], 4711, *real(fd)[5:]])
    )
    assert "another user" in refused(with_token_file, {})["campaigns.welcome.token"].what


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\xff", "not UTF-8"),
        (b"x" * 20_000, "larger than a secret"),
        (b"two words", "spaces"),
        (b"<token>", "placeholder"),
    ],
)
def test_a_token_file_without_a_token_is_refused(
    refused: Refused, tmp_path: Path, with_token_file: str, data: bytes, said: str
) -> None:
    """Empty, binary, huge, or not a token: told with the file as its place."""
    file = secret_file(tmp_path, "welcome.token")
    file.write_bytes(data)
    problem = refused(with_token_file, {})["campaigns.welcome.token"]
    assert said in problem.what
    assert problem.where == f"secret file {file}"


def test_an_absent_token_file_is_told(refused: Refused, with_token_file: str) -> None:
    """The key, the file and the reason."""
    problem = refused(with_token_file, {})["campaigns.welcome.token"]
    assert "no such file" in problem.what
    assert problem.where.endswith("welcome.token")


def test_a_path_with_a_nul_character_is_told(refused: Refused, with_token_file: str) -> None:
    """The system has no such paths, and says so in a way of its own."""
    text = with_token_file.replace("welcome.token", "a\\u0000b")
    assert "the path is none" in refused(text, {})["campaigns.welcome.token"].what


def test_a_token_file_that_is_no_file_is_told(
    refused: Refused, tmp_path: Path, with_token_file: str
) -> None:
    """A device, a pipe or a folder is refused before it is read, and not waited for."""
    os.mkfifo(tmp_path / "welcome.token", 0o600)
    assert "no regular file" in refused(with_token_file, {})["campaigns.welcome.token"].what
    (tmp_path / "welcome.token").unlink()
    (tmp_path / "welcome.token").symlink_to("/dev/null")
    assert "no regular file" in refused(with_token_file, {})["campaigns.welcome.token"].what
    (tmp_path / "welcome.token").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "welcome.token"))
        assert "cannot be read" in refused(with_token_file, {})["campaigns.welcome.token"].what


def test_a_secret_file_with_wrong_mode_in_an_own_directory_is_told(
    refused: Refused, tmp_path: Path
) -> None:
    """$SYNCD_SECRETS_DIR elsewhere than the platform's place is a folder like any other."""
    secret_file(tmp_path / "mine", "campaigns__welcome__token", mode=0o644)
    problems = refused(env={"SYNCD_SECRETS_DIR": str(tmp_path / "mine")})
    assert "can be read by others" in problems["campaigns.welcome.token"].what


def test_token_and_token_file_together_are_refused(
    refused: Refused, tmp_path: Path, with_token_file: str
) -> None:
    """Two tokens: nobody knows which is meant; both places are named."""
    secret_file(tmp_path, "welcome.token")
    problem = refused(with_token_file, {TOKEN_VARIABLE: TOKEN})["campaigns.welcome.token"]
    assert "given twice" in problem.what
    assert "syncd.toml" in problem.what
    assert problem.where == f"environment {TOKEN_VARIABLE}"


def test_no_token_at_all_is_refused_with_the_three_ways(refused: Refused) -> None:
    """The hint names the variable, the key and the secret file, ready to copy."""
    hint = refused(env={})["campaigns.welcome.token"].hint
    assert TOKEN_VARIABLE in hint
    assert "token_file" in hint
    assert "/run/secrets/campaigns__welcome__token" in hint
