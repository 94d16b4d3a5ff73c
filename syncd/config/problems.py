"""What pydantic found, in our words: every problem at once, with key, place and hint.

No value of the configuration gets into a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from syncd.config.paths import Path, dotted, folded, item_of, model_of
from syncd.core.names import did_you_mean
from syncd.errors import Problem

#: pydantic's kind of error ▶ our words. The braces are filled from the error's context.
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is no key of syncd",
    "string_type": "must be a text in quotes",
    "int_type": "must be a whole number, without quotes",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number, without quotes",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false, without quotes",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "tuple_type": "must be a text or a list of texts",
    "list_type": "must be a list",
    "finite_number": "must be a finite number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "recursion_loop": "is nested too deeply",
}
_KEY_MARK = "[key]"  #: pydantic's last step of a path when the name of a key is wrong


def from_pydantic(
    error: ValidationError,
    model: type[BaseModel],
    *,
    origins: Mapping[Path, str],
    where: str,
    above: Path = (),
) -> list[Problem]:
    """All errors of a validation of `model`, whose table stands at the path `above`."""
    found: dict[Path, Problem] = {}
    for one in error.errors(include_input=False, include_url=False):
        loc = _steps(one["loc"], model)
        problem = _problem(one, loc, model, origins, where, above)
        if loc in found:  # a value that may be one of several things is refused once for each
            problem = replace(problem, what=f"{found[loc].what}, or {problem.what}")
        found[loc] = problem
    return list(found.values())


def _steps(loc: Sequence[str | int], model: type[BaseModel]) -> Path:
    """The keys in pydantic's location, without the marks that it adds for keys and choices."""
    annotation: Any = model
    steps: list[str] = []
    for part in loc:
        if part == _KEY_MARK or (annotation is None and isinstance(part, str)):
            continue
        steps.append(str(part))
        annotation = _below(annotation, str(part))
    return tuple(steps)


def _problem(
    one: ErrorDetails,
    loc: Path,
    model: type[BaseModel],
    origins: Mapping[Path, str],
    where: str,
    above: Path,
) -> Problem:
    path = (*above, *loc)
    context = one.get("ctx", {})
    hint = str(context.get("hint", ""))
    kind = one["type"]
    if kind == "syncd":
        what = one["msg"]
    elif kind in _WORDS:
        what = _WORDS[kind].format_map(context)
    else:
        what = one["msg"].removeprefix("Value error, ")
        what = (what[:1].lower() + what[1:]).replace("input should be", "must be")
    if kind == "extra_forbidden":
        hint = did_you_mean(path[-1], keys_at(model, loc[:-1]))
    if kind == "missing":
        hint = hint or _missing_hint(path)
    return Problem(what, dotted(path), origin_of(path, origins, where), hint)


def _missing_hint(path: Path) -> str:
    if path[0] == "campaigns" and path[-1] == "token":
        name = f"campaigns__{folded(path[1])}__token"
        return (
            f'set the variable SYNCD_{name.upper()}, or token_file = "…" in the file,'
            f" or put it in /run/secrets/{name}"
        )
    return "add it; config.example.toml shows every key"


def _below(annotation: Any, key: str) -> Any:
    """The type of what stands under `key`; None when that is no table of ours."""
    here = model_of(annotation)
    if here is not None:
        info = here.model_fields.get(key)
        annotation = info.annotation if info is not None else None
        known = model_of(annotation) or item_of(annotation) is not None
        return annotation if known else None
    return item_of(annotation)


def keys_at(model: type[BaseModel], loc: Sequence[str]) -> list[str]:
    """The keys that the table at `loc` below `model` may have."""
    annotation: Any = model
    for part in loc:
        annotation = _below(annotation, part)
    found = model_of(annotation)
    return list(found.model_fields) if found else []


def origin_of(path: Path, origins: Mapping[Path, str], where: str) -> str:
    """Where the value at `path` stands; for a table: where the first of its values stands."""
    if path in origins:
        return origins[path]
    return next((o for p, o in origins.items() if p[: len(path)] == path), where)
