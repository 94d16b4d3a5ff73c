"""The types of single values in the configuration: durations, names, URLs, tokens.

Each refusal says what is wrong and how to write it right, and never holds the value itself.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from syncd.core import duration
from syncd.core.refusal import BadValue

NAME_CHARS_MAX = 64
TOKEN_CHARS_MAX = 1024
#: A path has 4,096 bytes at most, and each of its folders is made one below the other.
LEDGER_URL_CHARS_MAX = 1024
EVERY_MIN = timedelta(seconds=1)
EVERY_MAX = timedelta(days=31)

NAME_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
#: What people leave in a file that they copied; compared in lower case.
_PLACEHOLDER = re.compile(
    r"^(<.*>|\$\{.*\}|\{\{.*\}\}|\*+|x+|\.+|…|(your|my|the|paste|insert|enter|put)[-_ .].*"
    r"|(campaign[-_ ]?)?token|secret|change[-_ ]?me|to[-_ ]?do|placeholder|example|none|null)$"
)


#: The inverse of `parse_duration`.
format_duration = duration.write


class Section(BaseModel):
    """A table of the file: frozen, strict types, no unknown keys, no value in any message."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


def refusal(what: str, hint: str = "") -> PydanticCustomError:
    """An error of a validator; `problems.py` turns it into a `Problem` with this text and hint."""
    return PydanticCustomError("syncd", "{what}", {"what": what, "hint": hint})


def parse_duration(value: Any) -> timedelta:
    """A duration of the file or of a default: see `core.duration`."""
    if isinstance(value, timedelta):
        return value
    try:
        return duration.parse(value if isinstance(value, str) else "")
    except BadValue as error:
        raise refusal(error.why, duration.HINT) from None


def _check_every(value: timedelta) -> timedelta:
    if not EVERY_MIN <= value <= EVERY_MAX:
        bounds = f"{format_duration(EVERY_MIN)} to {format_duration(EVERY_MAX)}"
        raise refusal(f"is outside {bounds}", "give a duration inside these bounds")
    return value


def _check_name(value: str) -> str:
    if not re.fullmatch(NAME_PATTERN, value):
        raise refusal(
            f"is no name: 1 to {NAME_CHARS_MAX} letters, digits, '-' or '_'",
            "rename it; spaces, dots and letters outside ASCII are not taken",
        )
    return value


def _check_token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value()
    hint = "copy the token of a campaign of the kind 'from a CRM system'"
    if not token:
        raise refusal("is empty", hint)
    if _PLACEHOLDER.fullmatch(token.lower()):
        raise refusal("is a placeholder, not a token", hint)
    if "/" in token or "?" in token:
        raise refusal(
            "looks like a URL", "give the token alone: the part between /campaign/ and the next /"
        )
    if len(token) > TOKEN_CHARS_MAX or any(c.isspace() or not c.isprintable() for c in token):
        raise refusal("has spaces, line ends or unprintable characters, or is too long", hint)
    return value


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port  # reading the port checks it
        if ":" in host:
            ipaddress.ip_address(host)
    except ValueError:
        raise refusal("is no URL", 'write it as "https://app.aimylogic.com"') from None
    return parts


def _check_base_url(value: str, info: ValidationInfo) -> str:
    """Host and, on some installations, a path prefix; the client adds the methods' paths."""
    parts = _split(value)
    example = 'write it as "https://app.aimylogic.com"'
    if (
        parts.scheme not in {"https", "http"}
        or not parts.hostname
        or not re.fullmatch(r"[\x21-\x7e]+", value)
    ):
        raise refusal("must be a URL with https:// and a host", example)
    if "@" in parts.netloc:
        raise refusal("holds a user name or password", "the token is the only credential")
    if "?" in value or "#" in value:
        raise refusal("has a query or a fragment", "give the host only")
    if "campaign" in parts.path.lower() or "/api/" in parts.path.lower() + "/":
        raise refusal("holds the path of a method", "give the host only; the token has its own key")
    if re.search(r"//|[%;\\]|/\.{1,2}(/|$)", parts.path):
        raise refusal("has a path that is not plain", example)
    if parts.scheme == "http" and not (
        _is_loopback(parts.hostname) or info.data.get("allow_insecure_http")
    ):
        raise refusal(
            "is http: whoever listens on the way can read the token and place calls",
            "use https, or set allow_insecure_http = true if you trust the whole way",
        )
    return value.rstrip("/")


def _check_ledger_url(value: str) -> str:
    """SQLite or PostgreSQL; the ledger opens it."""
    if len(value) > LEDGER_URL_CHARS_MAX:
        raise refusal(f"is longer than {LEDGER_URL_CHARS_MAX} characters", "is this the right URL?")
    if "\0" in value:
        raise refusal("holds a NUL character", "no file can have one in its name")
    parts = _split(value)
    example = 'write it as "sqlite:///syncd.db" or "postgresql://user@host/database"'
    if parts.scheme == "sqlite":
        if not value.startswith("sqlite:///") or parts.path in {"", "/", "/:memory:"}:
            raise refusal(
                "names no file",
                f"{example}; a ledger in memory forgets, and everyone would be called again",
            )
        if "?" in value or "#" in value:
            raise refusal("has a query or a fragment", "give the path of the file only")
    elif parts.scheme not in {"postgresql", "postgresql+psycopg"}:
        raise refusal("is of no kind that syncd knows", example)
    elif len(parts.path) <= 1:
        raise refusal("names no database", example)
    options = [name for name, _ in parse_qsl(value.partition("?")[2], keep_blank_values=True)]
    if any(name.lower().endswith(("password", "secret")) for name in options):
        hint = "the ledger's password stands before the @, another one in a file of libpq's"
        raise refusal("has a password after the ?, where it would be shown", hint)
    return value


_Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": duration.PATTERN, "examples": ["30s", "5m"]}),
]
#: An interval of a schedule, EVERY_MIN to EVERY_MAX.
Every = Annotated[_Duration, AfterValidator(_check_every)]
#: The name of a campaign, a source or a sync.
Name = Annotated[str, AfterValidator(_check_name), WithJsonSchema({"type": "string"})]
Token = Annotated[SecretStr, AfterValidator(_check_token)]
BaseUrl = Annotated[str, AfterValidator(_check_base_url)]
LedgerUrl = Annotated[str, AfterValidator(_check_ledger_url)]
