"""The chain's step for Russian numbers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.core.zones.candidates import Chain, Evidence, Step
from syncd.core.zones.registry import Block, compiled
from syncd.core.zones.registry_step import NO_REGISTRY, RegistryStep
from syncd.core.zones.subjects import ALL_RUSSIA
from syncd.core.zones.tz_tables import Clocks

YAKUTIA = ("Asia/Yakutsk", "Asia/Ust-Nera", "Asia/Srednekolymsk")
REGISTRY = compiled(
    [
        Block(79_147_000_000, 79_147_999_999, ("Asia/Vladivostok",)),
        Block(79_142_000_000, 79_142_000_009, YAKUTIA),
        Block(78_000_000_000, 78_009_999_999, ALL_RUSSIA),
        Block(74_951_000_000, 74_951_999_999, ("Europe/Moscow",)),
    ],
    {},
)
STEP = RegistryStep(REGISTRY)
BARE = RegistryStep(None)


@pytest.mark.parametrize(
    ("phone", "evidence"),
    [
        ("79147123456", Evidence("registry", "+7 914 7", ("Asia/Vladivostok",))),
        ("79142000000", Evidence("registry", "+7 914 2", YAKUTIA, "a block of 3 clocks")),
        (
            "78001234567",
            Evidence("registry", "+7 800 1", ALL_RUSSIA, "a block of the whole country"),
        ),
        ("74951234567", Evidence("registry", "+7 495 1", ("Europe/Moscow",))),
        ("74952234567", Evidence("registry", "+7 495 2", (), "in no block of the registry")),
        (
            "79142000010",
            Evidence(
                "registry",
                "+7 914 2",
                ALL_RUSSIA,
                "in no block of the registry: all eleven clocks of Russia",
            ),
        ),
        ("77012345678", None),
        ("77172345678", None),
        ("12125550100", None),
        ("7914712345", None),
    ],
)
def test_with_a_registry(phone: str, evidence: Evidence | None) -> None:
    """A block answers; mobiles in none may be anywhere, landlines in none are passed on."""
    assert STEP.ask((), phone) == evidence


@pytest.mark.parametrize(
    ("phone", "evidence"),
    [
        ("79147123456", Evidence("registry", "+7 914 7", ALL_RUSSIA, NO_REGISTRY)),
        ("74951234567", Evidence("registry", "+7 495 1", (), "no registry")),
        ("77012345678", None),
    ],
)
def test_without_a_registry(phone: str, evidence: Evidence | None) -> None:
    """Mobiles get all eleven clocks and say why; landlines are the next step's."""
    assert BARE.ask((), phone) == evidence


def test_in_a_chain() -> None:
    """It is a step: eleven zones stay eleven, and equal evidence is one object."""
    step: Step = BARE
    found = Chain([step], Clocks(datetime(2026, 11, 22, tzinfo=UTC))).resolve((), "79147123456")
    assert found.zones == ALL_RUSSIA
    assert found.evidence[0].note == NO_REGISTRY
    assert STEP.ask((), "79147000000") is STEP.ask((), "79147000001")


def test_shares_of_what_nobody_was_given() -> None:
    """A mobile in no block is spread over the clocks as the registry's numbers are."""
    whole = [
        Block(79_000_000_000 + at * 10, 79_000_000_000 + at * 10, (zone,))
        for at, zone in enumerate(ALL_RUSSIA)
    ]
    evidence = RegistryStep(compiled(whole, {})).ask((), "79990000000")
    assert evidence is not None
    assert evidence.shares == (1 / 11,) * 11
