"""Reads the text of a filter into a tree.

    condition  = all { "or" all }
    all        = one { "and" one }
    one        = "not" one | value [ relation ]
    relation   = ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "contains" ) value
               | [ "not" ] "in" "(" value { "," value } ")"
               | "is" [ "not" ] ( "blank" | "null" )
    value      = "text" | 'text' | 12.5 | true | false | null | column | `any column`
               | ( "lower" | "upper" | "length" | "number" | "blank" ) "(" value ")"
               | "(" condition ")"

It must never accept what it does not understand; every error says at which character, and what to
write instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

from syncd.core.names import did_you_mean
from syncd.errors import ConfigError

MAX_CHARS: Final = 2_000
MAX_DEPTH: Final = 30  #: of brackets and "not"

FUNCTIONS: Final = ("lower", "upper", "length", "number", "blank")
_RELATIONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "contains"})
_CONSTANTS: Final[dict[str, object]] = {"true": True, "false": False, "null": None}
_WORDS = frozenset({"and", "or", "not", "in", "is", "contains", *_CONSTANTS})
_HINTS = {
    "=": "write == to compare",
    "&&": "write and",
    "||": "write or",
    "!": "write not",
    "<>": "write !=",
    "===": "write ==",
}
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number> -?[0-9]+(?:\.[0-9]+)?(?![\w.]) )
  | (?P<text> "(?:[^"\\]|\\["\\])*" | '(?:[^'\\]|\\['\\])*' )
  | (?P<quoted> `[^`]+` )
  | (?P<name> [^\W\d][\w.]* )
  | (?P<sign> === | && | \|\| | <> | [=!<>]= | [<>()\[\],=!] )
  | (?P<end> $ )
  | (?P<wrong> . )
    )""",
    re.VERBOSE | re.DOTALL,
)

Kind = Literal["literal", "column", "and", "or", "not", "relation", "function", "in"]


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a filter, at the character `at` (from 0)."""

    kind: Kind
    at: int
    value: object = None
    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, text, quoted, name, word, sign or end
    text: str
    at: int


def parse(text: str) -> Node:
    """The tree of a filter; raises `ConfigError`."""
    if len(text) > MAX_CHARS:
        raise ConfigError(f"a filter has at most {MAX_CHARS} characters", where="filter")
    parser = _Parser(_tokens(text))
    node = parser.condition()
    parser.expect_end()
    return node


def _fail(what: str, at: int, hint: str = "") -> NoReturn:
    raise ConfigError(what, where=f"filter, character {at + 1}", hint=hint)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while not tokens or tokens[-1].kind != "end":
        found = _TOKEN.match(text, at)
        assert found is not None, "a token is anything, or the end"
        tokens.append(_token(found))
        at = found.end()
    return tokens


def _token(found: re.Match[str]) -> _Token:
    kind = str(found.lastgroup)
    part, at = found[kind], found.start(kind)
    if kind == "wrong":
        hint = "the text has no closing quote" if part in "\"'`" else "put text in quotes"
        _fail("cannot read this", at, hint)
    if part in _HINTS:
        _fail(f'"{part}" is not known here', at, _HINTS[part])
    if kind == "name" and part.lower() in _WORDS:
        kind, part = "word", part.lower()
    return _Token(kind, part, at)


class _Parser:
    """One function for each line of the grammar."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def condition(self) -> Node:
        return self._chain("or")

    def expect_end(self) -> None:
        token = self._peek()
        if token.kind != "end":
            _fail("expected the end, or and, or or", token.at, "put text in quotes")

    def _chain(self, word: Literal["and", "or"]) -> Node:
        at = self._peek().at
        parts = [self._chain("and") if word == "or" else self._one()]
        while self._take(word):
            parts.append(self._chain("and") if word == "or" else self._one())
        return parts[0] if len(parts) == 1 else Node(word, at, parts=tuple(parts))

    def _one(self) -> Node:
        at = self._peek().at
        if self._take("not"):
            self._deeper(at)
            node = Node("not", at, parts=(self._one(),))
            self._depth -= 1
            return node
        return self._relation(self._value())

    def _relation(self, left: Node) -> Node:
        token = self._peek()
        if token.text in _RELATIONS and token.kind in ("sign", "word"):
            self._next += 1
            node = Node("relation", token.at, token.text, (left, self._value()))
            after = self._peek()
            if after.text in _RELATIONS and after.kind in ("sign", "word"):
                _fail("comparisons do not chain", after.at, "join two with and")
            return node
        if self._take("is"):
            return self._is(left, token.at)
        negative = self._take("not")
        if self._take("in"):
            node = Node("in", token.at, parts=(left, *self._choices()))
            return Node("not", token.at, parts=(node,)) if negative else node
        if negative:
            _fail("expected in after not", self._peek().at)
        return left

    def _is(self, left: Node, at: int) -> Node:
        negative = self._take("not")
        token = self._peek()
        if token.text not in ("blank", "null"):
            _fail("expected blank or null after is", token.at, "write == to compare")
        self._next += 1
        node = Node("function", at, "blank", (left,))
        return Node("not", at, parts=(node,)) if negative else node

    def _choices(self) -> list[Node]:
        closing = ")" if self._peek().text == "(" else "]"
        self._expect("(" if closing == ")" else "[")
        choices = [self._value()]
        while self._take(","):
            choices.append(self._value())
        self._expect(closing)
        return choices

    def _value(self) -> Node:
        token = self._peek()
        self._next += 1
        if token.kind == "sign" and token.text == "(":
            return self._bracket(token.at)
        if token.kind == "name" and self._peek().text == "(":
            return self._call(token)
        if token.kind in ("name", "quoted"):
            return Node("column", token.at, token.text.strip("`"))
        return Node("literal", token.at, _literal(token))

    def _bracket(self, at: int) -> Node:
        self._deeper(at)
        node = self.condition()
        self._expect(")")
        self._depth -= 1
        return node

    def _call(self, name: _Token) -> Node:
        if name.text.lower() not in FUNCTIONS:
            _fail(f'no function "{name.text}"', name.at, did_you_mean(name.text, FUNCTIONS))
        self._next += 1
        return Node("function", name.at, name.text.lower(), (self._bracket(name.at),))

    def _deeper(self, at: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _fail(f"more than {MAX_DEPTH} brackets inside each other", at)

    def _peek(self) -> _Token:
        return self._tokens[min(self._next, len(self._tokens) - 1)]

    def _take(self, text: str) -> bool:
        token = self._peek()
        if token.text != text or token.kind not in ("word", "sign"):
            return False
        self._next += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            _fail(f'expected "{text}"', self._peek().at)


def _literal(token: _Token) -> object:
    """The value of a literal; blank text is null, as a blank column is."""
    if token.kind == "number":
        return float(token.text)
    if token.kind == "text":
        return re.sub(r"\\(.)", r"\1", token.text[1:-1]).strip() or None
    if token.kind == "word" and token.text in _CONSTANTS:
        return _CONSTANTS[token.text]
    return _fail("expected a column, text in quotes or a number", token.at)
