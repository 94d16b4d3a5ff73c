"""Whatever stands in the file, in a variable or in a secret file: settings or clear problems."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.config.load import load, load_ledger_url
from syncd.config.options import check_options
from syncd.config.paths import dotted
from syncd.config.settings import CampaignSettings, Settings, SyncSettings
from syncd.config.show import describe, secret_values
from syncd.config.toml import write
from syncd.errors import ConfigError
from syncd.sources.csv_options import CsvOptions

CANARY = "Canary7Token"

KEYS = st.one_of(
    st.sampled_from(
        [
            *Settings.model_fields,
            *CampaignSettings.model_fields,
            *SyncSettings.model_fields,
            *("kind", "key", "phone", "payload", "url", "crm", "welcome", "a-b", "column", "value"),
        ]
    ),
    st.text(min_size=1, max_size=5, alphabet=st.characters(exclude_categories=["Cs"])),
)
LEAVES = st.one_of(
    st.booleans(),
    st.integers(),
    st.sampled_from([10**20, -(10**4_000), 2**63 - 1, 2**62]),
    st.floats(),
    st.sampled_from(["a\0b", "a" * 5_000, "sqlite:///a\0b", "postgresql://h/d?foo=1"]),
    st.just(CANARY),
    st.sampled_from(
        [
            f"https://u:{CANARY}@h/x",
            f"{CANARY}s",
            f"{{{CANARY}",
            f"* * * * {CANARY}",
            f"sqlite:///{CANARY}?",
            "5m",
            "crm",
            "welcome",
            "csv",
        ]
    ),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner)),
    max_leaves=12,
)
#: Where Python's own limits are: of the digits of a number, and of its stack.
MANY = st.sampled_from([1, 30, 63, 64, 65, 300, 990, 1_100, 4_299, 4_301])
ABSURD = st.one_of(
    MANY.map("9".__mul__),
    MANY.map(lambda n: f"0x{'f' * n}"),
    MANY.map(lambda n: f"1{'0' * n}.5e{n}"),
    MANY.map(lambda n: "[" * n + "]" * n),
    MANY.map(lambda n: "{a=" * n + "1" + "}" * n),
    MANY.map(lambda n: f'"{"a/" * n}"'),
    MANY.map(lambda n: f'"{"(" * n}a{")" * n}"'),
    MANY.map(lambda n: f'"{"{a}" * n}"'),
    st.just('"\\u0000"'),
)
ABSURD_KEYS = st.one_of(
    MANY.map(lambda n: ".".join("a" * min(n, 1_100))),
    st.sampled_from(
        [
            "ledger.url",
            "campaigns.welcome.batch_size",
            "campaigns.welcome.base_url",
            "campaigns.welcome.token_file",
            "campaigns.welcome.timeouts.read_s",
            "sources.crm.kind",
            "sources.crm.header",
            "sources.crm.path",
            "sources.crm.complete_marker",
            "sources.crm.unpacked_bytes_max",
            "syncs.crm.every",
            "syncs.crm.cron",
            "syncs.crm.time_zone",
            "syncs.crm.map.key",
            "syncs.crm.map.filter",
            "syncs.crm.map.maxAttempts",
            "syncs.crm.map.startDateTime",
            "syncs.crm.map.gmtZone",
            "syncs.crm.map.payload.a",
            "syncs.crm.map.payload.a.default",
        ]
    ),
)
SECTIONS = st.dictionaries(st.sampled_from(sorted(Settings.model_fields)), VALUES)
NAMED = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=2)
FILES = st.one_of(
    SECTIONS,
    st.fixed_dictionaries({"campaigns": NAMED, "sources": NAMED, "syncs": NAMED}),
)
VARIABLES = st.dictionaries(
    st.lists(KEYS.map(lambda key: key.upper().replace("\0", "")), min_size=1, max_size=4).map(
        lambda parts: "SYNCD_" + "__".join(parts)
    ),
    st.sampled_from([CANARY, f"[{CANARY}", f'["{CANARY}"]', "5", ""]),
    max_size=2,
)


@given(FILES, VARIABLES)
def test_any_file_gives_settings_or_problems_without_a_value(
    tables: dict[str, Any], env: dict[str, str]
) -> None:
    """No other exception, no empty refusal, and no value in what is said."""
    text = "".join(f"{dotted([key])} = {write(value)}\n" for key, value in tables.items())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "syncd.toml"
        file.write_text(text, "utf-8")
        refusal: ConfigError | None = None
        try:
            loaded = load(file, env)
        except ConfigError as error:
            refusal = error
    if refusal is not None:
        assert refusal.problems
        assert CANARY not in repr((str(refusal), refusal.hint, refusal.problems))
    else:
        shown = describe(loaded)
        assert len({one.path for one in shown}) == len(shown)
        assert all(secret not in repr(shown) for secret in secret_values(loaded) if secret)


@given(st.dictionaries(ABSURD_KEYS, ABSURD, max_size=3))
def test_absurd_values_give_settings_or_problems(given_: dict[str, str]) -> None:
    """Numbers of thousands of digits, depths of thousands: no limit of Python's own is met."""
    text = "".join(f"{key} = {value}\n" for key, value in given_.items())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "syncd.toml"
        file.write_text(text, "utf-8")
        for read in (load, load_ledger_url):
            with suppress(ConfigError):
                read(file, {})


@given(st.dictionaries(st.sampled_from(sorted(CsvOptions.model_fields)), VALUES, max_size=4))
def test_any_options_of_a_source_give_options_or_problems(options: dict[str, Any]) -> None:
    """What the file lets through to the kind is judged by the kind, with a key for each problem."""
    refusal: ConfigError | None = None
    try:
        check_options("crm", CsvOptions, options, file=Path("syncd.toml"))
    except ConfigError as error:
        refusal = error
    if refusal is not None:
        assert all(problem.key.startswith("sources.crm") for problem in refusal.problems)
        assert CANARY not in repr(refusal.problems)


def test_a_time_of_toml_is_written_as_it_is_read() -> None:
    """`write` has a form for what tomllib gives."""
    assert write(datetime(2026, 1, 1, tzinfo=UTC)) == '"2026-01-01 00:00:00+00:00"'
