"""The JSON Schema of the configuration, for editors: `syncd config schema`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from syncd.config.settings import Settings

REF = "#/$defs/{model}"


def schema(kinds: Mapping[str, type[BaseModel]] | None = None) -> dict[str, Any]:
    """The schema of the file, with the options of each kind of source that is given.

    What can come from the environment or a secret file is not required in the file.
    """
    models: list[type[BaseModel]] = [Settings, *(kinds or {}).values()]
    refs, made = models_json_schema([(m, "validation") for m in models], ref_template=REF)
    definitions: dict[str, Any] = made["$defs"]
    root = definitions.pop(refs[Settings, "validation"]["$ref"].rsplit("/", maxsplit=1)[-1])
    token = definitions["CampaignSettings"]
    token["required"] = [name for name in token.get("required", ()) if name != "token"]
    _source(definitions, {kind: refs[m, "validation"]["$ref"] for kind, m in (kinds or {}).items()})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "title": "syncd configuration",
        "$defs": definitions,
    }


def _source(definitions: dict[str, Any], kinds: Mapping[str, str]) -> None:
    """A source is its kind beside the options of that kind, not a key called "options"."""
    source = definitions["SourceSettings"]
    source["properties"].pop("options")
    source["additionalProperties"] = True
    for kind, ref in kinds.items():
        options = definitions[ref.rsplit("/", maxsplit=1)[-1]]
        one = {**options, "properties": {"kind": {"const": kind}, **options.get("properties", {})}}
        one["required"] = ["kind", *options.get("required", ())]
        condition = {"properties": {"kind": {"const": kind}}}
        source.setdefault("allOf", []).append({"if": condition, "then": one})
    for name in {ref.rsplit("/", maxsplit=1)[-1] for ref in kinds.values()}:
        del definitions[name]
