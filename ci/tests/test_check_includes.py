"""Each rule of the include checker goes red for the thing it forbids, and for nothing else."""

from pathlib import Path

import pytest
from check_includes import check


def write_tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def found(root: Path, files: dict[str, str]) -> list[str]:
    return [str(finding) for finding in check(write_tree(root, files))]


FORBIDDEN = {
    "relative include": ("rig/led/led.cpp", '#include "../base/clock.hpp"'),
    "relative include in firmware": ("firmware-under-test/apps/a.c", '#include "../wiced/wiced.h"'),
    "include without its folder": ("rig/led/led.cpp", '#include "clock.hpp"'),
    "harness in rig": ("rig/led/led.cpp", '#include "harness/event/event.hpp"'),
    "rig in firmware": ("firmware-under-test/apps/a.c", '#include "rig/line/level.hpp"'),
    "firmware in rig": ("rig/led/led.cpp", "#include <firmware-under-test/wiced/wiced.h>"),
    "libgpiod outside rig/line": ("rig/led/led.cpp", "#include <gpiod.hpp>"),
    "libgpiod in another port": ("firmware-under-test/ports/lm3s6965/p.c", "#include <gpiod.h>"),
    "epoll outside the loop": ("harness/server/server.cpp", "#include <sys/epoll.h>"),
    "wolfSSL outside harness/tls": ("harness/server/server.cpp", "#  include <wolfssl/ssl.h>"),
    "wolfSSL in an app": ("firmware-under-test/apps/a.c", "#include <wolfssl/ssl.h>"),
    "SQLite outside the recorder": ("harness/bench/bench.cpp", "#include <sqlite3.h>"),
    "pybind11 outside the bindings": ("harness/bench/bench.cpp", "#include <pybind11/stl.h>"),
    "the server sees the recorder": (
        "harness/server/server.cpp",
        '#include "harness/recorder/recorder.hpp"',
    ),
    "the server sees lines": ("harness/server/server.cpp", '#include "rig/line/lines.hpp"'),
    "the recorder sees the server": (
        "harness/recorder/recorder.cpp",
        '#include "harness/server/server.hpp"',
    ),
    "a call of clock_gettime": ("harness/loop/loop.cpp", "x = clock_gettime(CLOCK_MONOTONIC, &t);"),
    "a chrono clock": ("rig/led/led.cpp", "auto now = std::chrono::steady_clock::now();"),
    "a chrono clock in a test": ("rig/led/led_test.cpp", "auto now = system_clock::now();"),
    "a call of getenv": ("harness/tls/tls.cpp", 'auto home = std::getenv("HOME");'),
    "a scenario imports socket": ("python/scenarios/test_a.py", "import socket"),
    "a scenario imports _core": ("python/scenarios/test_a.py", "from wwep_rig import _core"),
    "a scenario names a port": ("python/scenarios/test_a.py", "bench.connect(port=1)"),
    "a scenario has a port's number": ("python/scenarios/test_a.py", "x = [27708]"),
    "a scenario speaks SQL": ("python/scenarios/test_a.py", 'q("select * from frames")'),
}


@pytest.mark.parametrize(("path", "line"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_what_is_forbidden_is_found_once_with_its_line(
    tmp_path: Path, path: str, line: str
) -> None:
    findings = found(tmp_path, {path: f"\n{line}\n"})

    assert len(findings) == 1
    assert findings[0].startswith(f"{path}:2: ")


ALLOWED = {
    "libgpiod in rig/line": ("rig/line/chip_lines.cpp", "#include <gpiod.hpp>"),
    "libgpiod in the posix port": ("firmware-under-test/ports/posix/p.c", "#include <gpiod.h>"),
    "wolfSSL in a port": ("firmware-under-test/ports/posix/p.c", "#include <wolfssl/ssl.h>"),
    "the firmware's own header": ("firmware-under-test/apps/a.c", '#include "wiced.h"'),
    "values of a line in the server": (
        "harness/server/server.cpp",
        '#include "rig/line/level.hpp"',
    ),
    "the clock's own file": ("rig/base/clock.cpp", "::clock_gettime(id, &now);"),
    "a clock in a comment": ("rig/led/led.cpp", "// never std::chrono::steady_clock::now()"),
    "a clock in a string": ("rig/led/led.cpp", 'auto text = "clock_gettime(";'),
    "the firmware's clock": ("firmware-under-test/ports/posix/p.c", "clock_gettime(0, &t);"),
    "a program's environment": ("rig/target/double.cpp", "int main() { getenv(x); }"),
    "a port in a docstring": ("python/scenarios/test_a.py", '"""select port 27708 from these"""'),
    "words that hold a forbidden one": ("python/scenarios/test_a.py", "report = support(1)"),
}


@pytest.mark.parametrize(("path", "line"), ALLOWED.values(), ids=ALLOWED.keys())
def test_what_is_allowed_is_not_found(tmp_path: Path, path: str, line: str) -> None:
    assert found(tmp_path, {path: f"\n{line}\n"}) == []


def test_digit_separators_hide_no_call(tmp_path: Path) -> None:
    code = "auto a = 1'000;\nauto b = getenv(name);\nauto c = 2'000;\n"

    assert len(found(tmp_path, {"rig/led/led.cpp": code})) == 1


def test_own_header_comes_first(tmp_path: Path) -> None:
    files = {
        "rig/led/led.hpp": "",
        "rig/led/led.cpp": '#include <vector>\n#include "rig/led/led.hpp"\n',
    }

    assert found(tmp_path, files) == [
        'rig/led/led.cpp:1: the first include is not "rig/led/led.hpp"'
    ]


def test_fixed_width_integers_need_their_header_from_the_file_or_one_of_ours(
    tmp_path: Path,
) -> None:
    files = {
        "rig/led/level.hpp": "#include <cstdint>\nusing Level = std::uint8_t;\n",
        "rig/led/blink.cpp": '#include "rig/led/level.hpp"\nstd::int64_t last_ns = 0;\n',
        "rig/led/pulse.cpp": "#include <string>\n// std::uint8_t\nstd::uint16_t count = 0;\n",
    }

    assert found(tmp_path, files) == ["rig/led/pulse.cpp:3: without <cstdint>: std::uint16_t"]


def test_private_header_may_bring_its_library_into_its_own_folder(tmp_path: Path) -> None:
    files = {
        "harness/tls/handles.hpp": "#include <wolfssl/ssl.h>\n",
        "harness/tls/stream.cpp": '#include "harness/tls/handles.hpp"\n',
    }

    assert found(tmp_path, files) == []


def test_public_header_brings_no_library_along_even_through_another(tmp_path: Path) -> None:
    files = {
        "harness/tls/handles.hpp": "#include <wolfssl/ssl.h>\n",
        "harness/tls/stream.hpp": '#include "harness/tls/handles.hpp"\n',
        "harness/server/server.cpp": '#include "harness/tls/stream.hpp"\n',
    }

    assert found(tmp_path, files) == [
        "harness/server/server.cpp:1: harness/tls/stream.hpp is included from another folder "
        "and brings wolfSSL along"
    ]


@pytest.mark.parametrize("line", ["link(app rig_base)", "add(app ${ROOT}/harness/wwep/frame.cpp)"])
def test_firmware_links_and_compiles_nothing_of_the_rig(tmp_path: Path, line: str) -> None:
    findings = found(tmp_path, {"firmware-under-test/CMakeLists.txt": f"\n{line}\n"})

    assert len(findings) == 1
    assert findings[0].startswith("firmware-under-test/CMakeLists.txt:2: ")
