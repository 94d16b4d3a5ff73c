"""Values that nobody means: each is refused with its key, its place and a hint, none is a crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.config.load import Loaded, load, load_ledger_url
from syncd.config.oddities import DEPTH_MAX
from syncd.errors import ConfigError, Problem
from syncd.wiring import open_source

Load = Callable[..., Loaded]
Refused = Callable[..., dict[str, Problem]]

TOKEN_VARIABLE = "SYNCD_CAMPAIGNS__WELCOME__TOKEN"
TOKEN = "123.456.bAYx-not-a-real-token"
HUGE = 10**20
DIGITS = "1" * 5_000
HEX = f"0x{'f' * 5_000}"
DEEP = ".".join("a" * 5_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"[log]\n\nx = {DIGITS}\n", "thousands of digits in line 3"),
        (f"x = -1_{DIGITS}\n", "thousands of digits in line 1"),
        (f"[{DEEP}]\nx = 1\n", "nested too deeply"),
        (f"{DEEP} = 1\n", "nested too deeply"),
        (f"[sources.crm.{DEEP}]\nx = 1\n", "nested too deeply"),
        (f"[[{DEEP}]]\nx = 1\n", "nested too deeply"),
        (f"x = {'[' * 200}{']' * 200}\n", "nested too deeply"),
        (f"x = {'{a=' * 200}1{'}' * 200}\n", "nested too deeply"),
    ],
)
def test_a_file_that_no_program_reads_is_refused_as_a_whole(
    tmp_path: Path, text: str, said: str
) -> None:
    """Python's own limits of digits and of depth are never met: one problem, with a hint."""
    file = tmp_path / "syncd.toml"
    file.write_text(text, "utf-8")
    for read in (load, load_ledger_url):
        with pytest.raises(ConfigError, match=said) as caught:
            read(file, {})
        (problem,) = caught.value.problems
        assert problem.hint
        assert problem.where == str(file)


@pytest.mark.parametrize(
    ("changed", "key", "said"),
    [
        (("batch_size = 100", f"batch_size = {HEX}"), "campaigns.welcome.batch_size", "64 bits"),
        (('kind = "csv"', f'kind = "csv"\nheader = {HUGE}'), "sources.crm.header", "64 bits"),
        (('kind = "csv"', f'kind = "csv"\nbogus = {HEX}'), "sources.crm.bogus", "64 bits"),
        (('kind = "csv"', f'kind = "csv"\nx = [[-{HUGE}]]'), "sources.crm.x", "64 bits"),
        (('city = "{city}"', f"city = {HEX}"), "syncs.crm-leads.map.payload.city", "64 bits"),
        (('path = "exports', 'path = "a\\u0000b'), "sources.crm.path", "NUL"),
        (
            ('kind = "csv"', 'kind = "csv"\ncomplete_marker = "a\\u0000b"'),
            "sources.crm.complete_marker",
            "NUL",
        ),
        (('key = "id"', 'key = ["id", "i\\u0000d"]'), "syncs.crm-leads.map.key", "NUL"),
        (
            ('city = "{city}"', '"ci\\u0000ty" = "x"'),
            'syncs.crm-leads.map.payload."ci\\u0000ty"',
            "NUL",
        ),
        (
            ("[sources.crm]", '[ledger]\nurl = "sqlite:///a\\u0000b"\n[sources.crm]'),
            "ledger.url",
            "NUL",
        ),
        (
            ("[sources.crm]", f'[ledger]\nurl = "sqlite:///{"a/" * 600}"\n[sources.crm]'),
            "ledger.url",
            "longer than 1024",
        ),
    ],
)
def test_a_value_that_no_field_may_have_is_refused_with_its_key(
    refused: Refused, valid: str, changed: tuple[str, str], key: str, said: str
) -> None:
    """Too large a number and a NUL character, also in a table that its kind checks later."""
    assert changed[0] in valid
    problem = refused(valid.replace(*changed))[key]
    assert said in problem.what
    assert problem.hint
    assert problem.where.endswith("syncd.toml")


@pytest.mark.parametrize(
    ("name", "text", "key", "said"),
    [
        ("SOURCES__CRM__" + "__".join("A" * 5_000), "1", "sources", "nested too deeply"),
        ("SOURCES__CRM__COLUMNS", "[" * 500 + "]" * 500, "sources", "nested too deeply"),
        ("SOURCES__CRM__COLUMNS", f"[{'9' * 4_000}]", "sources.crm.columns", "64 bits"),
        ("SOURCES__CRM__COLUMNS", '["a\\u0000"]', "sources.crm.columns", "NUL"),
        ("CAMPAIGNS__WELCOME__BATCH_SIZE", DIGITS, "campaigns.welcome.batch_size", "whole number"),
        ("LEDGER__URL", "sqlite:///" + "a" * 2_000, "ledger.url", "longer than 1024"),
    ],
)
def test_a_variable_is_held_to_the_same(
    refused: Refused, valid: str, name: str, text: str, key: str, said: str
) -> None:
    """What a file may not hold, a variable may not bring."""
    problem = refused(valid, {TOKEN_VARIABLE: TOKEN, f"SYNCD_{name}": text})[key]
    assert said in problem.what
    assert problem.where == f"environment SYNCD_{name}"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (f"header = {2**62}", "at most 1000000"),
        (f"unpacked_bytes_max = {2**62}", "at most"),
        (f"unpacked_ratio_max = {2**62}", "at most 1000000"),
        (f'complete_marker = "{"a" * 5_000}"', "at most 4096"),
        ('encoding = "punycode"', "name of an encoding"),
        ('encoding = "IDNA"', "name of an encoding"),
    ],
)
def test_an_option_of_a_source_has_bounds(
    load_text: Load, valid: str, option: str, said: str
) -> None:
    """What 64 bits hold and no file needs is refused by the kind."""
    loaded = load_text(valid.replace('kind = "csv"', f'kind = "csv"\n{option}'))
    with pytest.raises(ConfigError) as caught:
        open_source("crm", loaded)
    (problem,) = caught.value.problems
    assert problem.key == f"sources.crm.{option.split(maxsplit=1)[0]}"
    assert said in problem.what


def test_the_depth_of_what_can_be_meant_is_read(load_text: Load, valid: str) -> None:
    """A payload of 32 levels, the most that a call job may have, is far from the limit."""
    nested = "{ a = " * 30 + "1" + " }" * 30
    loaded = load_text(valid.replace('city = "{city}"', f"city = {nested}"))
    assert loaded.settings.syncs["crm-leads"].map.payload["city"]
    assert DEPTH_MAX > 32 + 8
