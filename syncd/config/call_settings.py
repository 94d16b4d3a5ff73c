"""Settings of whom to call once, of changes and withdrawals, and of do-not-call lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from syncd.config.values import Every, Section
from syncd.core.call_policy import CallPolicy, OnChange, OnWithdrawn

CALL_AGAIN_DAYS_MAX = 3_650


def _as_tuple(value: Any) -> Any:
    """A name alone is a list of one."""
    one = (value,) if isinstance(value, str) else value
    return tuple(one) if isinstance(one, list) else one


_Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class CallSettings(Section):
    """Whom to call once, and what a changed or missing row does."""

    on_change: Literal["ignore", "cancel_and_readd", "call_again"] = Field(
        default="ignore",
        description='What follows when the row of a known lead changes. "ignore" keeps the call'
        ' job as it is. "cancel_and_readd" replaces a call that was not made yet: one that the'
        " vendor has is cancelled there first, and when it turns out to have been made, nobody is"
        ' called again. "call_again" calls once more when the earlier call has ended.',
    )
    change_columns: _Names = Field(
        default=(),
        description="The columns whose change counts for on_change. None given: any change of what"
        " would be sent.",
        examples=[["stage"]],
    )
    on_withdrawn: Literal["keep", "cancel"] = Field(
        default="keep",
        description="What follows when the row of a lead is no longer in the source, or no longer"
        ' passes the filter: "keep" calls all the same, "cancel" withdraws the call. With "cancel"'
        " each poll reads the whole source, so each reading must show every row that still counts.",
    )
    withdrawn_share_max: _Share = Field(
        default=0.2,
        description="When a larger share of the open leads is missing at once (1.0 is all), none is"
        " withdrawn: the export is probably cut short.",
    )
    one_call_per: Literal["phone", "lead"] = Field(
        default="phone",
        description='Whom to call once: "phone" compares phones in their international form, so'
        ' that a person with five records is called once; "lead" calls each record.',
    )
    one_call_scope: Literal["campaign", "all"] = Field(
        default="campaign",
        description='Where the phone may have been called before: in the same "campaign", or in'
        ' "all" of this ledger.',
    )
    call_again_after_days: int | None = Field(
        default=None,
        ge=1,
        le=CALL_AGAIN_DAYS_MAX,
        description="So many days after the end of a call, a new lead with its phone is called"
        " again. Not given: never.",
        examples=[90],
    )

    def calls(self, lists: Sequence[str] = ()) -> CallPolicy:
        """What the ledger compares by; `lists` are the do-not-call lists that hold for the sync."""
        days = self.call_again_after_days
        return CallPolicy(
            per_phone=self.one_call_per == "phone",
            all_campaigns=self.one_call_scope == "all",
            again_after=None if days is None else timedelta(days=days),
            on_change=OnChange(self.on_change),
            change_columns=self.change_columns,
            on_withdrawn=OnWithdrawn(self.on_withdrawn),
            withdrawn_share_max=self.withdrawn_share_max,
            lists=tuple(lists),
        )


class SuppressionSettings(Section):
    """A do-not-call list: a source of phones or keys that are not called, or not any more."""

    source: str = Field(description="The name of a source above.", examples=["crm"])
    phone: _Names = Field(
        default=(),
        description="The columns that hold phones; each phone of a record counts. Give phone or"
        " key, or both.",
        examples=[["phone"]],
    )
    key: _Names = Field(
        default=(),
        description="The columns that hold the key of a lead, as the mapping of its sync names"
        " them.",
        examples=[["id"]],
    )
    default_region: str | None = Field(
        default=None,
        description="The country of phones that are written without one: two letters.",
        examples=["RU"],
    )
    syncs: _Names = Field(
        default=(),
        description="The syncs that the list holds for. None given: all.",
        examples=[["crm-leads"]],
    )
    every: Every = Field(
        default=timedelta(minutes=15),
        description="How often the list is read; each time it is read whole.",
    )
    gone_share_max: _Share = Field(
        default=0.2,
        description="When a larger share of the list is missing at once, all of it stays in force:"
        " the list is probably cut short.",
    )

    def holds_for(self, sync: str) -> bool:
        """Whether the list holds for a sync."""
        return not self.syncs or sync in self.syncs
