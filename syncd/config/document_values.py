"""The part of docs/reference/configuration.md about values of a mapping: every form that is read.

A test takes each row's examples through a real configuration, so that no form is told that is
refused.
"""

from __future__ import annotations

from typing import Final

WRITTEN: Final = """\
## Values of a mapping

Vendor fields and the payload:

| written | means |
| --- | --- |
| `"{city}"` | the column `city` |
| `"{first_name} {last_name}"` | a template; `{{` and `}}` are braces |
| `"crm"`, `3`, `true`, `["mon", "tue"]` | a constant |
| `{ column = "age", type = "int", required = true }` | the long form: one of `column`, `template` and `value`; `type` is one of `str` `int` `float` `bool` `date` `datetime` `json`; `required = true` makes a blank value a rejection; `default` takes its place |
| any other table | a constant; one with a key `column` or `template` is written `{ value = { … } }` |

A blank value that is neither required nor has a default is left out.
"""  # noqa: E501 - a row of a Markdown table is one line

FIELDS: Final = """\
### Forms of the vendor fields

The same forms are read from a constant here and from a column: a column may hold `10:00-19:00`, or
the JSON text. A wrong constant is an error of the configuration, a wrong value in a column rejects
its record. Nothing is put right by guessing.

| field | forms |
| --- | --- |
| `allowedTime` | `"10:00-19:00"` is every day; `"09:00-13:00, 14:00-20:00"` has a break; `{ default = [{ localTimeFrom = "10:00", localTimeTo = "19:00" }], sat = [{ localTimeFrom = "11:00", localTimeTo = "15:00" }] }` is the vendor's own form, by weekday `mon` … `sun`, with `default` for the days that are not named; or that as JSON text. Hours are `HH:mm` from `00:00` to `23:59`. An interval ends on its day, so a night is two: `"00:00-06:00, 22:00-23:59"`. |
| `allowedDays` | `["mon", "tue"]`, `["mon-fri", "sun"]`, `"mon-fri"` or `"mon, wed, fri-sun"`; or a list as JSON text. A range runs forward from Monday to Sunday. |
| `startDateTime`, `finishDateTime` | `"2026-12-31T18:30:00+03:00"`, `"2026-12-31T15:30Z"`, `"31.12.2026 18:30 +03:00"`, or without quotes `2026-12-31T18:30:00+03:00`. Without a zone it is refused. |
| `gmtZone` | `"Europe/Moscow"`, `"+03:00"`, `"+3"`, `"UTC+3"`, `"GMT-05:30"` or `"Z"`. Capital letters count. |
| `maxAttempts`, `retryIntervalInMinutes`, `dialerPriority` | `3` or `"3"`. |
"""  # noqa: E501 - a row of a Markdown table is one line

TYPES: Final = """\
### Types of columns and templates

| type | reads | sends |
| --- | --- | --- |
| `str` | anything; spaces around it and control characters are taken off | text |
| `int` | `7`, `1 234`, `5,00`; not `5,5`, and not `1,234`, which could be two numbers | a whole number |
| `float` | `1 250,50`, `1,250.50`, `990.5`, `1,5`; one comma alone is the decimal comma | a number |
| `bool` | `yes` `y` `true` `t` `1` `on` `да` `д` `истина` `так` `иә` and `no` `n` `false` `f` `0` `off` `нет` `н` `ложь` `ні` `жоқ`, in any case | `true` or `false` |
| `date` | `2026-12-31`, `31.12.2026`; a time of day is left out | `2026-12-31` |
| `datetime` | `2026-12-31 18:30`, `31.12.2026 18:30`, with a zone or without | `2026-12-31T18:30:00` |
| `json` | JSON text such as `{"a": [1]}`, of one column | that JSON |
"""  # noqa: E501 - a row of a Markdown table is one line

FILTER: Final = """\
### Filters

A filter compares columns with texts in quotes, numbers, `true`, `false` and `null`. A column whose
name has spaces stands in backticks. A blank cell is null.

| written | holds when |
| --- | --- |
| `stage == 'new'`, `stage != 'won'` | text is the same; a number is the same as text that reads as it; `true` is the same as `yes` or `да` |
| `age >= 18`, `due < '2026-12-31'` | both sides read as numbers and compare so, or both are text; never when one is blank |
| `stage in ('new', 'open')`, `stage not in ('won', 'lost')` | it is one of them, or none of them |
| `tags contains 'vip'` | the text is within; capital letters count |
| `phone is blank`, `phone is not blank` | the cell is blank, or is not |
| `consent` | the cell is not blank, not 0, and no word such as `no` or `нет` |
| `lower(name)`, `upper(name)`, `length(name)`, `number(sum)`, `blank(name)` | values to compare: `lower(tags) contains 'vip'` |
| `a == 1 and (b == 2 or not c)` | `and` binds closer than `or` |
"""  # noqa: E501 - a row of a Markdown table is one line

VALUES: Final = f"{WRITTEN}\n{FIELDS}\n{TYPES}\n{FILTER}"
