"""Made-up files of the Russian numbering registry: the real form, and nobody's numbers."""

from __future__ import annotations

HEADER = "АВС/ DEF;От;До;Емкость;Оператор;Регион;Территория ГАР;ИНН"
#: Repeated over the rows, so that neighbours differ.
TERRITORIES = ("Город Москва, Московская область", "Самарская область", "Приморский край")


def made_row(code: int, first: int, last: int, territory: str) -> str:
    """One row; its operator has the quotes of the real ones."""
    size = last - first + 1
    return f'{code};{first:07d};{last:07d};{size};ООО "А";-;{territory};7743895280'


def made_csv(rows: int = 15_000, *, code: int = 900, size: int = 10) -> str:
    """A file of `rows` blocks of `size` numbers each, without gaps, as it is downloaded."""
    lines = (
        made_row(code, at * size, (at + 1) * size - 1, TERRITORIES[at % len(TERRITORIES)])
        for at in range(rows)
    )
    return "\ufeff" + "\r\n".join([HEADER, *lines]) + "\r\n"
