"""Compiles a mapping's parts for a set of columns, and collects what is wrong with them.

It owns the checks that need no record: names, types, constants, template and filter. It must never
stop at the first problem: a person mends a configuration in one go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

from syncd.core import fields, phone
from syncd.core.columns import Columns
from syncd.core.expression import Expression, compile_expression
from syncd.core.fields import FINISH, START, START_NOT_BEFORE_FINISH
from syncd.core.getters import Value, compile_value
from syncd.core.names import did_you_mean
from syncd.core.refusal import BadValue
from syncd.core.spec import MappingSpec, ValueSpec
from syncd.core.values import READERS, Reader
from syncd.errors import ConfigError, Problem, counted

MAX_PAYLOAD_NAMES: Final = 200


class Compiled:
    """The compiled parts of a spec; `raise_problems` tells what is wrong with it."""

    def __init__(self, spec: MappingSpec, columns: Columns) -> None:
        self._problems: list[Problem] = []
        self._columns = columns
        self.key = self._positions("key", spec.key)
        self.phones = self._positions("phone", spec.phone)
        self.filter = self._filter(spec.filter)
        self.payload = self._payload(spec.payload)
        self.fields = self._fields(spec.fields)
        self._check_region(spec.default_region)
        of_zones = {} if spec.zones is None else spec.zones.columns
        self.zones = {
            step: self._positions(f"zones.{step}", (name,)) for step, name in of_zones.items()
        }

    def raise_problems(self) -> None:
        if self._problems:
            what = f"the mapping has {counted(self._problems)}"
            raise ConfigError(what, problems=self._problems)

    def positions(self) -> tuple[int, ...]:
        """All columns that the mapping reads, in the order of the record."""
        values = chain(self.payload.values(), self.fields.values())
        filtered = self.filter.positions if self.filter else ()
        zones = chain.from_iterable(self.zones.values())
        read = chain(self.key, self.phones, filtered, zones, *(value.positions for value in values))
        return tuple(sorted(set(read)))

    def _problem(self, key: str, what: str, hint: str = "") -> None:
        self._problems.append(Problem(what, key=key, hint=hint))

    def _positions(self, key: str, names: Sequence[str]) -> list[int]:
        if not names:
            self._problem(key, "names no column")
        found: list[int] = []
        for name in names:
            try:
                found.append(self._columns.position(name))
            except BadValue as bad:
                self._problem(key, bad.why)
        return found

    def _filter(self, text: str | None) -> Expression | None:
        if text is None:
            return None
        try:
            return compile_expression(text, self._columns)
        except ConfigError as error:
            self._problem("filter", str(error), error.hint)
            return None

    def _payload(self, specs: Mapping[str, ValueSpec]) -> dict[str, Value]:
        if len(specs) > MAX_PAYLOAD_NAMES:
            self._problem("payload", f"more than {MAX_PAYLOAD_NAMES} names")
        compiled: dict[str, Value] = {}
        for name in sorted(specs):
            spec = specs[name]
            reader = READERS.get(spec.type)
            if reader is None:
                self._problem(f"payload.{name}.type", did_you_mean(spec.type, READERS))
                continue
            self._compile(
                compiled, name, f"payload.{name}", spec, reader, read_literal=spec.type != "str"
            )
        return compiled

    def _fields(self, specs: Mapping[str, ValueSpec]) -> dict[str, Value]:
        compiled: dict[str, Value] = {}
        for name in sorted(specs):
            reader = fields.READERS.get(name)
            if reader is None:
                hint = did_you_mean(name, fields.READERS)
                self._problem(f"fields.{name}", "the vendor has no such field", hint)
                continue
            self._compile(compiled, name, f"fields.{name}", specs[name], reader, read_literal=True)
        start, finish = (self._instant(compiled.get(name)) for name in (START, FINISH))
        if start is not None and finish is not None and start >= finish:
            self._problem(f"fields.{FINISH}", START_NOT_BEFORE_FINISH.replace("_", " "))
        return compiled

    @staticmethod
    def _instant(value: Value | None) -> datetime | None:
        """A constant start or finish."""
        instant = value.get(()) if value is not None and value.constant else None
        return instant if isinstance(instant, datetime) else None

    def _compile(
        self,
        compiled: dict[str, Value],
        name: str,
        key: str,
        spec: ValueSpec,
        reader: Reader,
        *,
        read_literal: bool,
    ) -> None:
        try:
            compiled[name] = compile_value(spec, self._columns, reader, read_literal=read_literal)
        except BadValue as bad:
            self._problem(key, bad.why)

    def _check_region(self, region: str | None) -> None:
        if region is not None and not phone.is_region(region):
            self._problem(
                "default_region",
                "not the code of a country",
                "use two capital letters of ISO 3166, such as RU, KZ or US",
            )
