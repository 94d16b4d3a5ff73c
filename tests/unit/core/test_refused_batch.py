"""What a refusal of a batch means: who ends, and what the others do."""

from __future__ import annotations

import math

import pytest

from syncd.core.call_job import JobState
from syncd.core.refused_batch import DUPLICATED, Rest, sentence, splits_max

A, B, C = 447700900001, 447700900002, 447700900003
ZONES = {A: "+00:00", B: "+01:00", C: None}
REFUSED, DUPLICATE = JobState.REFUSED, JobState.DUPLICATE


@pytest.mark.parametrize("type_", ["bad.request", "never.heard.of", ""])
@pytest.mark.parametrize("zones", [ZONES, {A: None}])
def test_an_unknown_type_ends_nobody(type_: str, zones: dict[int, object]) -> None:
    """Even with a phone of ours in it, even for a batch of one: a person has to look."""
    told = sentence(type_, {str(A)}, zones)
    assert (told.rest, dict(told.guilty)) == (Rest.HOLD, {})


@pytest.mark.parametrize("spelling", [str(B), f"+{B}"])
@pytest.mark.parametrize(
    ("type_", "state"),
    [
        ("phone.bad.format", REFUSED),
        ("phone.gmtZone.bad.format", REFUSED),
        (DUPLICATED, DUPLICATE),
    ],
)
def test_the_named_one_ends(spelling: str, type_: str, state: JobState) -> None:
    """The others go again together."""
    told = sentence(type_, {spelling, ""}, ZONES)
    assert (told.rest, told.guilty) == (Rest.AGAIN, {B: state})


@pytest.mark.parametrize(
    ("type_", "named"),
    [
        ("invalid.call.allowed.time", {str(A)}),
        ("invalid.dialer_priority", set()),
        ("http.413", set()),
        ("phone.bad.format", {""}),
        ("phone.bad.format", {"19999999999"}),
        ("phone.gmtZone.bad.format", set()),
        (DUPLICATED, set()),
    ],
)
def test_where_nobody_of_ours_is_named_it_goes_in_halves(type_: str, named: set[str]) -> None:
    """And a batch of one job has its guilty one."""
    assert sentence(type_, named, ZONES).rest is Rest.HALVES
    alone = sentence(type_, named, {A: None})
    state = DUPLICATE if type_ == DUPLICATED else REFUSED
    assert (alone.rest, alone.guilty) == (Rest.AGAIN, {A: state})


@pytest.mark.parametrize(
    ("zones", "rest"),
    [
        ({A: "+00:00", B: "+00:00"}, Rest.HOLD),
        ({A: None, B: None}, Rest.AGAIN),
        ({A: "+00:00", B: None}, Rest.AGAIN),
    ],
)
def test_a_zone_that_all_share_is_a_fault_of_the_mapping(
    zones: dict[int, object], rest: Rest
) -> None:
    """Refusing one lead after the other for it would lose them all; no zone at all is no value."""
    assert sentence("phone.gmtZone.bad.format", {str(A)}, zones).rest is rest


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 500, 5_000])
def test_the_budget_finds_one_guilty_job(size: int) -> None:
    """At most 2·log2(n) + 2 batches, and enough to come down to one."""
    batches = 2 * splits_max(size)
    assert batches == 2 * math.ceil(math.log2(size)) + 2
