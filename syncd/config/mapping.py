"""The section `[syncs.NAME.map]`: how a record becomes a call job, as it is written in TOML.

It reads the short and the long form of a value into the core's `ValueSpec`. What the columns hold,
and whether they exist, is the core's to judge.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from syncd.config.values import Section, refusal
from syncd.core.expression_parser import parse
from syncd.core.fields import READERS
from syncd.core.getters import parse_template
from syncd.core.names import did_you_mean
from syncd.core.refusal import BadValue
from syncd.core.spec import MappingSpec, ValueSpec
from syncd.core.values import ValueType
from syncd.errors import ConfigError

_SOURCES = frozenset({"column", "template", "value"})
_LONG_FORM = _SOURCES | {"type", "required", "default"}
_COLUMN = re.compile(r"\{([^{}]+)\}")
_INT_MAX = 2**63 - 1
_DEPTH_MAX = 32


def _as_tuple(value: Any) -> Any:
    return (
        (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value
    )


def _check_columns(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or not all(value):
        raise refusal("names no column", "give the name of a column, or a list of names")
    if len(set(value)) < len(value):
        raise refusal("names a column twice", "give each column once")
    return value


def _literal(value: Any, depth: int = 0) -> Any:
    """A TOML value as JSON can hold it: dates and times become ISO 8601 texts."""
    if depth > _DEPTH_MAX:
        raise refusal("is nested too deeply", f"at most {_DEPTH_MAX} levels")
    if isinstance(value, dict):
        return {key: _literal(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_literal(item, depth + 1) for item in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise refusal("is not a finite number", "JSON has neither nan nor inf")
    if isinstance(value, int) and abs(value) > _INT_MAX:
        raise refusal("is a number of more than 64 bits", "write it as a text")
    return value


def _long_form(value: Mapping[str, Any]) -> bool:
    """Whether a table is the long form; a near miss is refused, not sent as a literal."""
    given = _SOURCES & value.keys()
    others = value.keys() - _LONG_FORM
    if len(given) == 1 and not others:
        return True
    if len(given) > 1 and not others:
        raise refusal("has more than one of column, template and value", "give exactly one of them")
    if given & {"column", "template"}:
        raise refusal(
            "has a column or template, and a key that a mapped value does not have",
            f"{did_you_mean(min(others), sorted(_LONG_FORM))} "
            "To send such a table as it is, write { value = { … } }",
        )
    return False


def _check_long_form(value: Mapping[str, Any]) -> None:
    for key in ("column", "template"):
        if key in value and (not isinstance(value[key], str) or not value[key]):
            raise refusal(f"has a {key} that is no text", f"give {key} as a text in quotes")
    if "template" in value:
        _check_template(value["template"])
    if "type" in value and value["type"] not in get_args(ValueType):
        raise refusal("has an unknown type", f"the types are {', '.join(get_args(ValueType))}")
    if not isinstance(value.get("required", False), bool):
        raise refusal("has a required that is neither true nor false", "write required = true")
    if value.get("required") and "default" in value:
        raise refusal("is required and has a default", "give one of them")


def _check_template(text: str) -> None:
    try:
        parse_template(text)
    except BadValue as error:
        raise refusal(str(error)) from None


def read_value(value: Any) -> ValueSpec:
    """One value of the mapping, short or long, as the core takes it; raises PydanticCustomError.

    "{city}" is the column, "{first} {last}" a template; a text without braces, a number, a list and
    a table that is not the long form are literals.
    """
    if isinstance(value, dict) and _long_form(value):
        _check_long_form(value)
        literals = {key: _literal(value[key]) for key in ("value", "default") if key in value}
        return ValueSpec(**{**value, **literals})
    if isinstance(value, str) and ("{" in value or "}" in value):
        _check_template(value)
        alone = _COLUMN.fullmatch(value)
        return ValueSpec(column=alone[1].strip()) if alone else ValueSpec(template=value)
    return ValueSpec(value=_literal(value))


def _check_value(value: Any) -> Any:
    read_value(value)
    return value


def _check_field(value: Any, info: ValidationInfo) -> Any:
    """A constant of a vendor field is read by the vendor's rules now, not at the first record."""
    spec = read_value(value)
    for constant in (spec.value, spec.default):
        if constant is not None and info.field_name is not None:
            try:
                READERS[info.field_name](constant)
            except BadValue as error:
                raise refusal(str(error), "see docs/reference/configuration.md") from None
    return value


_Columns = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), AfterValidator(_check_columns)]
_Value = Annotated[Any, AfterValidator(_check_value)]
_Field = Annotated[Any, AfterValidator(_check_field)]


class Map(Section):
    """How a record becomes a call job."""

    key: _Columns = Field(
        description="The column, or the list of columns, that tells a lead from all others: the"
        " CRM's ID. One lead is called once, however often its row comes back.",
        examples=["id"],
    )
    phone: _Columns = Field(
        description="The column of the phone, or a list: the first that holds a valid phone is"
        " taken.",
        examples=["phone"],
    )
    default_region: str | None = Field(
        default=None,
        description='The country of phones that are written without one, such as "8 (912) …":'
        " two letters.",
        examples=["RU"],
    )
    filter: str | None = Field(
        default=None,
        description="Only records for which this is true become call jobs; the language is under"
        " Filters in docs/reference/configuration.md.",
        examples=["stage == 'new' and consent == 'yes'"],
    )
    startDateTime: _Field = Field(  # noqa: N815 - the vendor's name
        default=None,
        description="Not called before; ISO 8601 with a zone.",
        examples=["{call_after}"],
    )
    finishDateTime: _Field = Field(  # noqa: N815 - the vendor's name
        default=None,
        description="Not called after; ISO 8601 with a zone.",
        examples=["{call_before}"],
    )
    allowedDays: _Field = Field(  # noqa: N815 - the vendor's name
        default=None,
        description='Weekdays on which calls are permitted, such as "mon-fri", or a list of them;'
        " hours that allowedTime gives for other days do not count.",
        examples=[["mon", "tue", "wed", "thu", "fri"]],
    )
    allowedTime: _Field = Field(  # noqa: N815 - the vendor's name
        default=None,
        description='Permitted hours in the customer\'s own time: "10:00-19:00" is every day,'
        ' "09:00-13:00, 14:00-20:00" has a break; or a table by weekday.',
        examples=[{"default": [{"localTimeFrom": "10:00", "localTimeTo": "19:00"}]}],
    )
    retryIntervalInMinutes: _Field = Field(  # noqa: N815 - the vendor's name
        default=None, description="Minutes between attempts, 1 to 2880.", examples=[60]
    )
    maxAttempts: _Field = Field(  # noqa: N815 - the vendor's name
        default=None,
        description="The most attempts, 0 to 50; 0 is the campaign's own.",
        examples=[3],
    )
    gmtZone: _Field = Field(  # noqa: N815 - the vendor's name
        default=None,
        description="The customer's zone: an IANA name, or an offset such as +03:00. Without it the"
        " phone's zone is taken where there is only one; otherwise the call job is held.",
        examples=["{time_zone}"],
    )
    dialerPriority: _Field = Field(  # noqa: N815 - the vendor's name
        default=None, description="1 (first) to 5.", examples=[3]
    )
    payload: dict[str, _Value] = Field(
        default_factory=dict,
        description="What the call script gets: name = value.",
        examples=[{"name": "{first_name} {last_name}", "source": "crm"}],
    )

    @field_validator("default_region")
    @classmethod
    def _check_region(cls, value: str | None) -> str | None:
        # Imported here: a command that needs no mapping starts without the phone data.
        from syncd.core.phone import is_region  # noqa: PLC0415 - see above

        if value is not None and not is_region(value):
            hint = 'two capital letters, such as "GB"'
            raise refusal("is no region with phone numbers", hint)
        return value

    @field_validator("filter")
    @classmethod
    def _check_filter(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                parse(value)
        except ConfigError as error:
            raise refusal(str(error), error.hint) from None
        return value

    def to_spec(self) -> MappingSpec:
        """The mapping as the core takes it; a vendor field that was not given is left out."""
        given = {name: getattr(self, name) for name in READERS}
        return MappingSpec(
            key=self.key,
            phone=self.phone,
            default_region=self.default_region,
            filter=self.filter,
            payload={name: read_value(value) for name, value in self.payload.items()},
            fields={name: read_value(value) for name, value in given.items() if value is not None},
        )
