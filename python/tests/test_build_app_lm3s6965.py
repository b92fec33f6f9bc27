"""build-app for the LM3S6965: images, what they are made of, and how big they are."""

import os
import re
import shutil
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware-under-test"
SOURCES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "wwep-rig", "sources")
FLASH_BYTES = 0x3E000
RAM_BYTES = 64 * 1024

needs_emulator = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or not (SOURCES / "wolfssl").is_dir(),
    reason="no compiler or no sources for the emulated board: ci/setup --emulator",
)


@dataclass(frozen=True)
class Image:
    """An ELF image, as arm-none-eabi-readelf describes it."""

    segments: list[tuple[int, int]]
    sections: dict[str, int]

    @property
    def flash_bytes(self) -> int:
        return self.sections[".text"] + self.sections.get(".ARM.exidx", 0) + self.sections[".data"]

    @property
    def static_ram_bytes(self) -> int:
        return self.sections[".data"] + self.sections[".bss"]


def build_app(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FIRMWARE / "build-app", "--port", "lm3s6965", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "LC_ALL": "C", "CI": "true", **variables},
    )


def built(name: str, folder: Path, *arguments: str) -> Image:
    output = folder / f"{name}.elf"
    done = build_app(str(FIRMWARE / "apps" / name), "-o", str(output), *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(output)
    said = subprocess.run(
        ["arm-none-eabi-readelf", "-lSW", output], capture_output=True, text=True, check=True
    ).stdout
    load = re.findall(r"LOAD +0x\w+ 0x(\w+) 0x\w+ 0x\w+ 0x(\w+)", said)
    sections = re.findall(r"\] (\.\S+) +\w+ +\w+ \w+ (\w+)", said)
    return Image(
        [(int(at, 16), int(size, 16)) for at, size in load],
        {section: int(size, 16) for section, size in sections},
    )


@needs_emulator
def test_an_image_without_the_network_is_small(tmp_path: Path) -> None:
    image = built("blink", tmp_path)

    assert 4_000 < image.flash_bytes < 20_000
    assert image.static_ram_bytes < 2_000


@needs_emulator
def test_a_client_over_tls_leaves_room_in_flash_and_ram(tmp_path: Path) -> None:
    image = built("dual_client", tmp_path)

    assert 150_000 < image.flash_bytes < 200_000
    assert image.static_ram_bytes < 20_000


@needs_emulator
def test_an_application_that_uses_no_tls_has_none_in_its_image(tmp_path: Path) -> None:
    image = built("client_checked", tmp_path)

    assert 20_000 < image.flash_bytes < 70_000


@needs_emulator
def test_every_lab_program_fits(tmp_path: Path) -> None:
    """Files that a program includes or embeds are made up: they only have to be there."""
    resources = tmp_path / "sdk" / "resources" / "wwep"
    resources.mkdir(parents=True)
    for name in ("root.pem", "client.pem", "client.key", "client_root.pem"):
        (resources / name).write_text("-----BEGIN CERTIFICATE-----\n")
    (resources / "root-ca.h").write_text('static const char root_ca[] = "-----BEGIN";\n')
    names = sorted(path.parent.name for path in (FIRMWARE / "apps").glob("*/*.mk"))
    settings = ("--set", f"SOURCE_ROOT={tmp_path}/sdk/")

    with ThreadPoolExecutor(max_workers=2) as pool:
        images = dict(zip(names, pool.map(lambda name: built(name, tmp_path, *settings), names)))

    assert len(images) > 15
    for name, image in images.items():
        assert image.flash_bytes < 200_000, name
        assert image.static_ram_bytes < RAM_BYTES / 2, name


@needs_emulator
def test_no_segment_covers_the_seed_the_boot_counter_or_the_dct(tmp_path: Path) -> None:
    image = built("blink", tmp_path)

    assert image.segments
    for begin, size in image.segments:
        in_flash = begin + size <= FLASH_BYTES
        in_ram = 0x20000080 <= begin and begin + size <= 0x20000000 + RAM_BYTES
        assert in_flash or in_ram, hex(begin)


class Board:
    """An image in QEMU, without a network."""

    def __init__(
        self, image: Path, folder: Path, seed_bytes: bytes = bytes(range(64)), dct: bytes = b""
    ) -> None:
        seed = folder / "seed"
        seed.write_bytes(seed_bytes)
        self._qmp = f"{folder}/qmp"
        command = "qemu-system-arm -M lm3s6965evb -display none -monitor none -nic none".split()
        command += ["-serial", "stdio", "-qmp", f"unix:{self._qmp},server=on,wait=off"]
        command += ["-device", f"loader,file={seed},addr=0x20000000,force-raw=on"]
        if dct:
            (folder / "dct").write_bytes(dct)
            command += ["-device", f"loader,file={folder}/dct,addr=0x3E000,force-raw=on"]
        self._process = subprocess.Popen(
            [*command, "-kernel", image],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._watchdog = threading.Timer(60.0, self._process.kill)
        self._watchdog.start()

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        self._process.kill()
        self._process.communicate()

    def line_that_begins(self, begin: str) -> str:
        """The console's next line of that kind."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(begin.encode()):
                return line.decode().rstrip("\r\n")
        raise AssertionError(f"the console ended before a line with {begin!r}")

    def type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def reset(self) -> None:
        with socket.socket(socket.AF_UNIX) as qmp:
            qmp.connect(self._qmp)
            qmp.sendall(b'{"execute":"qmp_capabilities"}{"execute":"system_reset"}')
            with qmp.makefile("rb") as answers:
                while b"RESET" not in answers.readline():
                    pass


@needs_emulator
def test_the_image_boots_counts_its_boots_and_gives_its_marks_when_asked(tmp_path: Path) -> None:
    built("blink", tmp_path)

    with Board(tmp_path / "blink.elf", tmp_path) as board:
        first = board.line_that_begins("boot ")
        board.line_that_begins("ready")
        board.type("marks")
        marks = board.line_that_begins("marks: ")
        board.reset()
        second = board.line_that_begins("boot ")
        board.line_that_begins("ready")

    assert first.startswith("boot 1 since power-on; entropy: provisioned by the rig")
    assert second.startswith("boot 2 since power-on; entropy: provisioned by the rig")
    used = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", marks)}
    assert 0 < used["stack"] < used["stack_size"]
    assert 0 < used["now"] <= used["heap"] < used["heap_size"]
    assert 0 < used["main"] < used["main_size"]


@needs_emulator
def test_a_board_without_a_seed_says_so(tmp_path: Path) -> None:
    built("blink", tmp_path)

    with Board(tmp_path / "blink.elf", tmp_path, seed_bytes=bytes(64)) as board:
        said = board.line_that_begins("boot ")

    assert said == "boot 1 since power-on; entropy: none provisioned, so no TLS"


def program(folder: Path, source: str, makefile: str = "") -> Path:
    """An image of a program that stands in `source`."""
    (folder / "app").mkdir()
    (folder / "app" / "app.c").write_text(source)
    (folder / "app" / "app.mk").write_text(f"NAME := App_app\n$(NAME)_SOURCES := app.c\n{makefile}")
    done = build_app(str(folder / "app"), "-o", str(folder / "app.elf"))
    assert done.returncode == 0, done.stderr
    return folder / "app.elf"


PRINTS_THE_DCT = """
#include "wiced.h"
void application_start(void) {
    platform_dct_security_t* security;
    wiced_dct_read_lock((void**)&security, WICED_FALSE, DCT_SECURITY_SECTION, 0, sizeof(*security));
    printf("holds %.9s, %.9s\\n", security->certificate, security->private_key);
}
"""


def provisioned(certificate: bytes, private_key: bytes) -> bytes:
    return b"WWEPDCT1" + private_key.ljust(2048, b"\0") + certificate.ljust(4112, b"\0")


@needs_emulator
def test_what_a_board_was_provisioned_with_goes_before_what_the_image_brings(
    tmp_path: Path,
) -> None:
    (tmp_path / "built.pem").write_text("built-crt")
    (tmp_path / "built.key").write_text("built-key")
    makefile = f"CERTIFICATE := {tmp_path}/built.pem\nPRIVATE_KEY := {tmp_path}/built.key\n"
    image = program(tmp_path, PRINTS_THE_DCT, makefile)
    boards = {
        b"": "built-crt, built-key",
        b"no magic".ljust(6168, b"x"): "built-crt, built-key",
        provisioned(b"given-crt", b""): "given-crt, built-key",
        provisioned(b"", b"given-key"): "built-crt, given-key",
        provisioned(b"given-crt", b"given-key"): "given-crt, given-key",
    }

    for dct, holds in boards.items():
        with Board(image, tmp_path, dct=dct) as board:
            assert board.line_that_begins("holds ") == f"holds {holds}"


USES_THREADS = """
#include "wiced.h"
static wiced_semaphore_t ping, pong;
static wiced_queue_t queue;
static wiced_event_flags_t flags;
static wiced_timer_t timer;
static wiced_mutex_t mutex;
static int ticks, owner;
static void answer(uint32_t count) {
    while (count-- > 0) {
        wiced_rtos_get_semaphore(&ping, WICED_WAIT_FOREVER);
        wiced_rtos_set_semaphore(&pong);
    }
}
static void fill(uint32_t arg) {
    for (uint32_t i = 0; i < 5; ++i) {
        wiced_rtos_push_to_queue(&queue, &i, WICED_WAIT_FOREVER);
    }
}
static void own(uint32_t arg) {
    wiced_rtos_lock_mutex(&mutex);
    owner = 2;
    wiced_rtos_unlock_mutex(&mutex);
}
static void wait(uint32_t arg) { wiced_rtos_delay_milliseconds(1000000); owner = 3; }
static void tick(void* arg) { ++ticks; }
static wiced_result_t flag(void* arg) { wiced_rtos_set_event_flags(&flags, 6); return 0; }

void application_start(void) {
    wiced_thread_t thread;
    wiced_time_t before, after;
    uint32_t value, sum = 0, set = 0;
    wiced_rtos_init_semaphore(&ping);
    wiced_rtos_init_semaphore(&pong);
    wiced_time_get_time(&before);
    int result = wiced_rtos_get_semaphore(&pong, 50);
    wiced_time_get_time(&after);
    printf("time-out %d after %d\\n", result, after - before >= 50);
    wiced_rtos_create_thread(&thread, 7, "answer", answer, 2000, (void*)3);
    for (int i = 0; i < 3; ++i) {
        wiced_rtos_set_semaphore(&ping);
        sum += wiced_rtos_get_semaphore(&pong, 5000);
    }
    printf("semaphores %u, joined %d\\n", (unsigned)sum, wiced_rtos_thread_join(&thread));
    printf("deleted %d, again %d\\n", wiced_rtos_delete_thread(&thread),
           wiced_rtos_delete_thread(&thread));
    wiced_rtos_init_queue(&queue, "queue", 4, 2);
    wiced_rtos_create_thread(&thread, 3, "fill", fill, 2000, NULL);
    for (sum = 0; wiced_rtos_pop_from_queue(&queue, &value, 200) == WICED_SUCCESS;) {
        sum = sum * 10 + value;
    }
    printf("queue %u\\n", (unsigned)sum);
    wiced_rtos_delete_thread(&thread);
    wiced_rtos_init_mutex(&mutex);
    wiced_rtos_lock_mutex(&mutex);
    owner = 1;
    wiced_rtos_create_thread(&thread, 7, "own", own, 2000, NULL);
    wiced_rtos_delay_milliseconds(20);
    printf("owner %d", owner);
    wiced_rtos_unlock_mutex(&mutex);
    wiced_rtos_thread_join(&thread);
    printf(", then %d\\n", owner);
    wiced_rtos_delete_thread(&thread);
    wiced_rtos_create_thread(&thread, 7, "wait", wait, 2000, NULL);
    wiced_rtos_delay_milliseconds(1);
    printf("asleep, deleted %d, owner %d\\n", wiced_rtos_delete_thread(&thread), owner);
    wiced_rtos_init_event_flags(&flags);
    wiced_rtos_send_asynchronous_event(WICED_HARDWARE_IO_WORKER_THREAD, flag, NULL);
    result = wiced_rtos_wait_for_event_flags(&flags, 2, &set, WICED_TRUE, WAIT_FOR_ALL_EVENTS,
                                             5000);
    printf("flags %d %u\\n", result, (unsigned)set);
    wiced_rtos_init_timer(&timer, 10, tick, NULL);
    wiced_rtos_start_timer(&timer);
    while (ticks < 3) {
        wiced_rtos_delay_milliseconds(5);
    }
    wiced_rtos_stop_timer(&timer);
    result = ticks;
    wiced_rtos_delay_milliseconds(50);
    printf("ticks went on: %d\\nend\\n", ticks - result);
}
"""


@needs_emulator
def test_threads_and_what_they_wait_for_behave_as_on_the_lab_s_boards(tmp_path: Path) -> None:
    image = program(tmp_path, USES_THREADS)

    with Board(image, tmp_path) as board:
        said = [board.line_that_begins("")]
        while said[-1] != "end":
            said.append(board.line_that_begins(""))

    assert said[said.index(next(line for line in said if line.startswith("time-out"))) :] == [
        "time-out 2 after 1",
        "semaphores 0, joined 0",
        "deleted 0, again 1036",
        "queue 1234",
        "owner 1, then 2",
        "asleep, deleted 0, owner 2",
        "flags 0 6",
        "ticks went on: 0",
        "end",
    ]


READS_THE_CONSOLE = """
#include "wiced.h"
static void read_console(uint32_t wanted, uint32_t timeout_ms) {
    char text[41] = {0};
    uint32_t size = wanted;
    int result = wiced_uart_receive_bytes(STDIO_UART, text, &size, timeout_ms);
    printf("read %d: %u, %.*s\\n", result, (unsigned)size, (int)size, text);
}
void application_start(void) {
    printf("reading\\n");
    read_console(1, WICED_NEVER_TIMEOUT);
    read_console(40, 2000);
    read_console(4, WICED_NEVER_TIMEOUT);
}
"""


@needs_emulator
def test_what_the_console_reads_comes_in_chunks_and_a_late_one_is_not_lost(tmp_path: Path) -> None:
    image = program(tmp_path, READS_THE_CONSOLE)

    with Board(image, tmp_path) as board:
        board.line_that_begins("reading")
        board.type("a" + 32 * "b" + "rest")
        said = [board.line_that_begins("read ") for _ in range(3)]

    assert said == ["read 0: 1, a", f"read 2: 32, {32 * 'b'}", "read 0: 4, rest"]


CONNECTS_TO_NOBODY = """
#include "wiced.h"
static wiced_tcp_socket_t dialling;
static wiced_result_t result;
static void dial(uint32_t arg) {
    wiced_ip_address_t nobody;
    SET_IPV4_ADDRESS(nobody, MAKE_IPV4_ADDRESS(10, 0, 0, 9));
    result = wiced_tcp_connect(&dialling, &nobody, 80, WICED_NEVER_TIMEOUT);
}
void application_start(void) {
    wiced_ip_setting_t setting;
    wiced_socket_state_t state = WICED_SOCKET_CLOSED;
    wiced_thread_t thread;
    wiced_time_t before, after;
    SET_IPV4_ADDRESS(setting.ip_address, MAKE_IPV4_ADDRESS(10, 0, 0, 1));
    SET_IPV4_ADDRESS(setting.netmask, MAKE_IPV4_ADDRESS(255, 255, 255, 0));
    SET_IPV4_ADDRESS(setting.gateway, MAKE_IPV4_ADDRESS(10, 0, 0, 2));
    wiced_init();
    wiced_network_up(WICED_STA_INTERFACE, WICED_USE_STATIC_IP, &setting);
    wiced_tcp_create_socket(&dialling, WICED_STA_INTERFACE);
    wiced_rtos_create_thread(&thread, 7, "dial", dial, 2000, NULL);
    while (state != WICED_SOCKET_CONNECTING) {
        wiced_rtos_delay_milliseconds(5);
        wiced_tcp_get_socket_state(&dialling, &state);
    }
    wiced_time_get_time(&before);
    wiced_tcp_delete_socket(&dialling);
    wiced_rtos_thread_join(&thread);
    wiced_time_get_time(&after);
    printf("connected %d, by itself %d\\n", result, after - before >= 15000);
}
"""


@needs_emulator
def test_deleting_a_socket_ends_a_connect_that_waits(tmp_path: Path) -> None:
    """By itself it ends half a minute later: nobody answers, and lwIP gives up."""
    image = program(tmp_path, CONNECTS_TO_NOBODY)

    with Board(image, tmp_path) as board:
        assert board.line_that_begins("connected ") == "connected 7014, by itself 0"


@needs_emulator
def test_the_image_is_for_the_board_and_holds_the_moment_it_was_built(tmp_path: Path) -> None:
    output = tmp_path / "blink.elf"
    app = str(FIRMWARE / "apps" / "blink")
    moments = {}
    for moment in ("1700000000", "1800000000"):
        assert build_app(app, "-o", str(output), SOURCE_DATE_EPOCH=moment).returncode == 0
        moments[moment] = output.read_bytes()

    assert moments["1700000000"] != moments["1800000000"]
    assert (1700000000).to_bytes(4, "little") in moments["1700000000"]
    header = moments["1700000000"][:20]
    assert header[:4] == b"\x7fELF" and header[18] == 40, "not an ELF file for ARM"


@needs_emulator
def test_a_bad_build_date_is_an_error_that_names_it() -> None:
    done = build_app(str(FIRMWARE / "apps" / "blink"), SOURCE_DATE_EPOCH="yesterday")

    assert done.returncode == 1
    assert done.stdout == ""
    assert "SOURCE_DATE_EPOCH: 'yesterday'" in done.stderr


def test_missing_sources_are_an_error_that_names_the_remedy(tmp_path: Path) -> None:
    done = build_app(str(FIRMWARE / "apps" / "blink"), XDG_CACHE_HOME=str(tmp_path))

    assert done.returncode == 1
    assert done.stdout == ""
    assert f"{tmp_path}/wwep-rig/sources/lwip: no such folder; ci/setup --emulator" in done.stderr


@needs_emulator
def test_a_second_build_takes_the_libraries_from_the_cache(tmp_path: Path) -> None:
    built("blink", tmp_path)

    done = build_app(str(FIRMWARE / "apps" / "blink"), "-o", str(tmp_path / "again.elf"))

    assert done.returncode == 0
    assert "building" not in done.stderr
