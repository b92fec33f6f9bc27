"""Reads the makefile of a WICED application: assignments and conditionals, nothing else.

What make would understand and this reader does not is an error that names file and line, so that
no part of an application is left out in silence.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from build_app.errors import BuildFailed

_ASSIGNMENT = re.compile(r"([^\s:=+?#]+)\s*(::=|:=|\+=|\?=|=)\s*(.*)")
_DIRECTIVE = re.compile(r"(ifeq|ifneq|ifdef|ifndef|else|endif)\b\s*(.*)")
_PAIR = re.compile(
    r"""\((?P<a>.*?),(?P<b>.*)\)|"(?P<c>[^"]*)"\s*"(?P<d>[^"]*)"|'(?P<e>[^']*)'\s*'(?P<f>[^']*)'"""
)
_UNKNOWN = re.compile(
    r"(-?include|sinclude|define|endef|export|unexport|override|private|undefine|vpath|load)\b"
)


@dataclass(frozen=True)
class Word:
    """One word of a variable's value, and the line where it was written."""

    text: str
    where: str


@dataclass(frozen=True)
class _Piece:
    text: str
    is_deferred: bool
    line: int


@dataclass
class _Condition:
    line: int
    was_outside_taken: bool
    has_matched: bool
    has_else: bool = False


class Makefile:
    """The variables of one makefile, once it has been read.

    Args:
        path: the makefile.
        preset: variables that the makefile finds and may change.
        overrides: variables that keep their value whatever the makefile assigns, as those on
            make's command line do.
    """

    def __init__(self, path: Path, preset: Mapping[str, str], overrides: Mapping[str, str]) -> None:
        self.path = path
        self._overrides = dict(overrides)
        self._variables = {
            name: [_Piece(text.replace("$", "$$"), True, 0)]
            for name, text in {**preset, **overrides}.items()
        }
        self._assigned: dict[str, int] = {}
        self._asked: set[str] = set()
        self._conditions: list[_Condition] = []
        self._is_taken = True
        self._read()

    def text(self, name: str) -> str:
        """The value, expanded and stripped; empty when nothing assigned it."""
        return " ".join(text for text, _ in self._expanded(name, ())).strip()

    def words(self, name: str) -> list[Word]:
        """The words of the value, in order."""
        return [
            Word(word, self.where(line))
            for text, line in self._expanded(name, ())
            for word in text.split()
        ]

    def chunks(self, name: str) -> list[Word]:
        """The value as it was assigned, one entry for each assignment, not cut at blanks."""
        return [
            Word(text.strip(), self.where(line))
            for text, line in self._expanded(name, ())
            if text.strip()
        ]

    def assigned(self) -> dict[str, str]:
        """Each name that the makefile assigns, and where it did so last."""
        return {name: self.where(line) for name, line in self._assigned.items()}

    def asks_for(self, name: str) -> bool:
        """Whether the makefile assigns the variable or looks at it."""
        return name in self._assigned or name in self._asked

    def where(self, line: int) -> str:
        """A place in the makefile, for messages. Line 0 is the command line."""
        return f"{self.path}:{line}" if line > 0 else "--set"

    def _fail(self, line: int, what: str) -> BuildFailed:
        return BuildFailed(f"{self.where(line)}: {what}")

    def _read(self) -> None:
        for line, text in self._logical_lines():
            if text.startswith("\t") and text.strip():
                if self._is_taken:
                    raise self._fail(line, f"a recipe is not understood: {text.strip()!r}")
                continue
            stripped = text.strip()
            if not stripped:
                continue
            if directive := _DIRECTIVE.fullmatch(stripped):
                self._read_directive(line, directive[1], directive[2].strip())
            elif self._is_taken:
                self._read_assignment(line, stripped)
        if self._conditions:
            raise self._fail(self._conditions[-1].line, "this conditional has no endif")

    def _logical_lines(self) -> Iterator[tuple[int, str]]:
        """Lines without comments, continuations joined, each with the number of its first line."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError as error:
            raise BuildFailed(f"{self.path}: {error.strerror}") from error
        number = 0
        while number < len(lines):
            first = number + 1
            text = lines[number]
            while re.search(r"(?<!\\)(\\\\)*\\$", text) and number + 1 < len(lines):
                number += 1
                text = text[:-1].rstrip() + " " + lines[number].strip()
            number += 1
            if re.search(r"(?<!\\)(\\\\)*\\$", text):
                text = text[:-1]
            cut = re.split(r"(?<!\\)#", text, maxsplit=1)[0]
            yield first, cut.replace("\\#", "#")

    def _read_directive(self, line: int, word: str, rest: str) -> None:
        if word == "endif":
            if rest:
                raise self._fail(line, f"endif takes no words: {rest!r}")
            if not self._conditions:
                raise self._fail(line, "endif without a conditional")
            self._is_taken = self._conditions.pop().was_outside_taken
        elif word == "else":
            if not self._conditions or self._conditions[-1].has_else:
                raise self._fail(line, "else without a conditional")
            condition = self._conditions[-1]
            nested = _DIRECTIVE.fullmatch(rest)
            if rest and (nested is None or nested[1] in ("else", "endif")):
                raise self._fail(line, f"else is followed by {rest!r}")
            condition.has_else = nested is None
            self._is_taken = condition.was_outside_taken and not condition.has_matched
            if nested is not None and self._is_taken:
                self._is_taken = self._holds(line, nested[1], nested[2].strip())
            condition.has_matched = condition.has_matched or self._is_taken
        else:
            holds = self._is_taken and self._holds(line, word, rest)
            self._conditions.append(_Condition(line, self._is_taken, holds))
            self._is_taken = holds

    def _holds(self, line: int, word: str, rest: str) -> bool:
        if word in ("ifdef", "ifndef"):
            name = self._expand(rest, line, ())
            if not name or " " in name:
                raise self._fail(line, f"{word} wants one name, not {rest!r}")
            self._asked.add(name)
            is_defined = any(piece.text for piece in self._variables.get(name, []))
            return is_defined == (word == "ifdef")
        pair = _PAIR.fullmatch(rest)
        if pair is None:
            raise self._fail(line, f'{word} wants (A,B) or "A" "B", not {rest!r}')
        a, b = (each for each in pair.groups() if each is not None)
        is_same = self._expand(a, line, ()).strip() == self._expand(b, line, ()).strip()
        return is_same == (word == "ifeq")

    def _read_assignment(self, line: int, text: str) -> None:
        if unknown := _UNKNOWN.match(text):
            raise self._fail(line, f"{unknown[1]} is not understood")
        # The references in a name are expanded first: $(NAME)_SOURCES.
        references = re.match(r"(?:[^\s:=+?#$]|\$\([^)]*\)|\$\{[^}]*\})+", text)
        name = self._expand(references[0], line, ()) if references else ""
        rest = text[references.end() :] if references else text
        found = _ASSIGNMENT.fullmatch("x" + rest)
        if found is None or not name:
            if text.startswith("$("):
                self._expand(text, line, ())
            raise self._fail(line, f"neither an assignment nor a conditional: {text!r}")
        operator, value = found[2], found[3]
        self._assigned[name] = line
        if name in self._overrides:
            return
        pieces = self._variables.get(name, [])
        is_deferred = operator in ("=", "?=") or (
            operator == "+=" and (not pieces or pieces[-1].is_deferred)
        )
        if operator == "?=" and name in self._variables:
            return
        if not is_deferred:
            value = self._expand(value, line, ())
        piece = _Piece(value, is_deferred, line)
        self._variables[name] = [*pieces, piece] if operator == "+=" else [piece]

    def _expanded(self, name: str, seen: tuple[str, ...]) -> list[tuple[str, int]]:
        self._asked.add(name)
        return [
            (
                self._expand(piece.text, piece.line, (*seen, name))
                if piece.is_deferred
                else piece.text,
                piece.line,
            )
            for piece in self._variables.get(name, [])
        ]

    def _expand(self, text: str, line: int, seen: tuple[str, ...]) -> str:
        """Replaces $(NAME), ${NAME} and $$."""
        done = ""
        while "$" in text:
            before, _, text = text.partition("$")
            done += before
            if text.startswith("$"):
                done, text = done + "$", text[1:]
                continue
            closing = {"(": ")", "{": "}"}.get(text[:1], "")
            end = text.find(closing) if closing else -1
            if end < 0:
                raise self._fail(line, f"${text[:12]!s} is not understood")
            name, text = text[1:end], text[end + 1 :]
            if not re.fullmatch(r"[A-Za-z0-9_.\-]+", name):
                raise self._fail(line, f"$({name}...) is not understood: only variables are")
            if name in seen:
                raise self._fail(line, f"variable {name} refers to itself")
            done += " ".join(value for value, _ in self._expanded(name, seen))
        return done + text
