"""`syncd test-call`: one real call to one phone, to hear the script; no lead."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import ConfigError, InDoubt

_KEY_HEAD = "test-"


def call(
    campaign: Annotated[str, typer.Argument(help="A campaign of the configuration.")],
    phone: Annotated[str, typer.Argument(help="The phone to call, in any spelling.")],
    *,
    payload: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A value for the call script; repeat for more."),
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="The phone's zone: +03:00, or Europe/London.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="The key that a test call without an answer named: no second call."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call one phone now, as a test.

    A real call, exempt from the rule against duplicates. It is no lead: the ledger knows
    nothing of it.
    """
    import secrets

    from syncd.cli.finding import one_phone
    from syncd.wiring import wire_campaign

    values = _payload(payload or [])
    sent_zone = None if zone is None else _zone(zone)
    loaded = common.load_config(config)
    client = wire_campaign(campaign, loaded).client
    number = one_phone(phone, loaded.settings, campaign=campaign)
    used = _known_key(key) if key is not None else f"{_KEY_HEAD}{secrets.token_hex(16)}"
    try:
        job = client.test_add_phone(number, payload=values, gmt_zone=sent_zone, key=used)
    except InDoubt as doubt:
        doubt.hint = f"the call may come. To ask again without a second call: --key {used}"
        raise
    finally:
        client.close()
    if as_json:
        common.print_json(
            {"campaign": campaign, "phone": f"+{number}", "call_job_id": job, "key": used}
        )
    else:
        typer.echo(f"call job {job} to +{number}")


def _known_key(key: str) -> str:
    """A key that an earlier test call made: any other could be that of a batch."""
    if not re.fullmatch(f"{_KEY_HEAD}[0-9a-f]{{32}}", key):
        raise ConfigError(
            "this is no key of a test call", where="--key", hint="copy it from the error's hint"
        )
    return key


def _payload(given: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise ConfigError(
                "a value for the call script lacks its name", hint="--payload name=value"
            )
        values[name] = value
    return values


def _zone(text: str) -> str:
    from syncd.core import zone

    known = zone.canonical(text)
    if known is None:
        raise ConfigError(
            f'"{text}" is no zone', where="--zone", hint="write +03:00 or Europe/London"
        )
    return known
