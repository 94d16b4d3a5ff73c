"""The people of the simulated year: their numbers, where they may live, and the law that holds.

Where they may live is written here by hand. Syncd learns it from what a record says or from the
number, and may think of more zones, never of fewer.

Numbers are from ranges kept for fiction where a country has such. Whatever they are, they are sent
to a sandbox in this process alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.year.laws import OWN_CLOSED

#: Zones and hours of each sync, as its configuration has them.
SYNCS: Mapping[str, str] = {
    "auto": '[syncs.auto.hours]\npreset = "auto"\n',
    "tcpa": '[syncs.tcpa.hours]\npreset = "us-tcpa"\n',
    "debt": '[syncs.debt.hours]\npreset = "ru-debt"\n',
    "france": '[syncs.france.hours]\npreset = "fr-d223-9"\n',
    "australia": '[syncs.australia.hours]\npreset = "au-2017"\n',
    "decent": '[syncs.decent.hours]\npreset = "decent"\n',
    "own": (
        '[syncs.own.zones]\ncolumn = "tz"\nregion = "region"\ncountry = "country"\n'
        f"[syncs.own.hours]\nclosed = [{','.join(OWN_CLOSED)}]\n"
        '[syncs.own.hours.week]\nmon-fri = ["10:00-13:00", "14:00-20:00"]\nsat = ["11:00-16:30"]\n'
    ),
    "night": (
        '[syncs.night.zones]\ncolumn = "tz"\n'
        '[syncs.night.hours.week]\nmon-sun = ["00:00-04:15", "21:30-24:00"]\n'
    ),
    "both": (
        '[syncs.both.hours]\npreset = "us-tcpa"\n'
        '[syncs.both.hours.week]\nmon-fri = ["10:00-12:30", "14:00-19:00"]\n'
    ),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Numbers of one kind. `zones`: its people may live in any of them, and in no other."""

    sync: str
    law: str
    prefix: str
    more: int  #: digits after the prefix
    zones: tuple[str, ...]
    tz: str = ""  #: what the record says
    region: str = ""
    country: str = ""

    def phone(self, number: int) -> str:
        """E.164 digits of the person with this number, from 0; the first of all never answers."""
        return f"{self.prefix}{(91 + number * 13) % 100 + number // 100 * 100:0{self.more}d}"


def _places() -> Iterator[Place]:
    yield from _america()
    yield from _world()
    yield from _russia()
    yield from _written()


def _nanp(sync: str, law: str, area: int, *zones: str) -> Place:
    return Place(sync, law, f"1{area}55501", 2, zones)


_EASTERN, _CENTRAL, _MOUNTAIN = "America/New_York", "America/Chicago", "America/Denver"
_PACIFIC = "America/Los_Angeles"


def _america() -> Iterator[Place]:
    """By area code; the split ones are in two zones."""
    for area, law, zones in (
        (212, "us", (_EASTERN,)), (305, "us-fl", (_EASTERN,)), (850, "us-fl", (_CENTRAL, _EASTERN)),
        (214, "us-tx", (_CENTRAL,)), (915, "us-tx", (_MOUNTAIN,)), (206, "us-wa", (_PACIFIC,)),
        (270, "us-ky", (_CENTRAL, _EASTERN)), (219, "us-in", (_CENTRAL, _EASTERN)),
        (401, "us-ri", (_EASTERN,)), (303, "us", (_MOUNTAIN,)), (808, "us", ("Pacific/Honolulu",)),
        (416, "ca", ("America/Toronto",)), (604, "ca", ("America/Vancouver",)),
        (306, "ca", ("America/Regina",)), (403, "ca", ("America/Edmonton",)),
        (709, "ca", ("America/St_Johns", "America/Goose_Bay")),
        (867, "ca", ("America/Whitehorse", "America/Iqaluit", "America/Rankin_Inlet")),
    ):  # fmt: skip
        yield _nanp("auto", law, area, *zones)
    for area, tcpa in (
        (213, (_PACIFIC,)), (312, (_CENTRAL,)), (602, ("America/Phoenix",)),
        (928, ("America/Phoenix", _MOUNTAIN)), (907, ("America/Anchorage", "America/Adak")),
        (208, ("America/Boise", _PACIFIC)), (701, (_CENTRAL, _MOUNTAIN)),
        (906, ("America/Detroit", "America/Menominee")), (671, ("Pacific/Guam",)),
        (787, ("America/Puerto_Rico",)), (423, (_EASTERN, _CENTRAL)),
    ):  # fmt: skip
        yield _nanp("tcpa", "us", area, *tcpa)
    for area, both in ((202, (_EASTERN,)), (605, (_CENTRAL, _MOUNTAIN)), (503, (_PACIFIC,))):
        yield _nanp("both", "us-own", area, *both)


_SPAIN = ("Europe/Madrid", "Atlantic/Canary")
_AU_SOUTH, _AU_NORTH = ("Australia/Sydney", "Australia/Melbourne"), ("Australia/Brisbane",)
_AU_WEST = ("Australia/Perth", "Australia/Adelaide", "Australia/Darwin")


def _world() -> Iterator[Place]:
    """By country and by what the prefix tells."""
    yield Place("auto", "gb", "442079460", 3, ("Europe/London",))
    yield Place("auto", "de", "493023125", 3, ("Europe/Berlin",))
    yield Place("auto", "es", "346123", 5, _SPAIN)
    yield Place("auto", "br", "55119612", 5, ("America/Sao_Paulo",))
    yield Place("auto", "br", "55819612", 5, ("America/Recife", "America/Noronha"))
    yield Place("auto", "in", "9198123", 5, ("Asia/Kolkata",))
    for prefix in ("3319900", "3326191", "3335301", "3353649"):
        yield Place("france", "fr", prefix, 4, ("Europe/Paris",))
    yield Place("australia", "au", "6125550", 4, ("Australia/Sydney",))
    yield Place("australia", "au", "6135550", 4, ("Australia/Melbourne",))
    yield Place("australia", "au", "6175550", 4, _AU_NORTH)
    yield Place("australia", "au", "6185550", 4, _AU_WEST)
    yield Place("australia", "au", "614915", 5, (*_AU_SOUTH, *_AU_NORTH, *_AU_WEST))
    for prefix, more, zones in (
        ("442079461", 3, ("Europe/London",)), ("46701740", 3, ("Europe/Stockholm",)),
        ("346124", 5, _SPAIN), ("351912", 6, ("Europe/Lisbon", "Atlantic/Azores")),
        ("56961", 6, ("America/Santiago", "America/Punta_Arenas", "Pacific/Easter")),
        ("526141", 6, ("America/Chihuahua", "America/Ciudad_Juarez")),
        ("525512", 6, ("America/Mexico_City",)), ("628123", 6, ("Asia/Jakarta", "Asia/Jayapura")),
        ("976881", 5, ("Asia/Ulaanbaatar", "Asia/Hovd")), ("201001", 6, ("Africa/Cairo",)),
        ("212650", 6, ("Africa/Casablanca",)), ("970599", 6, ("Asia/Gaza",)),
        ("961711", 5, ("Asia/Beirut",)), ("9725023", 5, ("Asia/Jerusalem",)),
        ("977981", 7, ("Asia/Kathmandu",)), ("919812", 6, ("Asia/Kolkata",)),
        ("989121", 6, ("Asia/Tehran",)), ("6421", 7, ("Pacific/Auckland",)),
        ("77011", 6, ("Asia/Almaty",)), ("819012", 6, ("Asia/Tokyo",)),
        ("74012", 6, ("Europe/Kaliningrad",)), ("78452", 6, ("Europe/Saratov",)),
        ("74112", 6, ("Asia/Yakutsk", "Asia/Ust-Nera", "Asia/Srednekolymsk")),
    ):  # fmt: skip
        yield Place("decent", "decent", prefix, more, zones)


#: Territories of the made-up registry, and where their people live.
TERRITORIES: Mapping[str, tuple[str, ...]] = {
    "Город Москва, Московская область": ("Europe/Moscow",),
    "Калининградская область": ("Europe/Kaliningrad",),
    "Самарская область": ("Europe/Samara",),
    "Саратовская область": ("Europe/Saratov",),
    "Свердловская область": ("Asia/Yekaterinburg",),
    "Омская область": ("Asia/Omsk",),
    "Новосибирская область": ("Asia/Novosibirsk",),
    "Иркутская область": ("Asia/Irkutsk",),
    "Забайкальский край": ("Asia/Chita",),
    "Республика Саха (Якутия)": ("Asia/Yakutsk", "Asia/Ust-Nera", "Asia/Srednekolymsk"),
    "Приморский край": ("Asia/Vladivostok",),
    "Магаданская область": ("Asia/Magadan",),
    "Сахалинская область": ("Asia/Sakhalin",),
    "Камчатский край": ("Asia/Kamchatka",),
    "Самарская область, Оренбургская область": ("Europe/Samara", "Asia/Yekaterinburg"),
    "Российская Федерация": ("Europe/Kaliningrad", "Europe/Moscow", "Asia/Omsk", "Asia/Kamchatka"),
}
REGISTRY_CODE = 900
BLOCK = 100  #: numbers of one row; row `n` belongs to territory `n` modulo their count


def _russia() -> Iterator[Place]:
    """Mobiles by the block of the registry, and those in none: anywhere in the country."""
    for row, zones in enumerate(TERRITORIES.values()):
        yield Place("debt", "ru-debt", f"7{REGISTRY_CODE}{row:05d}", 2, zones)
        later = row + 5 * len(TERRITORIES)
        yield Place("decent", "decent", f"7{REGISTRY_CODE}{later:05d}", 2, zones)
    everywhere = TERRITORIES["Российская Федерация"]
    yield Place("debt", "ru-debt", "79991234", 3, everywhere)
    yield Place("decent", "decent", "79991235", 3, everywhere)


#: What a column says, in the ways of people and of their programs, and what is meant.
WRITTEN = {
    "Asia/Kolkata": "Asia/Kolkata", "asia/kathmandu": "Asia/Kathmandu",
    "Australia/Lord_Howe": "Australia/Lord_Howe", "Pacific/Chatham": "Pacific/Chatham",
    "America/St_Johns": "America/St_Johns", "Europe/Kiev": "Europe/Kyiv",
    "Africa/Casablanca": "Africa/Casablanca", "Africa/Cairo": "Africa/Cairo",
    "Asia/Beirut": "Asia/Beirut", "Asia/Gaza": "Asia/Gaza", "America/Havana": "America/Havana",
    "America/Santiago": "America/Santiago", "Pacific/Easter": "Pacific/Easter",
    "America/Asuncion": "America/Asuncion", "America/Nuuk": "America/Nuuk",
    "Atlantic/Azores": "Atlantic/Azores", "Pacific/Norfolk": "Pacific/Norfolk",
    "Australia/Adelaide": "Australia/Adelaide", "Pacific/Auckland": "Pacific/Auckland",
    "Pacific/Marquesas": "Pacific/Marquesas", "Pacific/Kiritimati": "Pacific/Kiritimati",
    "Pacific/Pago_Pago": "Pacific/Pago_Pago", "Antarctica/Troll": "Antarctica/Troll",
    "Europe/Chisinau": "Europe/Chisinau", "Asia/Jerusalem": "Asia/Jerusalem",
    "America/Scoresbysund": "America/Scoresbysund", "America/Miquelon": "America/Miquelon",
    "Europe/Dublin": "Europe/Dublin", "Asia/Famagusta": "Asia/Famagusta",
    "МСК+2": "Asia/Yekaterinburg", "MSK-1": "Europe/Kaliningrad", "+03:30": "Asia/Tehran",
    "UTC+5:45": "Asia/Kathmandu", "W. Europe Standard Time": "Europe/Berlin",
    "India Standard Time": "Asia/Kolkata", "Pacific Standard Time": "America/Los_Angeles",
    "GMT-3": "America/Sao_Paulo", "US/Arizona": "America/Phoenix",
}  # fmt: skip
_AREAS = (
    201, 203, 205, 207, 209, 210, 215, 216, 217, 218, 220, 223, 224, 225, 228, 229, 231, 234, 239,
    240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 272, 274, 276, 281, 301, 302, 304, 307,
)  # fmt: skip


def _written() -> Iterator[Place]:
    """People who have moved: the record tells their zone, and their number another."""
    for area, (text, zone) in zip(_AREAS, WRITTEN.items(), strict=True):
        for sync in ("own", "night"):
            yield Place(sync, sync, f"1{area}55501", 2, (zone,), tz=text)
    for area, region, country, zones in (
        (402, "Florida", "US", (_EASTERN, _CENTRAL)), (404, "TX", "US", (_CENTRAL, _MOUNTAIN)),
        (405, "Ontario", "CA", ("America/Toronto",)), (406, "", "Spain", _SPAIN),
        (407, "Saskatchewan", "Canada", ("America/Regina",)),
        (408, "Queensland", "AU", ("Australia/Brisbane",)),
        (409, "Приморский край", "RU", ("Asia/Vladivostok",)),
        (410, "", "Mongolia", ("Asia/Ulaanbaatar", "Asia/Hovd")),
        (412, "", "NZ", ("Pacific/Auckland", "Pacific/Chatham")),
        (413, "", "CL", ("America/Santiago", "America/Punta_Arenas")),
    ):  # fmt: skip
        yield Place("own", "own", f"1{area}55501", 2, zones, region=region, country=country)


PLACES = tuple(_places())
