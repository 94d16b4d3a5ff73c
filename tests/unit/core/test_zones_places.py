"""Places that a record names: regions, towns, post codes, countries, and a user's own table."""

from __future__ import annotations

import pytest

from syncd.core import zone
from syncd.core.zones.places.countries import country_of_phone, country_of_text
from syncd.core.zones.places.names import zones_of_city, zones_of_region
from syncd.core.zones.places.own_table import read_own_table
from syncd.core.zones.places.postcodes import zones_of_postcode
from syncd.core.zones.subjects import ALL_RUSSIA, subjects
from syncd.core.zones.texts import rows
from syncd.core.zones.tz_ids import canonical_id, country_names
from syncd.errors import ConfigError

YAKUTIA = "Asia/Yakutsk Asia/Ust-Nera Asia/Srednekolymsk"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Свердловская обл.", "Asia/Yekaterinburg"),
        ("Sverdlovsk Oblast", "Asia/Yekaterinburg"),
        ("Sverdlovskaya obl.", "Asia/Yekaterinburg"),
        ("ХМАО", "Asia/Yekaterinburg"),
        ("KhMAO", "Asia/Yekaterinburg"),
        ("Респ. Саха (Якутия)", YAKUTIA),
        ("Sakha Republic (Yakutia)", YAKUTIA),
        ("Москва", "Europe/Moscow"),
        ("Moskovskaya oblast'", "Europe/Moscow"),
        ("г. Санкт-Петербург", "Europe/Moscow"),
        ("Altayskiy kray", "Asia/Barnaul"),
        ("Krasnoyarskiy krai", "Asia/Krasnoyarsk"),
        ("Kaliningradskaya oblast", "Europe/Kaliningrad"),
        ("Primorskii krai", "Asia/Vladivostok"),
        ("Забайкалье", "Asia/Chita"),
        ("Камчатка", "Asia/Kamchatka"),
        ("Bashkortostan Rep.", "Asia/Yekaterinburg"),
        ("Россия, Омская обл., г. Омск", "Asia/Omsk"),
        ("Нарния", ""),
        ("обл.", ""),
    ],
)
def test_russian_subjects(text: str, expected: str) -> None:
    """Subjects are read in their usual spellings, abbreviations and Latin letters."""
    assert zones_of_region(text, "RU") == tuple(expected.split())


def test_every_subject_in_latin_letters() -> None:
    """The transliterated name of each subject gives the zones of its Russian name."""
    letters = str.maketrans(
        {
            **dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True)),
            "ё": "yo",
            "ж": "zh",
            "х": "kh",
            "ц": "ts",
            "ч": "ch",
            "ш": "sh",
            "щ": "shch",
            "ъ": "",
            "ь": "'",
            "ю": "yu",
            "я": "ya",
        }
    )
    for subject in subjects():
        latin = subject.name.lower().translate(letters)
        assert zones_of_region(latin, "RU") == subject.zones, latin
    assert zones_of_region("Российская Федерация", "RU") == ALL_RUSSIA


@pytest.mark.parametrize(
    ("country", "text", "expected"),
    [
        ("US", "CA", "America/Los_Angeles"),
        ("US", "US-CA", "America/Los_Angeles"),
        ("US", "tn", "America/Chicago America/New_York"),
        ("US", "Indiana", "America/Indiana/Indianapolis America/Chicago"),
        ("US", "Washington", "America/Los_Angeles"),
        ("US", "Washington, D.C.", "America/New_York"),
        ("US", "State of Texas", "America/Chicago America/Denver"),
        ("US", "Kansas City, MO", "America/Chicago"),
        ("CA", "Qu\u00e9bec", "America/Toronto America/Halifax America/Blanc-Sablon"),
        ("CA", "NL", "America/St_Johns America/Goose_Bay"),
        ("CA", "CA", ""),
        ("AU", "NT", "Australia/Darwin"),
        ("AU", "WA", "Australia/Perth Australia/Eucla"),
        ("BR", "S\u00e3o Paulo", "America/Sao_Paulo"),
        ("BR", "AM", "America/Manaus America/Eirunepe"),
        ("MX", "Q. Roo", "America/Cancun"),
        ("DE", "Bayern", ""),
        ("", "CA", ""),
    ],
)
def test_states(country: str, text: str, expected: str) -> None:
    """A state is read in its country only; a split one has all its zones, the likeliest first."""
    assert zones_of_region(text, country) == tuple(expected.split())


@pytest.mark.parametrize(
    ("country", "text", "expected"),
    [
        ("RU", "Екатеринбург", "Asia/Yekaterinburg"),
        ("RU", "Yekaterinburg", "Asia/Yekaterinburg"),
        ("RU", "г. Челябинск", "Asia/Yekaterinburg"),
        ("RU", "Nizhniy Novgorod", "Europe/Moscow"),
        ("RU", "Oryol", "Europe/Moscow"),
        ("RU", "Омск, ул. Мира", "Asia/Omsk"),
        ("RU", "Благовещенск", "Asia/Yakutsk Asia/Yekaterinburg"),
        ("RU", "Железногорск", "Europe/Moscow Asia/Krasnoyarsk"),
        ("RU", "Васюки", ""),
        ("US", "Phoenix", "America/Phoenix"),
        ("US", "Portland", "America/Los_Angeles America/New_York America/Chicago"),
        ("CA", "St. John's", "America/St_Johns"),
        ("CA", "Vancouver", "America/Vancouver"),
        ("MX", "Ciudad Ju\u00e1rez", "America/Ciudad_Juarez"),
        ("GB", "London", ""),
    ],
)
def test_towns(country: str, text: str, expected: str) -> None:
    """A town is looked up in its country; a name of several towns has the zones of all."""
    assert zones_of_city(text, country) == tuple(expected.split())


@pytest.mark.parametrize(
    ("country", "text", "expected"),
    [
        ("US", "90210", "America/Los_Angeles"),
        ("US", "02139-1234", "America/New_York"),
        ("US", "2139", "America/New_York"),
        ("US", "10115.0", "America/New_York"),
        ("US", "32401", "America/Chicago America/New_York"),
        ("US", "96799", "Pacific/Pago_Pago"),
        ("US", "945", ""),
        ("US", "09001", ""),
        ("CA", "m5v 3l9", "America/Toronto"),
        ("CA", "G4T", "America/Halifax"),
        ("CA", "12345", ""),
        ("AU", "872", "Australia/Darwin Australia/Adelaide Australia/Perth"),
        ("AU", "2880", "Australia/Broken_Hill"),
        ("RU", "620014", "Asia/Yekaterinburg"),
        ("RU", "678000", YAKUTIA),
        ("BR", "01310-100", "America/Sao_Paulo"),
        ("BR", "69900000", "America/Rio_Branco"),
        ("MX", "32000", "America/Chihuahua America/Ciudad_Juarez America/Ojinaga"),
        ("ES", "35001", "Atlantic/Canary"),
        ("PT", "9500-150", "Atlantic/Azores"),
        ("GB", "SW1A 1AA", ""),
    ],
)
def test_post_codes(country: str, text: str, expected: str) -> None:
    """The longest known beginning decides; zeros that a spreadsheet lost are put back."""
    assert zones_of_postcode(text, country) == tuple(expected.split())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ru", "RU"),
        ("RUS", "RU"),
        ("Россия", "RU"),
        ("Russian Federation", "RU"),
        ("U.S.A.", "US"),
        ("США", "US"),
        ("Deutschland", "DE"),
        ("Казахстан", "KZ"),
        ("C\u00f4te d\u2019Ivoire", "CI"),
        ("Нарния", None),
    ],
)
def test_countries(text: str, code: str | None) -> None:
    """A country is known by its codes and by its names in English, Russian and its own language."""
    assert country_of_text(text) == code


def test_country_of_a_number() -> None:
    """The region of a number, by its first digits or by the whole."""
    assert country_of_phone("79161234567") == "RU"
    assert country_of_phone("14165550123") == "CA"
    assert country_of_phone("88112345") is None


def test_what_the_tables_hold() -> None:
    """Every zone is one of zone.tab, every country is one, and no country name is of two."""
    known = {*country_names(), "XK"}
    for name in ("regions.tsv", "cities.tsv"):
        for country, zones, names in rows(name):
            assert country in known
            assert all(canonical_id(each) == each for each in zones.split()), names
    for country, _, zones in rows("postcodes.tsv"):
        assert country in known
        assert all(canonical_id(each) == each for each in zones.split())
    assert {code for code, *_ in rows("countries.tsv")} == known
    for code, *names in rows("countries.tsv"):
        assert [country_of_text(name) for name in names] == [code] * len(names)
    towns = [
        town for code, _, names in rows("cities.tsv") if code == "RU" for town in names.split("|")
    ]
    assert len(set(towns)) > 200


def test_an_own_table() -> None:
    """Values of a user's column mean what the user's file says, in any case."""
    text = "\ufeffvalue;zone\nBranch 7;+05:00\n\nNorth;Europe/Moscow|МСК+1\nnorth;Asia/Omsk\n"
    table = read_own_table(text, "zones.csv")
    assert len(table) == 2
    assert table.zones_of("branch-7") == ("+05:00",)
    assert table.zones_of("NORTH") == ("Europe/Moscow", "+04:00", "Asia/Omsk")
    assert table.zones_of("South") == ()
    assert all(zone.canonical(each) == each for each in table.zones_of("north"))
    assert read_own_table("A,utc+3", "x").zones_of("a") == ("+03:00",)


def test_an_own_table_with_mistakes() -> None:
    """All rows that cannot be read are told at once, by line."""
    with pytest.raises(ConfigError) as caught:
        read_own_table("A,Mars\nB\n,+03:00\nC,+03:00|Mars\nD,+03:00\n", "zones.csv")
    assert [each.where for each in caught.value.problems] == [
        f"zones.csv, line {line}" for line in (1, 2, 3, 4)
    ]
