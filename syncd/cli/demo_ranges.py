"""Phone numbers that nobody has: the ranges that regulators keep for films and books.

The demo's export holds no other number, so that nobody can be phoned by mistake. Countries whose
regulator keeps no such range (Russia, Kazakhstan and most others) are therefore not in it.

NANP: ATIS-0300048, 555 NXX assignment guidelines: 555-0100 to 555-0199 in every area code, and
the last of them alone, 800-555-0199, among the toll-free ones.
GB: Ofcom, "Telephone numbers for drama use". IE: ComReg, numbering conditions: 020 91x xxxx.
AU: ACMA, "Phone numbers for use in TV shows, films and creative works".
FR: ARCEP, numbering plan 2.5.12, numbers for audiovisual works.
DE: Bundesnetzagentur, "Rufnummern für Medienproduktionen" (drama numbers).
SE: PTS, "Telefonnummer för användning i böcker och filmer".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers `prefix` + `first` … `last` written with `width` digits."""

    country: str  #: ISO 3166
    prefix: str  #: the digits of E.164 that all of them begin with
    first: int
    last: int
    width: int
    zones: tuple[str, ...]  #: where its people are; several where the number does not tell
    weight: float = 1.0  #: how often leads have such a number, relative to the others

    def numbers(self) -> Iterator[str]:
        """E.164 digits, without "+"."""
        for number in range(self.first, self.last + 1):
            yield f"{self.prefix}{number:0{self.width}d}"

    def __len__(self) -> int:
        return self.last - self.first + 1


def _nanp(country: str, area: int, *zones: str, weight: float = 1.0) -> Range:
    return Range(country, f"1{area}55501", 0, 99, 2, zones, weight)


_US = {
    "America/New_York": (201, 202, 203, 207, 212, 215, 216, 304, 305, 313, 404, 617),
    "America/Chicago": (205, 210, 214, 218, 309, 312, 314, 405, 504, 512, 612, 713, 816),
    "America/Denver": (303, 307, 406, 505, 801, 915),
    "America/Los_Angeles": (206, 209, 213, 310, 415, 503, 619, 702),
    "America/Phoenix": (602,),
    "Pacific/Honolulu": (808,),
}
_CA = {204: "Winnipeg", 306: "Regina", 403: "Edmonton", 416: "Toronto", 506: "Halifax",
       514: "Toronto", 604: "Vancouver", 902: "Halifax"}  # fmt: skip
_GB = ("113", "114", "116", "117", "118", "121", "131", "141", "151", "161")
_AU_MOBILES = (
    570006, 570110, 570156, 570157, 570158, 570159, 570313, 570737, 571266, 571491, 571804,
    572549, 572665, 572983, 573087, 573770, 574118, 574632, 575254, 575789, 576398, 576801,
)  # fmt: skip
_AU_ZONES = ("Australia/Sydney", "Australia/Perth", "Australia/Brisbane", "Australia/Adelaide")
_AU_WEST = ("Australia/Perth", "Australia/Adelaide", "Australia/Darwin")

#: Numbers that phonenumbers takes for valid: these leads are called.
CALLED: tuple[Range, ...] = (
    *(_nanp("US", area, zone) for zone, areas in _US.items() for area in areas),
    _nanp("US", 208, "America/Boise", "America/Los_Angeles"),
    _nanp("US", 701, "America/Chicago", "America/Denver"),
    _nanp("US", 907, "America/Anchorage", "America/Adak"),
    *(_nanp("CA", area, f"America/{city}") for area, city in _CA.items()),
    _nanp("CA", 709, "America/St_Johns"),
    _nanp("DO", 809, "America/Santo_Domingo"),
    _nanp("DO", 829, "America/Santo_Domingo"),
    _nanp("GU", 671, "Pacific/Guam"),
    _nanp("JM", 658, "America/Jamaica"),
    _nanp("JM", 876, "America/Jamaica"),
    _nanp("MP", 670, "Pacific/Saipan"),
    _nanp("PR", 787, "America/Puerto_Rico"),
    _nanp("VC", 784, "America/St_Vincent"),
    _nanp("VI", 340, "America/St_Thomas"),
    Range("GB", "442079460", 0, 999, 3, ("Europe/London",), 3),
    *(Range("GB", f"44{area}4960", 0, 999, 3, ("Europe/London",)) for area in _GB),
    Range("GB", "442896496", 0, 999, 3, ("Europe/London",)),
    Range("GB", "442920180", 0, 999, 3, ("Europe/London",)),
    Range("AU", "6125550", 0, 9999, 4, ("Australia/Sydney",), 3),
    Range("AU", "6135550", 0, 9999, 4, ("Australia/Melbourne",), 3),
    Range("AU", "6175550", 0, 9999, 4, ("Australia/Brisbane",), 2),
    Range("AU", "6185550", 0, 9999, 4, _AU_WEST, 3),
    *(Range("AU", "61491", n, n, 6, _AU_ZONES, 0.06) for n in _AU_MOBILES),
    Range("FR", "3319900", 0, 9999, 4, ("Europe/Paris",), 5),
    *(Range("FR", prefix, 0, 9999, 4, ("Europe/Paris",), 2)
      for prefix in ("3326191", "3335301", "3346571", "3353649")),
    *(Range("DE", prefix, 0, 999, 3, ("Europe/Berlin",), 2)
      for prefix in ("493023125", "494066969", "496990009", "492214710", "498999998")),
    Range("DE", "4917604069", 0, 999, 3, ("Europe/Berlin",), 2),
    Range("DE", "4917139200", 0, 99, 2, ("Europe/Berlin",)),
    *(Range("SE", prefix, 0, 99, 2, ("Europe/Stockholm",))
      for prefix in ("463139006", "464062804", "468465004")),
    Range("SE", "46980319", 200, 299, 3, ("Europe/Stockholm",)),
    Range("SE", "46701740", 605, 699, 3, ("Europe/Stockholm",)),
)  # fmt: skip

#: Rings wherever its owner wants: it tells no zone.
TOLL_FREE = Range("US", "1800555", 199, 199, 4, ())

#: Kept for fiction too, but no valid numbers by the data of phonenumbers: these are rejected.
REFUSED: tuple[Range, ...] = (
    *(_nanp(country, area, zone) for country, area, zone in (
        ("AG", 268, "America/Antigua"), ("BB", 246, "America/Barbados"),
        ("BM", 441, "Atlantic/Bermuda"), ("BS", 242, "America/Nassau"),
        ("KY", 345, "America/Cayman"), ("LC", 758, "America/St_Lucia"),
        ("TT", 868, "America/Port_of_Spain"),
    )),
    Range("GB", "441154960", 0, 999, 3, ("Europe/London",)),
    Range("IE", "3532091", 0, 99999, 5, ("Europe/Dublin",), 4),
    Range("FR", "3363998", 0, 9999, 4, ("Europe/Paris",), 3),
    Range("GB", "447700900", 0, 999, 3, ("Europe/London",), 5),
)  # fmt: skip
