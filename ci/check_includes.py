#!/usr/bin/python3 -I
"""Checks the invariants of the architecture that can be read off the sources.

Each rule is an absence: an include, a call or a word that must not be somewhere. A finding names
file and line. Exit status 1 if there is any.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

SOURCES = (".c", ".h", ".cpp", ".hpp")
RIG_SIDE = ("rig/", "harness/", "python/bindings/")
FIRMWARE = "firmware-under-test/"

# Each C library and the folders that may include it.
LIBRARY_HOMES = {
    "libgpiod": (
        r"gpiod\.(h|hpp)|gpiodcxx/.*|linux/gpio\.h",
        ("rig/line/", f"{FIRMWARE}ports/posix/"),
    ),
    "epoll": (r"sys/epoll\.h", ("harness/loop/", f"{FIRMWARE}ports/posix/")),
    "wolfSSL": (r"wolfssl/.*|cyassl/.*", ("harness/tls/", f"{FIRMWARE}ports/")),
    "SQLite": (r"sqlite3(ext)?\.h", ("harness/recorder/",)),
    "pybind11": (r"pybind11/.*", ("python/bindings/",)),
}

# Modules that never see each other: harness/bench joins them.
STRANGERS = {
    "harness/server/": ("harness/recorder/", "harness/bench/", "rig/button/", "rig/led/"),
    "harness/recorder/": ("harness/server/", "harness/bench/", "rig/button/", "rig/led/"),
}
# What anyone may include of rig/line: the values, not the lines.
LINE_VALUES = {"rig/line/level.hpp"}

CLOCK = re.compile(
    r"\b(clock_gettime|gettimeofday|timespec_get)\s*\(|_clock::now\b|\bstd::time\s*\(|::time\s*\("
)
CLOCK_HOMES = {"rig/base/clock.cpp"}
ENVIRONMENT = re.compile(r"\b(getenv|secure_getenv|setenv|putenv)\s*\(|\benviron\b")

FIXED_WIDTH = re.compile(r"\bstd::u?int(_fast|_least)?(8|16|32|64|ptr|max)_t\b")

SCENARIO_MODULES = {"socket", "ssl", "sqlite3", "subprocess", "gpiod", "asyncio", "selectors"}
SCENARIO_NAMES = re.compile(r"(^|_)(port|ports|socket|sql|chip|offset|_core)(_|$)")
SCENARIO_PORTS = {27708, 40508}
SQL = re.compile(r"\b(select\b.+\bfrom|insert\s+into|delete\s+from|update\b.+\bset)\b", re.I | re.S)


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Include:
    """One #include line."""

    line: int
    name: str
    quoted: bool


class Source:
    """A C or C++ file, by its path from the repository's root."""

    def __init__(self, root: Path, path: str) -> None:
        self.path = path
        self.folder = path.rpartition("/")[0] + "/"
        self.text = (root / path).read_text(encoding="utf-8", errors="replace")

    @cached_property
    def code(self) -> str:
        """The text without comments and strings, with its lines where they were."""
        pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''

        def blank(match: re.Match[str]) -> str:
            # A ' between digits is no character literal: 1'000'000.
            before = self.text[match.start() - 1 : match.start()]
            if match.group().startswith("'") and before.isalnum():
                return match.group()
            return "\n" * match.group().count("\n")

        return re.sub(pattern, blank, self.text, flags=re.S)

    @cached_property
    def includes(self) -> list[Include]:
        pattern = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
        return [
            Include(self.text.count("\n", 0, m.start()) + 1, m.group(2), m.group(1) == '"')
            for m in pattern.finditer(self.text)
        ]

    def find_code(self, pattern: re.Pattern[str], what: str) -> Iterator[Finding]:
        for number, line in enumerate(self.code.split("\n"), start=1):
            if found := pattern.search(line):
                yield Finding(self.path, number, f"{what}: {found.group().strip()}")


class Tree:
    """All sources of the project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        folders = [root / folder for folder in ("rig", "harness", "firmware-under-test", "python")]
        paths = sorted(p for f in folders for p in f.rglob("*") if p.suffix in SOURCES)
        self.sources = [Source(root, str(p.relative_to(root))) for p in paths if p.is_file()]
        self.by_path = {source.path: source for source in self.sources}


def library_of(include: Include) -> str | None:
    """The C library that the include names."""
    for library, (pattern, _) in LIBRARY_HOMES.items():
        if re.fullmatch(pattern, include.name):
            return library
    return None


def relative_includes(tree: Tree) -> Iterator[Finding]:
    for source in tree.sources:
        for include in source.includes:
            if ".." in include.name.split("/"):
                yield Finding(source.path, include.line, f"relative include {include.name}")


def full_path_includes(tree: Tree) -> Iterator[Finding]:
    """On the rig's side a quoted include is the full path of a header of ours."""
    for source in tree.sources:
        if not source.path.startswith(RIG_SIDE):
            continue
        for include in source.includes:
            if include.quoted and not include.name.startswith((*RIG_SIDE, "../")):
                what = f'"{include.name}" is no path from the root to a header of rig/ or harness/'
                yield Finding(source.path, include.line, what)


def rig_knows_no_harness(tree: Tree) -> Iterator[Finding]:
    for source in tree.sources:
        for include in source.includes:
            if source.path.startswith("rig/") and include.name.startswith(("harness/", "python/")):
                yield Finding(source.path, include.line, f"rig/ includes {include.name}")


def firmware_shares_no_source(tree: Tree) -> Iterator[Finding]:
    """Neither by an include nor by what a CMakeLists.txt compiles or links."""
    for source in tree.sources:
        foreign = RIG_SIDE if source.path.startswith(FIRMWARE) else (FIRMWARE,)
        for include in source.includes:
            if include.name.startswith(foreign):
                what = f"{include.name}: rig and firmware share no source"
                yield Finding(source.path, include.line, what)
    for path in sorted((tree.root / "firmware-under-test").rglob("CMakeLists.txt")):
        for number, line in enumerate(path.read_text().split("\n"), start=1):
            words = line.partition("#")[0]
            if found := re.search(r"(^|[\s/({])((rig|harness)(/|_[a-z]))", words):
                what = f"{found.group(2)}...: the firmware builds without rig/ and harness/"
                yield Finding(str(path.relative_to(tree.root)), number, what)


def libraries_stay_at_home(tree: Tree) -> Iterator[Finding]:
    for source in tree.sources:
        for include in source.includes:
            library = library_of(include)
            # A benchmark measures against the bare library.
            if source.path.endswith("_benchmark.cpp"):
                continue
            if library and not source.path.startswith(homes := LIBRARY_HOMES[library][1]):
                what = f"{include.name}: {library} is used in {' and '.join(homes)} only"
                yield Finding(source.path, include.line, what)


def carried_library(tree: Tree, path: str, seen: frozenset[str] = frozenset()) -> str | None:
    """The C library that including this header brings along."""
    if path in seen or path not in tree.by_path:
        return None
    for include in tree.by_path[path].includes:
        library = library_of(include) or carried_library(tree, include.name, seen | {path})
        if library:
            return library
    return None


def public_headers_carry_no_library(tree: Tree) -> Iterator[Finding]:
    """A header that other folders include brings no C library along, not even through another."""
    for source in tree.sources:
        if not source.path.startswith(RIG_SIDE):
            continue
        for include in source.includes:
            library = carried_library(tree, include.name)
            if library and not include.name.startswith(source.folder):
                what = f"{include.name} is included from another folder and brings {library} along"
                yield Finding(source.path, include.line, what)


def own_header_first(tree: Tree) -> Iterator[Finding]:
    for source in tree.sources:
        stem, _, suffix = source.path.rpartition(".")
        own = f"{stem}.hpp"
        if suffix != "cpp" or own not in tree.by_path:
            continue
        if not source.includes or source.includes[0].name != own:
            line = source.includes[0].line if source.includes else 1
            yield Finding(source.path, line, f'the first include is not "{own}"')


def brings(tree: Tree, path: str, header: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a file includes a header of the language, itself or by a header of ours."""
    if path in seen or path not in tree.by_path:
        return False
    source = tree.by_path[path]
    return any(
        include.name == header
        or brings(tree, include.name, header, seen | {path})
        or brings(tree, source.folder + include.name, header, seen | {path})
        for include in source.includes
    )


def fixed_width_integers_have_their_header(tree: Tree) -> Iterator[Finding]:
    """Other headers of the library bring <cstdint> along with one compiler, not with the next."""
    for source in tree.sources:
        if source.path.endswith((".cpp", ".hpp")) and not brings(tree, source.path, "cstdint"):
            yield from source.find_code(FIXED_WIDTH, "without <cstdint>")


def strangers_stay_apart(tree: Tree) -> Iterator[Finding]:
    for source in tree.sources:
        for module, strangers in STRANGERS.items():
            if not source.path.startswith(module):
                continue
            for include in source.includes:
                is_line = include.name.startswith("rig/line/") and include.name not in LINE_VALUES
                if include.name.startswith(strangers) or is_line:
                    what = f"{module} includes {include.name}; harness/bench joins the two"
                    yield Finding(source.path, include.line, what)


def clock_is_handed_in(tree: Tree) -> Iterator[Finding]:
    for source in tree.sources:
        if source.path.startswith(RIG_SIDE) and source.path not in CLOCK_HOMES:
            yield from source.find_code(CLOCK, "reads the clock past rig::Clock")


def environment_is_handed_in(tree: Tree) -> Iterator[Finding]:
    """A program of its own, such as a test's stand-in for firmware, may read it in main's file."""
    for source in tree.sources:
        if source.path.startswith(RIG_SIDE) and not re.search(r"\bint main\(", source.code):
            yield from source.find_code(ENVIRONMENT, "touches the environment")


def mechanism_in(node: ast.AST) -> str | None:
    """The mechanism that a node of a scenario names, if it names one."""
    match node:
        case ast.Import(names=names):
            modules = {name.name.partition(".")[0] for name in names}
            return next(iter(modules & SCENARIO_MODULES), None)
        case ast.ImportFrom(module=str(module), names=names):
            if module.partition(".")[0] in SCENARIO_MODULES:
                return module
            words = [*module.split("."), *(name.name for name in names)]
            return next((word for word in words if SCENARIO_NAMES.search(word)), None)
        case ast.Constant(value=int(number)) if number in SCENARIO_PORTS:
            return str(number)
        case ast.Constant(value=str(text)) if SQL.search(text):
            return "SQL"
        case ast.Name(id=str(name)) | ast.Attribute(attr=str(name)) | ast.arg(arg=str(name)):
            return name if SCENARIO_NAMES.search(name) else None
        case ast.keyword(arg=str(name)):
            return name if SCENARIO_NAMES.search(name) else None
    return None


def docstrings_of(module: ast.Module) -> set[ast.AST]:
    """The nodes of all docstrings: what they say is for people."""
    found: set[ast.AST] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(first.value)
    return found


def scenarios_know_no_mechanism(tree: Tree) -> Iterator[Finding]:
    for path in sorted((tree.root / "python" / "scenarios").rglob("*.py")):
        module = ast.parse(path.read_text())
        docstrings = docstrings_of(module)
        for node in ast.walk(module):
            mechanism = None if node in docstrings else mechanism_in(node)
            if mechanism:
                what = f"a scenario names a mechanism: {mechanism}"
                line: int = getattr(node, "lineno", 1)
                yield Finding(str(path.relative_to(tree.root)), line, what)


RULES: list[Callable[[Tree], Iterator[Finding]]] = [
    relative_includes,
    full_path_includes,
    rig_knows_no_harness,
    firmware_shares_no_source,
    libraries_stay_at_home,
    public_headers_carry_no_library,
    own_header_first,
    fixed_width_integers_have_their_header,
    strangers_stay_apart,
    clock_is_handed_in,
    environment_is_handed_in,
    scenarios_know_no_mechanism,
]


def check(root: Path) -> list[Finding]:
    """Everything in the tree below `root` that breaks a rule."""
    tree = Tree(root)
    return [finding for rule in RULES for finding in rule(tree)]


def main() -> int:
    findings = check(REPOSITORY)
    for finding in findings:
        print(finding)
    print(f"check_includes: {len(RULES)} rules, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
