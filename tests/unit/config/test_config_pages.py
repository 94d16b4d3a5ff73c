"""What is made from the models: options, shown values, schema, example, pages."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from syncd.config import document
from syncd.config.example import example, starter
from syncd.config.load import Loaded
from syncd.config.options import check_options
from syncd.config.schema import schema
from syncd.config.show import describe, secret_values
from syncd.config.toml import write
from syncd.errors import ConfigError, Problem
from syncd.observe import events

Load = Callable[..., Loaded]
Refused = Callable[..., dict[str, Problem]]

ROOT = Path(__file__).parents[3]
TOKEN = "123.456.bAYx-not-a-real-token"
ENV = {"SYNCD_CAMPAIGNS__WELCOME__TOKEN": TOKEN}


class Nested(BaseModel):
    depth: int = Field(default=1, description="How deep.")


class Options(BaseModel):
    """A kind for the tests."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    path: str = Field(min_length=1, description="The file.", examples=["exports/*.csv"])
    others: list[str] = Field(
        default=[], description="More | files.", json_schema_extra={"syncd_path": True}
    )
    header: Annotated[int, Field(ge=1, strict=True)] | Literal[False] | None = Field(
        default=None, description="Where the header is.", examples=[1]
    )
    settle: timedelta = Field(default=timedelta(seconds=30), description="How long.")
    login: SecretStr | None = Field(default=None, description="Who.", examples=["me"])
    nested: Nested = Nested()


KINDS: dict[str, type[BaseModel]] = {"csv": Options, "sql": Options}


def test_options_are_checked_by_their_kind(tmp_path: Path) -> None:
    """Right options become the model; relative paths start from the file's folder."""
    options = check_options(
        "crm",
        Options,
        {"path": "a/*.csv", "others": ["b.csv", "/abs.csv", "s3://bucket/x", 5][:3]},
        file=tmp_path / "syncd.toml",
    )
    assert options.path == f"{tmp_path}/a/*.csv"
    assert options.others == [f"{tmp_path}/b.csv", "/abs.csv", "s3://bucket/x"]


def test_wrong_options_are_told_at_once_with_place_and_hint(tmp_path: Path) -> None:
    """One problem for each key, also where pydantic sees several choices; no value is shown."""
    with pytest.raises(ConfigError, match='options of source "crm" are wrong') as caught:
        check_options(
            "crm",
            Options,
            {"pth": "canary", "header": "canary", "others": ["a", 5], "nested": {"depth": "x"}},
            file=tmp_path / "syncd.toml",
            origins={"sources.crm.header": "environment SYNCD_SOURCES__CRM__HEADER"},
        )
    problems = {problem.key: problem for problem in caught.value.problems}
    assert set(problems) == {
        "sources.crm.pth",
        "sources.crm.path",
        "sources.crm.header",
        "sources.crm.others.1",
        "sources.crm.nested.depth",
    }
    assert problems["sources.crm.pth"].hint == 'did you mean "path"?'
    assert problems["sources.crm.header"].where == "environment SYNCD_SOURCES__CRM__HEADER"
    assert ", or " in problems["sources.crm.header"].what
    assert "canary" not in repr(problems)


def test_an_error_of_a_kind_that_is_not_in_our_list_is_still_told(tmp_path: Path) -> None:
    """The library's own words, in our style, are the net below."""
    with pytest.raises(ConfigError) as caught:
        check_options(
            "crm", Options, {"path": "x", "settle": "canary"}, file=tmp_path / "syncd.toml"
        )
    (problem,) = caught.value.problems
    assert problem.what.startswith("must be a valid timedelta")
    assert "canary" not in repr(problem)


def test_every_value_is_shown_with_its_origin_and_no_secret(load_text: Load, valid: str) -> None:
    """Defaults too; a token as a fingerprint, a password as a mask."""
    text = valid + "\n[sources.crm.extra]\na = 1\n"
    text = text.replace(
        'kind = "csv"', 'kind = "csv"\napi_key = "canary-1"\ndsn = "a://u:canary-2@h"'
    )
    text = text.replace(
        "[campaigns", '[ledger]\nurl = "postgresql://u:canary%2F3@db/x"\n\n[campaigns', 1
    )
    loaded = load_text(text)
    shown = {one.path: one for one in describe(loaded)}
    assert (
        shown["campaigns.welcome.token"].value
        == f"******** (sha256 {hashlib.sha256(TOKEN.encode()).hexdigest()[:8]})"
    )
    assert shown["campaigns.welcome.token"].origin == f"environment {next(iter(ENV))}"
    assert shown["campaigns.welcome.batch_size"].value == 100
    assert shown["campaigns.welcome.timeouts.read_s"].origin == "default"
    assert shown["syncs.crm-leads.every"].value == "5m"
    assert shown["syncs.crm-leads.map.phone"].value == ["mobile", "phone"]
    assert shown["syncs.crm-leads.map.payload.city"].value == "{city}"
    assert shown["ledger.url"].value == "postgresql://u:********@db/x"
    assert shown["sources.crm.api_key"].value == "********"
    assert shown["sources.crm.dsn"].value == "a://u:********@h"
    assert shown["sources.crm.extra"].value == {"a": 1}
    assert shown["sources.crm.extra"].origin.endswith("syncd.toml")
    assert "canary" not in repr(shown)
    assert json.dumps([one.value for one in shown.values()])
    secrets = {TOKEN, "canary-1", "canary-2", "canary%2F3", "canary/3"}
    assert set(secret_values(loaded)) == secrets


def test_options_of_a_known_kind_are_shown_with_their_defaults(load_text: Load, valid: str) -> None:
    """With the kind's model, its secrets are known as such."""
    loaded = load_text(
        valid.replace('kind = "csv"', 'kind = "csv"\nlogin = "canary"\nmore = "x://[/"')
    )
    shown = {one.path: one for one in describe(loaded, KINDS)}
    assert shown["sources.crm.settle"].value == "30s"
    assert shown["sources.crm.settle"].origin == "default"
    assert shown["sources.crm.nested"].value == {"depth": 1}
    assert shown["sources.crm.more"].value == "x://[/"
    assert str(shown["sources.crm.login"].value).startswith("********")
    assert "canary" in secret_values(loaded, KINDS)


def test_the_schema_knows_every_kind_and_asks_for_no_token() -> None:
    """Options stand beside the kind, and what the environment can give is not required."""
    made = schema(KINDS)
    source = made["$defs"]["SourceSettings"]
    assert [one["if"]["properties"]["kind"]["const"] for one in source["allOf"]] == ["csv", "sql"]
    assert source["allOf"][0]["then"]["required"] == ["kind", "path"]
    assert "options" not in source["properties"]
    assert "token" not in made["$defs"]["CampaignSettings"]["required"]
    assert made["properties"]["campaigns"]
    assert json.loads(json.dumps(made)) == made
    assert "allOf" not in schema()["$defs"]["SourceSettings"]


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    """No definition is lost when options move into the source."""
    made = schema(KINDS)
    text = json.dumps(made)
    names = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert names <= set(made["$defs"])


def test_the_example_loads_when_the_token_is_given(load_text: Load) -> None:
    """The example is a valid configuration, but for the token."""
    loaded = load_text(example(document.kinds()), ENV)
    assert list(loaded.settings.syncs) == ["crm-leads"]
    source = loaded.settings.sources["crm"]
    assert check_options("crm", document.kinds()["csv"], source.options, file=loaded.path)


def test_the_example_without_a_token_is_refused(refused: Refused) -> None:
    """Nobody can call anyone with the example as it is."""
    assert list(refused(example({"csv": Options}), {})) == ["campaigns.welcome.token"]


def test_every_key_of_the_example_is_a_key(load_text: Load, refused: Refused) -> None:
    """With each `#key = value` taken in, only the pairs that exclude each other are refused."""
    lines = example({"csv": Options}).splitlines()
    text = "\n".join(
        line[1:] if line[:1] == "#" and line[1:2] not in {" ", ""} else line for line in lines
    )
    problems = refused(text, {})
    assert set(problems) == {
        "campaigns.welcome.token",
        "syncs.crm-leads",
        "syncs.crm-leads.zones.column",
    }
    assert "given twice" in problems["campaigns.welcome.token"].what
    assert "both" in problems["syncs.crm-leads"].what


def test_a_second_kind_is_shown_as_a_comment(load_text: Load) -> None:
    """The example has one source that is read; other kinds are there to copy."""
    text = example(KINDS)
    assert "#[sources.crm-sql]" in text
    assert list(load_text(text, ENV).settings.sources) == ["crm"]


def test_the_starter_is_short_and_loads(load_text: Load, tmp_path: Path) -> None:
    """`syncd init` writes a file that works once the token is there."""
    text = starter("csv", KINDS)
    (tmp_path / "welcome.token").write_text(TOKEN + "\n", "utf-8")
    (tmp_path / "welcome.token").chmod(0o600)
    loaded = load_text(text, {})
    assert loaded.settings.sources["crm"].options == {"path": "exports/*.csv"}
    settings = [line for line in text.splitlines() if "=" in line and not line.startswith("#")]
    assert len(settings) <= 12
    assert load_text(starter("other", {}), {}).settings.sources["crm"].kind == "other"


@pytest.mark.parametrize(
    "value", [True, 3, 1.5, 'a"b\\c\nd\x7fé', ["a", 1], {"a b": {"c": [1]}, "d": "x"}, {}, []]
)
def test_values_survive_writing_as_toml(value: object) -> None:
    """What is written is read back the same."""
    assert tomllib.loads(f"x = {write(value)}")["x"] == value


def test_the_reference_has_every_key_and_every_event() -> None:
    """Pages are made from the models and the table of events."""
    pages = document.pages(KINDS)
    page = pages["docs/reference/configuration.md"]
    for key in ("batch_size", "total_s", "gmtZone", "on_change", "others", "SYNCD_SECRETS_DIR"):
        assert f"`{key}`" in page
    assert "More \\| files." in page
    assert all(f"| `{name}` |" in pages["docs/reference/events.md"] for name in events.ALL)


def test_generated_files_are_fresh() -> None:
    """What is committed is what the models say; `make docs` writes it."""
    for name, text in document.pages(document.kinds()).items():
        assert (ROOT / name).read_text("utf-8") == text, f"{name} is stale: make docs"
