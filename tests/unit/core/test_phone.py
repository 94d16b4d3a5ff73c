"""Phones: what people type, and which number it is."""

from __future__ import annotations

import sys
from decimal import Decimal

import phonenumbers
import pytest

from syncd.core import phone, phone_plan

LONDON = 442079460123
NEW_YORK = 12125550123


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("+44 20 7946 0123", None),
        ("+442079460123", "RU"),
        ("442079460123", None),
        ("442079460123", "US"),
        ("0044 20 7946 0123", "US"),
        ("00442079460123", None),
        ("011 44 20 7946 0123", "US"),
        ("020 7946 0123", "GB"),
        ("(020) 7946-0123", "GB"),
        ("2079460123", "GB"),
        ("+44 (0)20 7946 0123", None),
        ("020\u00a07946\u20130123", "GB"),
        ("\u202a+44 20 7946 0123\u202c", None),
        ("tel:+44-20-7946-0123", None),
        ("Phone: (020) 7946 0123", "GB"),
        ("'+442079460123", None),
        ("++442079460123", None),
        ("\uff0b\uff14\uff142079460123", None),
        ("\u0660\u0662\u0660\u0667\u0669\u0664\u0666\u0660\u0661\u0662\u0663", "GB"),
        ("+44 20 7946 0123 ext. 45", None),
        ("020 7946 0123 x45", "GB"),
        ("020 7946 0123 #45", "GB"),
        ("020 7946 0123 доб. 45", "GB"),
        ("020 7946 0123;ext=45", "GB"),
        ("020 7946 0123, 45", "GB"),
        ("020 7946 0123;", "GB"),
        ("442079460123.0", None),
        ("442079460123,00", "RU"),
        (442079460123, None),
        (442079460123.0, None),
        (2079460123, "GB"),
        (Decimal(442079460123), None),
        (type("Text", (str,), {})("+442079460123"), None),
    ],
)
def test_one_number_however_it_is_written(text: object, region: str | None) -> None:
    """Separators, prefixes, labels, extensions and foreign digits do not change the number."""
    assert phone.normalise(text, region) == LONDON


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8 (912) 000-00-00", 79120000000),
        ("8-912-000-00-00", 79120000000),
        ("89120000000", 79120000000),
        ("79120000000", 79120000000),
        ("9120000000", 79120000000),
        ("+7 912 000 00 00", 79120000000),
        ("8 10 44 20 7946 0123", LONDON),
        ("+8 912 000 00 00", "phone_invalid"),
        ("84940000000000", "phone_invalid"),
    ],
)
def test_russian_habits(text: str, expected: int | str) -> None:
    """With default_region RU the leading 8 is the trunk prefix, and 8 10 leads abroad."""
    assert phone.normalise(text, "RU") == expected


@pytest.mark.parametrize(
    ("value", "region", "reason"),
    [
        ("", None, "phone_missing"),
        (" \u00a0\t", "RU", "phone_missing"),
        ("\u200b", "RU", "phone_missing"),
        (None, "RU", "phone_missing"),
        (float("nan"), "RU", "phone_missing"),
        (Decimal("sNaN"), "RU", "phone_missing"),
        ("7.9123E+10", "RU", "phone_rounded"),
        ("7,9123e10", "RU", "phone_rounded"),
        ("020 7946 0123", None, "phone_no_country"),
        ("2079460123", None, "phone_no_country"),
        ("44 20 7946 0123", None, "phone_no_country"),
        ("44 20 7946 0123", "RU", "phone_invalid"),
        ("Anna", "GB", "phone_invalid"),
        ("---", "GB", "phone_invalid"),
        ("1-800-FLOWERS", "US", "phone_invalid"),
        ("020 7946 0123 Anna", "GB", "phone_invalid"),
        ("020 7946 0123, 020 7946 0124", "GB", "phone_invalid"),
        ("020 7946 01/02", "GB", "phone_invalid"),
        ("+44 20 7946", None, "phone_invalid"),
        ("+999 123 456 789", None, "phone_invalid"),
        ("99999999999", None, "phone_invalid"),
        ("00999999999", "GB", "phone_invalid"),
        ("+" + "1" * 40, None, "phone_invalid"),
        ("1" * 70, None, "phone_invalid"),
        ("1 " * 70, None, "phone_invalid"),
        ("+1 " * 2, None, "phone_invalid"),
        ("1", "GB", "phone_invalid"),
        (True, "GB", "phone_invalid"),
        (0, "GB", "phone_invalid"),
        (-442079460123, None, "phone_invalid"),
        (10**15, None, "phone_invalid"),
        (0.5, "GB", "phone_invalid"),
        (1e300, "GB", "phone_invalid"),
        (b"+442079460123", "GB", "phone_invalid"),
    ],
)
def test_what_is_no_phone_has_a_reason(value: object, region: str | None, reason: str) -> None:
    """Everything else is refused with a stable code, and never repaired into some number."""
    assert phone.normalise(value, region) == reason


def test_mistyped_national_number_is_not_sent_abroad() -> None:
    """84920000000 is no Russian number and would be a Vietnamese one: with region RU it is refused.

    Without a region it says what the vendor's own form says.
    """
    assert phone.normalise("84921234567", None) == 84921234567
    russian = phonenumbers.parse("84901234567", "RU")
    assert not phonenumbers.is_valid_number(russian)
    assert phonenumbers.is_valid_number(phonenumbers.parse("+84901234567", None))
    assert phone.normalise("84901234567", "RU") == "phone_invalid"


def test_fictional_numbers_are_as_valid_as_phonenumbers_says() -> None:
    """Drama numbers get no special treatment: +1 212 555 01xx is valid, +44 7700 900xxx is not."""
    assert phone.normalise("+1 212 555 0123") == NEW_YORK
    assert phone.normalise("+61 491 570 006") == 61491570006
    assert phone.normalise("+44 7700 900123") == "phone_invalid"


def test_the_library_keeps_leading_zeros() -> None:
    """An Italian number keeps its zero; longer than E.164 allows is refused."""
    library = phone.Binding(phonenumbers, quick=False)
    assert library.normalise("+39 06 698 12345") == 390669812345
    assert phone.normalise("+39 06 698 12345") == 390669812345


def test_a_number_that_is_no_longer_valid_is_refused() -> None:
    """A library with older data may read it; the newer patterns decide."""

    class Older:
        """Calls every number valid."""

        __name__ = "older"
        NumberParseException = phonenumbers.NumberParseException
        parse = staticmethod(phonenumbers.parse)
        is_possible_number = staticmethod(phonenumbers.is_possible_number)

        @staticmethod
        def is_valid_number(_: object) -> bool:
            return True

    assert phone.Binding(Older()).normalise("+44 7700 900123") == "phone_invalid"
    plain = phone.Binding(phonenumbers)
    assert phone.Binding(Older(), second=plain).normalise("+44 7700 900123") == "phone_invalid"


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        (NEW_YORK, "America/New_York"),
        (13125550123, "America/Chicago"),
        (LONDON, "Europe/London"),
        (493023125123, "Europe/Berlin"),
        (74950000000, "Europe/Moscow"),
        (79120000000, None),  # a Russian mobile can be anywhere
        (18005550123, None),  # toll-free
        (61491570006, None),  # an Australian mobile
        (61255501234, "Australia/Sydney"),
        (61855501234, None),  # Adelaide or Perth
        (80012345678, None),  # international freephone
        (99912345678, None),  # no such country
    ],
)
def test_zone_of_a_number(number: int, zone: str | None) -> None:
    """One zone where the numbering data gives one, else None."""
    assert phone.zone_of(number) == zone


def test_the_binding_in_use_has_a_name() -> None:
    """`binding` is rphonenumbers where it can be imported, else phonenumbers."""
    expected = "phonenumbers" if phone._fast_library() is None else "rphonenumbers"
    assert phone.binding == expected


def test_without_the_extra_phonenumbers_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without rphonenumbers uses phonenumbers alone; with it, both."""
    monkeypatch.setitem(sys.modules, "rphonenumbers", None)
    assert phone._fast_library() is None
    assert phone._best(None).name == "phonenumbers"
    assert phone._best(phonenumbers)._second is not None


def test_regions_are_upper_case_codes() -> None:
    """RU is a region; ru and UK are not."""
    assert phone.is_region("RU")
    assert not phone.is_region("ru")
    assert not phone.is_region("UK")


def test_plan_leaves_what_it_does_not_know_to_the_library() -> None:
    """No calling code, an unknown region, carrier codes, too many digits: the plan says nothing."""
    assert phone_plan.is_geographic("999") is None
    assert phone_plan.is_geographic("18005550123") is False
    assert not phone_plan.accepts("999123456")
    assert not phone_plan.accepts("4" * 20)
    assert phone_plan.national("2079460123", "XX") is None
    assert phone_plan.national("1140000000", "BR") is None
    assert phone_plan.national("0044" + "2079460123", "GB") is None
    assert phone_plan.national("9" * 15, "GB") is None
    assert phone_plan.national("02079460123", "GB") == str(LONDON)


def test_the_plan_tells_where_numbers_of_one_region_are() -> None:
    """Ukraine has one region: a landline's prefix is a place, and no number is none."""
    assert phone_plan.is_geographic("380442345678") is True
    assert phone_plan.is_geographic("3801") is None
