"""Checks the options of a source by the model of its kind; the kinds themselves live in `sources`.

A field whose value is a path says so: `Field(json_schema_extra={"syncd_path": True})`. Then a
relative path, or each of a list, starts from the folder of the configuration file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from syncd.config.paths import dotted
from syncd.config.problems import from_pydantic
from syncd.errors import ConfigError

PATH_MARK = "syncd_path"

Options = TypeVar("Options", bound=BaseModel)


def check_options(
    name: str,
    model: type[Options],
    options: Mapping[str, Any],
    *,
    file: Path,
    origins: Mapping[str, str] | None = None,
) -> Options:
    """The options of the source called `name`, checked by its kind's model.

    `file` is the configuration file, `origins` those of `Loaded`. Raises ConfigError with all
    problems, each with its key, place and hint.
    """
    folder = file.absolute().parent
    above = ("sources", name)
    given = {
        key: _absolute(value, folder) if is_path(model, key) else value
        for key, value in options.items()
    }
    try:
        return model.model_validate(given)
    except ValidationError as error:
        places: dict[tuple[str, ...], str] = {
            (*above, key): place
            for key in options
            if (place := (origins or {}).get(dotted((*above, key))))
        }
        problems = from_pydantic(error, model, origins=places, where=str(file), above=above)
    raise ConfigError(
        f'the options of source "{name}" are wrong', where=str(file), problems=problems
    )


def is_path(model: type[BaseModel], key: str) -> bool:
    """Whether a field of a kind's options is marked as a path; one called "path" needs no mark."""
    field = model.model_fields.get(key)
    extra = field.json_schema_extra if field is not None else None
    mark = extra.get(PATH_MARK) if isinstance(extra, dict) else None
    return bool(mark) if mark is not None else key == "path" and field is not None


def _absolute(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_absolute(item, folder) for item in value]
    if isinstance(value, str) and value and "://" not in value:
        return str(folder / value)
    return value
