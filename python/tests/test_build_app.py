"""The command build-app: makefiles, what it prints and where, what ends up in the program."""

import os
import re
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

BUILD_APP = Path(__file__).resolve().parents[2] / "firmware-under-test" / "build-app"

PRINTS = """
#include "wiced.h"
#ifndef TEXT
#define TEXT "plain"
#endif
void application_start(void) {
    wiced_init(); printf("begin\\n");
    WPRINT_APP_INFO(("%s\\n", TEXT));
    WPRINT_APP_INFO(("end\\n"));
}
"""

PRINTS_THE_DCT = """
#include "wiced.h"
void application_start(void) {
    platform_dct_security_t* security;
    platform_dct_wifi_config_t* wifi;
    wiced_init(); printf("begin\\n");
    wiced_dct_read_lock((void**)&security, WICED_FALSE, DCT_SECURITY_SECTION, 0, sizeof(*security));
    wiced_dct_read_lock((void**)&wifi, WICED_FALSE, DCT_WIFI_CONFIG_SECTION, 0, sizeof(*wifi));
    for (const char* p = security->certificate; *p != 0; ++p) {
        if (*p == '\\r') printf("<CR>"); else if (*p == '\\n') printf("<LF>"); else putchar(*p);
    }
    printf("\\nkey %s\\n", security->private_key);
    printf("second %s\\n", security->certificate + strlen(security->certificate) + 1);
    printf("ssid %.*s %s\\n", wifi->stored_ap_list[0].details.SSID.length,
           (char*)wifi->stored_ap_list[0].details.SSID.value,
           wifi->stored_ap_list[0].security_key);
    printf("end\\n");
}
"""


class Result:
    """What one run of build-app came to."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def program(self) -> Path:
        assert self.code == 0, self.err
        return Path(self.out.splitlines()[-1])


@pytest.fixture
def build(environment, tmp_path_factory) -> Callable[..., Result]:
    """Runs build-app to its end, in a folder that has nothing to do with the application."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    cache = tmp_path_factory.getbasetemp() / "cache"

    def run(*arguments: object, cwd: Path = elsewhere) -> Result:
        done = subprocess.run(
            [BUILD_APP, *map(str, arguments)],
            env={**environment, "XDG_CACHE_HOME": str(cache), "LC_ALL": "C"},
            cwd=cwd,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=100,
            check=False,
        )
        return Result(done)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An SDK-like tree with one application in it, which prints its text."""
    made = tmp_path / "sdk" / "apps" / "one"
    made.mkdir(parents=True)
    (tmp_path / "sdk" / "resources").mkdir()
    (made / "one.c").write_text(PRINTS)
    write_makefile(made)
    return made


def write_makefile(folder: Path, more: str = "", sources: str = "one.c") -> None:
    """The usual two lines, and more."""
    text = f"NAME := App_one\n$(NAME)_SOURCES := {sources}\n{more}"
    (folder / f"{folder.name}.mk").write_text(text)


def console_of(
    program: Path, last: str = "end", whole: bool = False, **variables: str
) -> list[str]:
    """What a program prints from "begin" to its last line, or the whole of it."""
    lines: list[str] = []
    process = subprocess.Popen(
        [program], env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if lines[-1] == last:
                break
    finally:
        process.kill()
        process.communicate()
    # Before that the board says that it is up.
    return lines if whole else lines[lines.index("begin") + 1 :]


def text_of(build, folder: Path, *arguments: object) -> str:
    """What the application's TEXT is in the program that is built."""
    return console_of(build(folder, *arguments).program)[0]


def test_last_line_on_stdout_is_the_path_of_the_program(build, folder):
    result = build(folder, "--port", "posix")

    assert result.out == f"{result.program}\n"
    assert result.program.is_absolute() and os.access(result.program, os.X_OK)
    assert console_of(result.program) == ["plain", "end"]
    assert not result.program.is_relative_to(folder)


def test_relative_folder_is_one_of_the_working_directory(build, folder):
    assert build("one", cwd=folder.parent).program.name == "one"
    assert build(".", cwd=folder).program.name == "one"


def test_output_is_put_where_asked(build, folder, tmp_path):
    result = build(folder, "-o", "mine", cwd=tmp_path)

    assert result.program == tmp_path / "mine"
    assert console_of(tmp_path / "mine") == ["plain", "end"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine", "sdk"]


def test_folder_may_be_read_only_and_nothing_is_written_into_it(build, folder):
    before = sorted(folder.rglob("*"))
    for path in (*before, folder):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        assert build(folder).code == 0
        assert sorted(folder.rglob("*")) == before
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["/nonexistent"],
        ["{folder}", "--port", "toaster"],
        ["{folder}", "--set", "1=2"],
        ["{folder}", "--set", "NAME"],
        ["{folder}", "-o", "/nonexistent/one"],
        ["{folder}", "-o", "/"],
        ["{folder}", "--unknown"],
        ["{folder}/.."],
    ],
)
def test_usage_errors_exit_with_2_and_print_no_path(build, folder, arguments):
    result = build(*(each.format(folder=folder) for each in arguments))

    assert (result.code, result.out) == (2, "")
    assert result.err.strip()


def test_error_of_the_compiler_exits_with_1_and_names_the_file(build, folder):
    (folder / "one.c").write_text('#include "wiced.h"\nvoid application_start(void) { nonsense }\n')

    result = build(folder)

    assert (result.code, result.out) == (1, "")
    assert f"{folder}/one.c:2:" in result.err


def test_failed_build_leaves_the_last_program_alone(build, folder):
    program = build(folder).program
    (folder / "one.c").write_text("nonsense\n")

    assert build(folder).code == 1
    assert console_of(program) == ["plain", "end"]


def test_warnings_are_shown_and_are_not_fatal(build, folder):
    write_makefile(folder, "$(NAME)_CFLAGS := -Werror\n")
    (folder / "one.c").write_text(PRINTS.replace("wiced_init();", "int unused; wiced_init();"))

    result = build(folder)

    assert "unused variable 'unused'" in result.err
    assert console_of(result.program) == ["plain", "end"]


CONSTRUCTS = {
    "immediate": 'A := "one"\nB := $(A)\nA := "two"\n$(NAME)_DEFINES := TEXT=\'$(B)\'\n',
    "deferred": "$(NAME)_DEFINES = TEXT='$(A)'\nA := \"one\"\n",
    "append": "GLOBAL_DEFINES := X\nGLOBAL_DEFINES += TEXT='\"one\"'\n",
    "append to nothing": "GLOBAL_DEFINES += TEXT='\"one\"'\n",
    "if unset": 'A := "one"\nA ?= "two"\nGLOBAL_DEFINES := TEXT=\'$(A)\'\n',
    "continuation": "GLOBAL_DEFINES := X \\\n    Y \\\n  TEXT='\"one\"'\n",
    "comment": "# A := $(shell x)\nGLOBAL_DEFINES := TEXT='\"one\"' # and $(so on)\n",
    "braces": "A := \"one\"\nGLOBAL_DEFINES := TEXT='${A}'\n",
    "ifeq": "ifeq ($(BUILD_TYPE),release)\nGLOBAL_DEFINES := TEXT='\"one\"'\nendif\n",
    "else": "ifeq ($(BUILD_TYPE),debug)\n$(foo bar)\nelse\n"
    "GLOBAL_DEFINES := TEXT='\"one\"'\nendif\n",
    "else ifeq": "ifeq (a,b)\nelse ifeq (a,a)\nGLOBAL_DEFINES := TEXT='\"one\"'\n"
    "else\nGLOBAL_DEFINES := TEXT='\"two\"'\nendif\n",
    "ifneq": 'ifneq "$(PLATFORM)" "Other"\nGLOBAL_DEFINES := TEXT=\'"one"\'\nendif\n',
    "ifdef": "ifdef NOT_THERE\nelse\nGLOBAL_DEFINES := TEXT='\"one\"'\nendif\n",
    "ifndef": "ifndef NOT_THERE\nGLOBAL_DEFINES := TEXT='\"one\"'\nendif\n",
    "nested": "ifeq (a,b)\nifeq (a,a)\nGLOBAL_DEFINES := TEXT=2\nendif\n"
    "else\nGLOBAL_DEFINES := TEXT='\"one\"'\nendif\n",
    "ignored": "VALID_PLATFORMS := *\nVALID_OSNS_COMBOS := ThreadX-NetX_Duo\n"
    "$(NAME)_COMPONENTS := protocols/DNS utilities/linked_list\nGLOBAL_DEFINES := TEXT='\"one\"'\n",
}


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_makefile_construct_means_what_it_means_to_make(build, folder, construct):
    write_makefile(folder, CONSTRUCTS[construct])

    assert text_of(build, folder) == "one"


MISTAKES = {
    "include x.mk": "3: include is not understood",
    "define X": "3: define is not understood",
    "A := $(wildcard *.c)": "3: $(wildcard *.c...) is not understood: only variables are",
    "$(info hello)": "3: $(info hello...) is not understood: only variables are",
    "all: one.c": "3: neither an assignment nor a conditional: 'all: one.c'",
    "\ttouch x": "3: a recipe is not understood: 'touch x'",
    "endif": "3: endif without a conditional",
    "else": "3: else without a conditional",
    "\nifeq (a,a)": "4: this conditional has no endif",
    "ifeq a b\nendif": '3: ifeq wants (A,B) or "A" "B", not \'a b\'',
    "A = $(A) x\nGLOBAL_DEFINES := $(A)": "3: variable A refers to itself",
    "A := $(B": "3: $(B is not understood",
    "$(NAME)_PREBUILT := x.a": "3: $(NAME)_PREBUILT is not understood",
    "GLOBAL_LINK := x": "3: GLOBAL_LINK is not understood",
    "X := 1 \\\n  2\n$(NAME)_SOURCES += two.c": "5: source two.c: no such file in {folder}",
    "$(NAME)_COMPONENTS := protocols/DNS daemons/HTTP": (
        "3: component daemons/HTTP is not there on this port"
    ),
    "$(NAME)_RESOURCES := apps/x.pem": (
        "3: resource apps/x.pem: neither in {folder} nor in {folder}/../../resources"
    ),
    "CERTIFICATE := $(SOURCE_ROOT)resources/x.pem": (
        "3: CERTIFICATE {folder}/../../resources/x.pem: No such file or directory"
    ),
    "WIFI_CONFIG_DCT_H := wifi.h": "3: header wifi.h: no such file in {folder}",
    "GLOBAL_DEFINES := 'A": "3: GLOBAL_DEFINES: No closing quotation",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistake_in_the_makefile_is_named_with_file_and_line(build, folder, line):
    write_makefile(folder, f"{line}\n")

    result = build(folder)

    expected = re.sub(r"[^/\n]+/[^/\n]+/\.\./\.\./", "", MISTAKES[line].format(folder=folder))
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"{folder}/one.mk:{expected}")


def test_makefile_without_name_or_sources_is_an_error(build, folder):
    (folder / "one.mk").write_text("A := 1\n")
    assert build(folder).err == f"{folder}/one.mk: NAME is not assigned\n"
    (folder / "one.mk").write_text("NAME := App_one\n")
    assert build(folder).err == f"{folder}/one.mk: App_one_SOURCES names no file\n"


def test_setting_overrides_the_makefile(build, folder):
    write_makefile(folder, "A := \"one\"\nA += x\nGLOBAL_DEFINES := TEXT='$(A)'\n")

    assert text_of(build, folder, "--set", 'A="two"') == "two"
    assert text_of(build, folder, "--set", 'GLOBAL_DEFINES=TEXT="\\"three\\""') == "three"


def test_setting_that_the_makefile_does_not_know_becomes_a_macro(build, folder):
    assert text_of(build, folder, "--set", 'TEXT="macro"') == "macro"
    assert text_of(build, folder) == "plain"


def test_builds_with_other_settings_do_not_replace_each_other(build, folder):
    one = build(folder, "--set", 'TEXT="one"').program
    two = build(folder, "--set", 'TEXT="two"').program

    assert [console_of(one)[0], console_of(two)[0]] == ["one", "two"]


def test_changed_source_and_header_are_picked_up(build, folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "text.h").write_text('#define TEXT "before"\n')
    (folder / "one.c").write_text('#include "text.h"\n' + PRINTS)
    write_makefile(folder, "$(NAME)_INCLUDES := sub\n")
    assert text_of(build, folder) == "before"

    (folder / "sub" / "text.h").write_text('#define TEXT "after"\n')
    assert text_of(build, folder) == "after"


def test_global_defines_settle_what_the_port_is_built_with(build, folder):
    (folder / "one.c").write_text(
        """
#include "wiced.h"
void application_start(void) {
    wiced_packet_t* packet; uint8_t* data; uint16_t space; unsigned count = 0;
    wiced_init(); printf("begin\\n");
    while (wiced_packet_create(10, &packet, &data, &space) == WICED_SUCCESS) ++count;
    printf("%u\\nend\\n", count);
}
"""
    )
    write_makefile(
        folder, "GLOBAL_DEFINES := TX_PACKET_POOL_SIZE=3 WICED_ALLOCATE_PACKET_TIMEOUT=10\n"
    )

    assert text_of(build, folder) == "3"


def test_common_packet_pool_serves_both_directions(build, folder):
    (folder / "one.c").write_text(
        """
#include "wiced.h"
void application_start(void) {
    wiced_udp_socket_t socket; wiced_packet_t* packet; uint8_t* data; uint16_t space;
    wiced_init();
    wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL);
    printf("begin\\n");
    wiced_ip_address_t here;
    wiced_ip_get_ipv4_address(WICED_STA_INTERFACE, &here);
    wiced_udp_create_socket(&socket, 27708, WICED_STA_INTERFACE);
    wiced_packet_create_udp(&socket, 0, &packet, &data, &space);
    wiced_packet_set_data_end(packet, data + 1);
    wiced_udp_send(&socket, &here, 27708, packet); /* what then waits is not received */
    unsigned count = 0;
    while (wiced_packet_create(10, &packet, &data, &space) == WICED_SUCCESS) ++count;
    wiced_result_t without = wiced_udp_receive(&socket, &packet, 0);
    printf("%u %d\\nend\\n", count, (int)without);
}
"""
    )
    limit = "WICED_ALLOCATE_PACKET_TIMEOUT=10"
    write_makefile(folder, f"GLOBAL_DEFINES := WICED_USE_COMMON_PKT_POOL {limit}\n")
    own = f"127.9.{os.getpid() % 256}.{os.getpid() // 256 % 254 + 1}"
    assert console_of(build(folder).program, WWEP_BIND_ADDRESS=own)[0] == "14 2"

    write_makefile(
        folder,
        f"GLOBAL_DEFINES := WICED_USE_COMMON_PKT_POOL COM_PACKET_POOL_SIZE=3 {limit}\n",
    )
    assert console_of(build(folder).program, WWEP_BIND_ADDRESS=own)[0] == "3 2"


def test_build_without_stdio_leaves_the_consoles_uart_to_the_application(build, folder):
    (folder / "one.c").write_text(
        """
#include "wiced.h"
void application_start(void) {
    static const wiced_uart_config_t config = { .baud_rate = 115200 };
    wiced_init();
    WPRINT_APP_INFO(("printed\\n"));
    wiced_result_t result = wiced_uart_init(STDIO_UART, &config, NULL);
    wiced_uart_transmit_bytes(STDIO_UART, "begin\\n", 6);
    if (result == WICED_SUCCESS) wiced_uart_transmit_bytes(STDIO_UART, "own\\n", 4);
    wiced_uart_transmit_bytes(STDIO_UART, "end\\n", 4);
}
"""
    )
    write_makefile(folder, "GLOBAL_DEFINES := WICED_DISABLE_STDIO\n")
    program = build(folder).program

    # Nothing of what the SDK or WPRINT_APP_INFO print gets there.
    assert console_of(program, whole=True) == ["begin", "own", "end"]


def test_assertions_stop_a_debug_build_only(build, folder):
    text = PRINTS.replace('printf("begin\\n");', 'printf("begin\\n"); wiced_assert("no", 1 == 2);')
    (folder / "one.c").write_text(text)
    assert text_of(build, folder) == "plain"

    debug = build(folder, "--set", "BUILD_TYPE=debug").program

    done = subprocess.run(
        [debug], env=dict[str, str](), capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == -signal.SIGABRT
    assert "plain" not in done.stdout


def test_certificate_and_key_land_in_the_dct_with_cr_lf(build, folder, tmp_path):
    resources = tmp_path / "sdk" / "resources"
    (resources / "a.pem").write_bytes(b"first\r\nline\n")
    (resources / "b.pem").write_bytes(b"other")
    (resources / "a.key").write_bytes(b"secret")
    (folder / "one.c").write_text(PRINTS_THE_DCT)
    write_makefile(
        folder,
        "CERTIFICATE := $(SOURCE_ROOT)resources/a.pem $(SOURCE_ROOT)resources/b.pem\n"
        "PRIVATE_KEY := $(SOURCE_ROOT)resources/a.key\n",
    )

    program = build(folder).program

    expected = ["first<CR><LF>line<CR><LF>", "key secret", "second other", "ssid wwep-bench "]
    assert console_of(program) == [*expected, "end"]
    (tmp_path / "short").write_text("x")
    overridden = console_of(program, WWEP_DCT_CERTIFICATE=str(tmp_path / "short"))
    assert overridden[:3] == ["x", "key secret", "second "]


def test_changed_certificate_is_in_the_next_build(build, folder, tmp_path):
    certificate = tmp_path / "sdk" / "resources" / "a.pem"
    (folder / "one.c").write_text(PRINTS_THE_DCT)
    write_makefile(folder, "CERTIFICATE := $(SOURCE_ROOT)resources/a.pem\n")
    certificate.write_text("before")
    times = certificate.stat()
    assert text_of(build, folder) == "before"

    certificate.write_text("after.")
    os.utime(certificate, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert text_of(build, folder) == "after."


def test_certificate_that_the_dct_has_no_room_for_is_an_error(build, folder, tmp_path):
    certificate = tmp_path / "sdk" / "resources" / "a.pem"
    write_makefile(folder, "\n\nCERTIFICATE := $(SOURCE_ROOT)resources/a.pem\n")
    certificate.write_bytes(b"x" * 4094 + b"\n")

    assert build(folder).err == (
        f"{folder}/one.mk:5: CERTIFICATE: 4096 bytes with CR LF line ends, the DCT holds 4095\n"
    )
    certificate.write_bytes(b"x" * 4093 + b"\n")
    assert build(folder).code == 0


NETWORK_UP_DEFAULT = """
#include "wiced.h"
static const wiced_ip_setting_t settings = {
    INITIALISER_IPV4_ADDRESS(.ip_address, MAKE_IPV4_ADDRESS(192, 168, 0, 1)),
};
void application_start(void) {
    wiced_interface_t interface = WICED_INTERFACE_MAX;
    wiced_init(); printf("begin\\n");
    wiced_result_t result = wiced_network_up_default(&interface, &settings);
    printf("%d %d\\nend\\n", (int)result, (int)interface);
}
"""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", ["Joined lab", "IPv4 address 127.0.0.1", "0 0", "end"]),
        ("#define WICED_NETWORK_INTERFACE WICED_AP_INTERFACE\n", ["0 1", "end"]),
        ("#define WICED_NETWORK_INTERFACE WICED_ETHERNET_INTERFACE\n", ["0 3", "end"]),
    ],
)
def test_interface_of_the_wifi_header_is_the_default_one(build, folder, line, says):
    (folder / "one.c").write_text(NETWORK_UP_DEFAULT)
    (folder / "wifi_config_dct.h").write_text(
        f'#define CLIENT_AP_SSID "lab"\n#define CLIENT_AP_PASSPHRASE ""\n{line}'
    )
    write_makefile(folder, "WIFI_CONFIG_DCT_H := wifi_config_dct.h\n")

    assert console_of(build(folder).program)[-len(says) :] == says


def test_access_point_of_the_wifi_header_lands_in_the_dct(build, folder):
    (folder / "one.c").write_text(PRINTS_THE_DCT)
    (folder / "wifi_config_dct.h").write_text(
        '#define CLIENT_AP_SSID "lab"\n#define CLIENT_AP_PASSPHRASE "12345678"\n'
        "#define CLIENT_AP_SECURITY WICED_SECURITY_UNHEARD_OF\n"
    )
    write_makefile(folder, "WIFI_CONFIG_DCT_H := wifi_config_dct.h\n")

    assert "ssid lab 12345678" in console_of(build(folder).program)


def test_application_section_of_the_dct_comes_from_its_own_file(build, folder):
    (folder / "my_dct.h").write_text("typedef struct { int number; } my_dct_t;\n")
    (folder / "my_dct.c").write_text(
        '#include "wiced_framework.h"\n#include "my_dct.h"\n'
        "DEFINE_APP_DCT(my_dct_t) { .number = 42 };\n"
    )
    (folder / "one.c").write_text(
        '#include "wiced.h"\n#include "my_dct.h"\nvoid application_start(void) {\n'
        'my_dct_t* mine; wiced_init(); printf("begin\\n");\n'
        "wiced_dct_read_lock((void**)&mine, WICED_FALSE, DCT_APP_SECTION, 0, sizeof(*mine));\n"
        'printf("%d\\nend\\n", mine->number); }\n'
    )
    write_makefile(folder, "APPLICATION_DCT := my_dct.c\n")

    assert text_of(build, folder) == "42"


def resource_program(name: str, maxsize: int) -> str:
    """A program that prints a resource: its size, what it gets of it, and the byte behind it."""
    return f"""
#include "wiced.h"
#include "resources.h"
void application_start(void) {{
    uint32_t size; const void* data;
    wiced_init(); printf("begin\\n");
    resource_get_readonly_buffer(&{name}, 0, {maxsize}, &size, &data);
    printf("%lu %lu %d %.*s\\nend\\n", (unsigned long)resource_get_size(&{name}),
           (unsigned long)size, ((const char*)data)[{name}.size], (int)MIN(size, 20),
           (const char*)data);
    resource_free_readonly_buffer(&{name}, data);
}}
"""


def test_resource_is_found_beside_the_makefile_and_then_in_resources(build, folder, tmp_path):
    (folder / "one.c").write_text(resource_program("resources_apps_DIR_one_DIR_ca_pem", 100))
    write_makefile(folder, "$(NAME)_RESOURCES := apps/one/ca.pem\n")
    shared = tmp_path / "sdk" / "resources" / "apps" / "one"
    shared.mkdir(parents=True)
    (shared / "ca.pem").write_text('shared "\\?\n')
    assert text_of(build, folder) == '11 11 0 shared "\\?'

    own = folder / "apps" / "one"
    own.mkdir(parents=True)
    (own / "ca.pem").write_text("own")
    assert text_of(build, folder) == "3 3 0 own"


def test_resource_is_cut_at_maxsize_without_a_word(build, folder):
    (folder / "long.txt").write_text("0123456789" * 400)
    (folder / "one.c").write_text(resource_program("resources_long_txt", 2048))
    write_makefile(folder, "$(NAME)_RESOURCES := long.txt\n")

    assert text_of(build, folder) == "4000 2048 0 01234567890123456789"


def test_changed_resource_is_in_the_next_build(build, folder):
    (folder / "a.txt").write_text("before")
    (folder / "one.c").write_text(resource_program("resources_a_txt", 100))
    write_makefile(folder, "$(NAME)_RESOURCES := a.txt\n")
    assert text_of(build, folder) == "6 6 0 before"

    (folder / "a.txt").write_text("after.")
    assert text_of(build, folder) == "6 6 0 after."


def test_resource_that_the_sdk_would_not_embed_is_left_out_with_a_warning(build, folder):
    (folder / "a.xyz").write_text("x")
    write_makefile(folder, "$(NAME)_RESOURCES := a.xyz\n")

    result = build(folder)

    assert result.code == 0
    assert "warning:" in result.err and "the SDK embeds no .xyz files, left out" in result.err


def test_resource_whose_variable_would_be_no_c_name_is_an_error(build, folder):
    (folder / "a-b.pem").write_text("x")
    write_makefile(folder, "$(NAME)_RESOURCES := a-b.pem\n")

    assert build(folder).err == (
        f"{folder}/one.mk:3: resource a-b.pem: its variable, resources_a-b_pem, "
        "would be no C name\n"
    )


LAB_NAMES = """
#include "wiced.h"
static const wiced_ip_address_t INITIALIZER_IPV4_ADDRESS(server, MAKE_IPV4_ADDRESS(1, 2, 3, 4));
void application_start(void) {
    wiced_tcp_socket_t socket; wiced_packet_t* packet; uint8_t* data; uint16_t space;
    wiced_init();
    wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL);
    printf("begin\\n");
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    wiced_listen(&socket, 50123);
    wiced_tcp_packet_create_tcp(&socket, 5, &packet, &data, &space);
    wiced_tcp_set_data_end(packet, data);
    wiced_packet_delete(packet);
    printf("%lx %d\\nend\\n", (unsigned long)server.ip.v4, wiced_socket_delete(&socket));
}
"""


def test_names_of_the_labs_text_are_known_on_request_and_warned_about(build, folder):
    (folder / "one.c").write_text(LAB_NAMES)

    refused = build(folder)
    accepted = build(folder, "--lab-names")

    assert refused.code == 1 and "try --lab-names" in refused.err
    assert console_of(accepted.program) == ["1020304 0", "end"]
    for name in ("wiced_socket_delete", "INITIALIZER_IPV4_ADDRESS", "wiced_listen"):
        assert f"{name} is deprecated: the SDK has" in accepted.err


def test_host_name_lookup_takes_three_or_four_arguments(build, folder):
    (folder / "one.c").write_text(
        '#include "wiced.h"\nvoid application_start(void) {\n'
        "wiced_ip_address_t a, b; wiced_init();\n"
        "wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL);\n"
        'printf("begin\\n");\n'
        'int three = wiced_hostname_lookup("10.1.2.3", &a, 1000);\n'
        'int four = wiced_hostname_lookup("10.1.2.3", &b, 1000, WICED_STA_INTERFACE);\n'
        'printf("%d %d %d\\nend\\n", three, four, a.ip.v4 == b.ip.v4); }\n'
    )

    assert text_of(build, folder) == "0 0 1"


def test_renamed_folder_with_one_makefile_still_builds(build, folder):
    (folder / "one.mk").rename(folder / "other.mk")

    assert console_of(build(folder).program) == ["plain", "end"]


FORGETFUL = """
#include "wiced.h"
static wiced_tls_identity_t identity;
static linked_list_t list;
static wiced_thread_t thread;
static void thread_main( uint32_t arg )
{
    printf( "thread %u\\n", (unsigned) arg );
    printf( "end\\n" );
    WICED_END_OF_CURRENT_THREAD( );
}
void application_start( )
{
    wiced_tls_context_t context;
    wiced_init( );
    printf( "begin\\n" );
    linked_list_init( &list );
    wiced_tls_init_context( &context, &identity, NULL );
    wiced_rtos_create_thread( &thread, 7, NULL, thread_main, 6200, (void*) 5 );
}
"""


def test_sources_that_forget_the_tls_and_list_headers_compile_as_with_the_sdk(build, folder):
    (folder / "one.c").write_text(FORGETFUL)

    result = build(folder)

    assert console_of(result.program) == ["thread 5", "end"]
    assert "warning" not in result.err and "error" not in result.err


def test_calls_that_newer_compilers_refuse_are_warnings(build, folder):
    (folder / "one.c").write_text(
        '#include "wiced.h"\nstatic const char* address = 65;\n'
        "void application_start(void) { wiced_init();\n"
        'printf("begin\\n%s\\nend\\n", address != NULL ? "taken" : ""); }\n'
    )

    result = build(folder)

    assert console_of(result.program) == ["taken", "end"]
    assert "makes pointer from integer without a cast" in result.err
