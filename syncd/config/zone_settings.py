"""The section `[syncs.NAME.zones]`: from which columns, tables and numbers a zone is learnt."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from syncd.config.values import Section
from syncd.core.spec import ZoneSpec

#: Every step, in the order in which they are asked where none is given.
STEPS = ("column", "region", "city", "postcode", "country", "registry", "phone", "default")
_OF_COLUMNS = frozenset({"column", "region", "city", "postcode", "country"})


def _as_tuple(value: Any) -> Any:
    one = (value,) if isinstance(value, str) else value
    return tuple(one) if isinstance(one, list) else one


_Step = Literal["column", "region", "city", "postcode", "country", "registry", "phone", "default"]
_Zones = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class ZoneSettings(Section):
    """Where a person's time zone is learnt: the first step that knows it wins."""

    chain: Annotated[tuple[_Step, ...], BeforeValidator(_as_tuple)] | None = Field(
        default=None,
        description="The steps, in the order in which they are asked. Not given: column, region,"
        " city, postcode and country, as far as their columns are given, then registry, phone and"
        " default.",
        examples=[["column", "region", "registry", "phone"]],
    )
    column: str | None = Field(
        default=None,
        description="The column of the zone itself: an IANA name in any case, an old name, an"
        ' offset, a Windows name, or "МСК+2".',
        examples=["time_zone"],
    )
    region: str | None = Field(
        default=None,
        description="The column of the state, province or subject, of Russia, the USA, Canada,"
        " Australia, Brazil and Mexico among others.",
        examples=["region"],
    )
    city: str | None = Field(default=None, description="The column of the city.", examples=["city"])
    postcode: str | None = Field(
        default=None, description="The column of the post code.", examples=["zip"]
    )
    country: str | None = Field(
        default=None,
        description="The column of the country, by name or code. It also tells whose regions,"
        " cities and post codes are meant; without it the phone's country does.",
        examples=["country"],
    )
    table: str | None = Field(
        default=None,
        description="Your own table, a CSV with the columns value and zone: what stands in a zone,"
        " region, city or post code column, and the zones that it means, parted by |, the likeliest"
        " first.",
        examples=["zones.csv"],
        json_schema_extra={"syncd_path": True},
    )
    default: str | None = Field(
        default=None,
        description="The zone of those of whom nothing else is known. Without it they are held.",
        examples=["Europe/Moscow"],
    )
    overrides: dict[str, _Zones] = Field(
        default_factory=dict,
        description="Zones of numbers that begin with a prefix, where the built-in tables are"
        " wrong or too careful for you. They are asked before the registry and the phone.",
        examples=[{"+7 336": ["Europe/Moscow"]}],
    )

    def steps(self) -> tuple[str, ...]:
        """The steps that are asked, in their order."""
        if self.chain is not None:
            return self.chain
        unset = {step for step in _OF_COLUMNS if getattr(self, step) is None}
        if self.default is None:
            unset.add("default")
        return tuple(step for step in STEPS if step not in unset)

    def to_spec(self, table: str = "", registry: str = "") -> ZoneSpec:
        """The chain as the core takes it.

        Args:
            table: the text of the user's own table.
            registry: the digest of the numbering registry that is in force.
        """
        columns = {step: getattr(self, step) for step in sorted(_OF_COLUMNS)}
        return ZoneSpec(
            steps=self.steps(),
            columns={step: column for step, column in columns.items() if column is not None},
            table=table,
            default=self.default,
            overrides=dict(self.overrides),
            registry=registry,
        )
