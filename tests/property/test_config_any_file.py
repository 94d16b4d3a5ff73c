"""Whatever stands in the file, in a variable or in a secret file: settings or clear problems."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.config.load import load
from syncd.config.paths import dotted
from syncd.config.settings import CampaignSettings, Settings, SyncSettings
from syncd.config.show import describe, secret_values
from syncd.config.toml import write
from syncd.errors import ConfigError

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
    st.floats(),
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


def test_a_time_of_toml_is_written_as_it_is_read() -> None:
    """`write` has a form for what tomllib gives."""
    assert write(datetime(2026, 1, 1, tzinfo=UTC)) == '"2026-01-01 00:00:00+00:00"'
