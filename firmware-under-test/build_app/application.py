"""What a makefile says about an application, checked: files that exist, names that are known."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from build_app.errors import BuildFailed, UsageError
from build_app.makefile import Makefile, Word

# What the lab's boards are; conditionals of foreign makefiles ask for these.
_PRESET = {
    "PLATFORM": "BCM94343W_AVN",
    "BUILD_TYPE": "release",
    "RTOS": "ThreadX",
    "NETWORK": "NetX_Duo",
    "BUS": "SDIO",
}

# Libraries of the SDK that the port has inside it, so that naming them is enough.
COMPONENTS = frozenset({"protocols/DNS", "utilities/linked_list", "utilities/ring_buffer"})
_OWN = frozenset({"SOURCES", "INCLUDES", "DEFINES", "CFLAGS", "COMPONENTS", "RESOURCES"})
_IGNORED = frozenset(
    {"VERSION", "SUPPORTED_PLATFORMS", "ALWAYS_OPTIMISE", "ALWAYS_OPTIMIZE", "CHECK_HEADERS"}
)
_GLOBAL = frozenset(
    {
        "APPLICATION_DCT",
        "CERTIFICATE",
        "GLOBAL_CFLAGS",
        "GLOBAL_DEFINES",
        "GLOBAL_INCLUDES",
        "PRIVATE_KEY",
        "SOURCE_ROOT",
        "WIFI_CONFIG_DCT_H",
        *_PRESET,
    }
)
# Meaningful to the SDK, and of no meaning for this port.
_GLOBAL_IGNORED = frozenset(
    {
        "INVALID_PLATFORMS",
        "NAME",
        "OTA2_SUPPORT",
        "VALID_BUILD_TYPES",
        "VALID_OSNS_COMBOS",
        "VALID_PLATFORMS",
    }
)
# Files of these kinds go into the image; others the SDK leaves out.
TEXT_RESOURCES = frozenset("html htm txt eml js css dat cer pem json xml py key".split())
BINARY_RESOURCES = frozenset("jpg jpeg png ico gif bin flac wav".split())

CERTIFICATE_BYTES_MAX = 4095
PRIVATE_KEY_BYTES_MAX = 2047


@dataclass(frozen=True)
class Resource:
    """A file for the image. `name` is the C variable."""

    name: str
    path: Path
    is_text: bool


@dataclass(frozen=True)
class Application:
    """Everything that its build takes. Paths are absolute."""

    name: str
    folder: Path
    sources: tuple[Path, ...]
    includes: tuple[Path, ...]
    defines: tuple[str, ...]
    global_includes: tuple[Path, ...]
    global_defines: tuple[str, ...]
    flags: tuple[str, ...]
    resources: tuple[Resource, ...]
    certificate: bytes
    private_key: bytes
    wifi_config: Path | None
    warnings: tuple[str, ...]


def find_makefile(folder: Path) -> Path:
    """FOLDER/FOLDER.mk, or the only makefile there is when the folder has been renamed."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    named = folder / f"{folder.name}.mk"
    if named.is_file():
        return named
    others = sorted(folder.glob("*.mk"))
    if len(others) != 1:
        raise UsageError(f"{folder}: no {named.name}, which is what the SDK would look for")
    return others[0]


def find_source_root(folder: Path) -> Path:
    """The folder that stands for the SDK's: one with apps/ and resources/, else the app's own."""
    for place in folder.parents:
        if (place / "apps").is_dir() and (place / "resources").is_dir():
            return place
    return folder


def read_application(folder: Path, settings: Mapping[str, str]) -> Application:
    """Reads FOLDER's makefile.

    Args:
        folder: absolute.
        settings: variables as on make's command line. One that the makefile neither assigns nor
            looks at becomes a macro of the C sources.
    """
    path = find_makefile(folder)
    root = str(find_source_root(folder)).rstrip("/") + "/"
    preset = {**_PRESET, "SOURCE_ROOT": root}
    makefile = Makefile(path, preset, settings)
    return _Reader(folder, makefile, settings).read()


class _Reader:
    def __init__(self, folder: Path, makefile: Makefile, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._makefile = makefile
        self._settings = settings
        self._warnings: list[str] = []
        self._name = makefile.text("NAME")
        if not self._name:
            raise BuildFailed(f"{makefile.path}: NAME is not assigned")

    def read(self) -> Application:
        self._check_names()
        sources = [self._file(word, "source") for word in self._words("SOURCES")]
        if not sources:
            raise BuildFailed(f"{self._makefile.path}: {self._name}_SOURCES names no file")
        sources += [
            self._file(word, "source")
            for word in self._makefile.words("APPLICATION_DCT")
            if self._place(word) not in sources
        ]
        wifi = [self._file(word, "header") for word in self._makefile.words("WIFI_CONFIG_DCT_H")]
        return Application(
            name=self._name,
            folder=self._folder,
            sources=tuple(sources),
            includes=tuple(self._place(word) for word in self._words("INCLUDES")),
            defines=self._shell_words(f"{self._name}_DEFINES"),
            global_includes=tuple(
                self._place(word) for word in self._makefile.words("GLOBAL_INCLUDES")
            ),
            global_defines=self._shell_words("GLOBAL_DEFINES") + self._macros() + self._debug(),
            flags=self._flags(),
            resources=self._resources(),
            certificate=self._pem_files("CERTIFICATE", CERTIFICATE_BYTES_MAX),
            private_key=self._pem_files("PRIVATE_KEY", PRIVATE_KEY_BYTES_MAX),
            wifi_config=wifi[0] if wifi else None,
            warnings=tuple(self._warnings),
        )

    def _words(self, suffix: str) -> list[Word]:
        return self._makefile.words(f"{self._name}_{suffix}")

    def _check_names(self) -> None:
        prefix = f"{self._name}_"
        for name, where in self._makefile.assigned().items():
            suffix = name.removeprefix(prefix)
            if suffix != name and suffix not in _OWN | _IGNORED:
                raise BuildFailed(f"{where}: $(NAME)_{suffix} is not understood")
            if name.startswith("GLOBAL_") and name not in _GLOBAL:
                raise BuildFailed(f"{where}: {name} is not understood")
        for word in self._words("COMPONENTS"):
            if word.text not in COMPONENTS:
                known = ", ".join(sorted(COMPONENTS))
                raise BuildFailed(
                    f"{word.where}: component {word.text} is not there on this port; {known} are"
                )

    def _place(self, word: Word) -> Path:
        return Path(self._folder, word.text)

    def _file(self, word: Word, what: str) -> Path:
        path = self._place(word)
        if not path.is_file():
            raise BuildFailed(f"{word.where}: {what} {word.text}: no such file in {self._folder}")
        return path

    def _shell_words(self, name: str) -> tuple[str, ...]:
        """make hands these to a shell, which takes quotes away."""
        words: list[str] = []
        for chunk in self._makefile.chunks(name):
            try:
                words += shlex.split(chunk.text)
            except ValueError as error:
                raise BuildFailed(f"{chunk.where}: {name}: {error}") from error
        return tuple(words)

    def _macros(self) -> tuple[str, ...]:
        known = _GLOBAL | _GLOBAL_IGNORED | {f"{self._name}_{suffix}" for suffix in _OWN}
        macros = []
        for name, value in self._settings.items():
            if name not in known and not self._makefile.asks_for(name):
                macros.append(f"{name}={value}")
        return tuple(macros)

    def _debug(self) -> tuple[str, ...]:
        """In the SDK's debug builds assertions stop the program."""
        return ("DEBUG",) if self._makefile.text("BUILD_TYPE") == "debug" else ()

    def _flags(self) -> tuple[str, ...]:
        flags = self._shell_words("GLOBAL_CFLAGS") + self._shell_words(f"{self._name}_CFLAGS")
        kept = tuple(flag for flag in flags if not flag.startswith("-m"))
        for flag in flags:
            if flag not in kept:
                self._warnings.append(f"flag {flag} is for another processor, left out")
        return kept

    def _resources(self) -> tuple[Resource, ...]:
        found: dict[str, Resource] = {}
        beside = Path(self._makefile.text("SOURCE_ROOT"), "resources")
        for word in self._words("RESOURCES"):
            text = word.text
            if Path(text).is_relative_to(beside):
                text = str(Path(text).relative_to(beside))
            path = next((p for p in (self._folder / text, beside / text) if p.is_file()), None)
            if path is None:
                raise BuildFailed(
                    f"{word.where}: resource {text}: neither in {self._folder} nor in {beside}"
                )
            kind = path.suffix.removeprefix(".")
            if kind not in TEXT_RESOURCES | BINARY_RESOURCES:
                self._warnings.append(
                    f"{word.where}: resource {text}: the SDK embeds no .{kind} files, left out"
                )
                continue
            name = "resources_" + text.replace("/", "_DIR_").replace(".", "_")
            if not name.isidentifier():
                raise BuildFailed(
                    f"{word.where}: resource {text}: its variable, {name}, would be no C name"
                )
            found[name] = Resource(name, path, kind in TEXT_RESOURCES)
        return tuple(found.values())

    def _pem_files(self, variable: str, bytes_max: int) -> bytes:
        """Line ends become CR LF; several files are kept apart by a NUL, as the SDK does."""
        texts = []
        words = self._makefile.words(variable)
        for word in words:
            path = self._place(word)
            try:
                text = path.read_bytes()
            except OSError as error:
                raise BuildFailed(f"{word.where}: {variable} {path}: {error.strerror}") from error
            texts.append(text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        joined = b"\0".join(texts)
        if len(joined) > bytes_max:
            raise BuildFailed(
                f"{words[0].where}: {variable}: {len(joined)} bytes with CR LF line ends, "
                f"the DCT holds {bytes_max}"
            )
        return joined
