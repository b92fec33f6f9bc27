"""`wwep-rig run --app`, and benches whose target is built of an application."""

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware-under-test"

PRESSES = """
#include "wiced.h"
static wiced_semaphore_t pressed;
static void on_press(void* arg) { wiced_rtos_set_semaphore(&pressed); }
void application_start(void) {
    wiced_init();
    wiced_rtos_init_semaphore(&pressed);
    wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, on_press, NULL);
    WPRINT_APP_INFO((TEXT "\\n"));
    for (int count = 1;; ++count) {
        wiced_rtos_get_semaphore(&pressed, WICED_WAIT_FOREVER);
        if (count % 2) wiced_gpio_output_high(WICED_LED1); else wiced_gpio_output_low(WICED_LED1);
        WPRINT_APP_INFO(("press %d\\n", count));
    }
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An application that counts presses; what it says when it is up is a setting."""
    made = tmp_path / "counts"
    made.mkdir()
    (made / "counts.c").write_text('#ifndef TEXT\n#define TEXT "counting"\n#endif\n' + PRESSES)
    (made / "counts.mk").write_text("NAME := App_counts\n$(NAME)_SOURCES := counts.c\n")
    return made


@pytest.fixture(autouse=True)
def cache(monkeypatch, environment, tmp_path_factory):
    """Builds of these tests go where all tests share them."""
    monkeypatch.setitem(
        environment, "XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache")
    )


def lines_until(process, text: str) -> list[str]:
    """The lines of a process up to the one with `text` in it."""
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if text in line:
            return lines
    raise AssertionError(f"no {text!r} in {lines}: {process.stderr.read()}")


def write_bench(tmp_path, target: str) -> str:
    """A simulated bench with these lines in [target]; its path."""
    path = tmp_path / "benches" / "own.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'[bench]\nname = "own"\nkind = "sim"\n[target]\n{target}\n')
    return str(path)


def test_run_shows_console_led_and_transaction_until_it_is_interrupted(start):
    process = start("run", "--app", str(FIRMWARE / "apps/client_streams"), "--press", "button0")

    lines = lines_until(process, "→ A0003050001")
    if "sent" not in "".join(lines):
        lines += lines_until(process, "sent")
    process.send_signal(signal.SIGINT)

    rest, errors = process.communicate(timeout=20)
    shown = "\n".join(lines) + rest
    assert process.returncode == 0
    assert re.search(r"^running plain=127\.[0-9.]+:27708 tls=127\.[0-9.]+:40508$", shown, re.M)
    assert re.search(r"console +ready$", shown, re.M)
    assert re.search(r"button +button0 pressed$", shown, re.M)
    assert re.search(r"led +led0 on$", shown, re.M)
    assert re.search(r"console +sent W0003050001$", shown, re.M)
    assert errors.splitlines()[0] == f"building {FIRMWARE / 'apps/client_streams'}"


def test_run_presses_what_standard_input_names(start, folder):
    process = start("run", "--app", str(folder), "--ready", "counting", stdin=subprocess.PIPE)
    lines_until(process, "running")

    process.stdin.write("0\n")
    process.stdin.flush()
    lines_until(process, "press 1")
    process.stdin.write("nothing\nbutton0\n")
    process.stdin.flush()
    lines_until(process, "press 2")

    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "no button 'nothing' on bench sim: button0, button1" in errors


def test_application_that_serves_is_told_where_and_answers(start, wwep_rig, tmp_path):
    bench = write_bench(
        tmp_path,
        f'role = "server"\napp = "{FIRMWARE}/apps/server_table"\nready = "listening: 0"\n'
        "serves = { plain_port = 27708, tls_port = 0 }",
    )
    app = ("--app", str(FIRMWARE / "apps/server_table"), "--ready", "listening: 0")
    process = start("run", *app, "--bench", bench)

    address = re.fullmatch(r"running plain=(\S+):27708", lines_until(process, "running")[-1])

    assert address is not None
    done = wwep_rig("write", "0FAC", "0B", "1234", "--host", address[1])
    assert (done.code, done.out) == (0, "A0FAC0B1234\n")
    lines_until(process, "0FAC")


def test_run_in_json_is_one_object_a_line(start, folder):
    presses = ("--press", "button0", "--press", "0")
    process = start("run", "--app", str(folder), "--json", *presses)

    events = [json.loads(line) for line in lines_until(process, "press 2")]

    assert {"running", "target", "press", "edge", "console"} == {each["event"] for each in events}


def test_setting_reaches_the_build(start, folder):
    process = start("run", "--app", str(folder), "--set", 'TEXT="hello"')

    assert lines_until(process, "hello")


def test_press_waits_for_the_text_that_says_the_application_is_up(start, folder):
    process = start("run", "--app", str(folder), "--ready", "counting", "--press", "button0")

    lines = lines_until(process, "press 1")

    up = next(number for number, line in enumerate(lines) if line.endswith("counting"))
    pressed = next(number for number, line in enumerate(lines) if "pressed" in line)
    assert up < pressed


def test_run_ends_after_the_time_asked_for(wwep_rig, folder):
    began = time.monotonic()

    done = wwep_rig("run", "--app", str(folder), "--for", "0.3")

    assert done.code == 0
    assert time.monotonic() - began > 0.3


def test_application_that_does_not_build_is_the_targets_failure(wwep_rig, folder):
    (folder / "counts.c").write_text("int application_start(void) { return 1 }\n")

    done = wwep_rig("run", "--app", str(folder))

    assert done.code == 1
    assert "counts.c:1" in done.err
    assert f"{folder} does not build: the compiler found errors" in done.err.splitlines()[-1]
    assert done.out == ""


def test_compilers_warnings_are_shown_and_do_not_stop_the_run(wwep_rig, folder):
    source = (folder / "counts.c").read_text()
    (folder / "counts.c").write_text(source.replace("wiced_init();", "int idle; wiced_init();"))

    done = wwep_rig("run", "--app", str(folder), "--for", "0.1")

    assert done.code == 0
    assert "unused variable" in done.err


def test_application_that_ends_by_itself_is_the_targets_failure(wwep_rig, folder):
    (folder / "counts.c").write_text(
        '#include "wiced.h"\n#include <stdlib.h>\n'
        "void application_start(void) { wiced_init(); exit(7); }\n"
    )

    done = wwep_rig("run", "--app", str(folder), "--for", "5")

    assert done.code == 1
    assert "status 7" in done.err and done.err.splitlines()[-1].strip()


def test_what_happens_last_is_shown_and_a_rig_error_is_the_rigs(wwep_rig, tmp_path):
    flood = str(FIRMWARE / "apps/edge_flood")

    done = wwep_rig("run", "--app", flood, "--press", "button0", "--for", "4")

    assert done.code == 3, done.out[-500:] + done.err[-500:]
    assert "edges were lost between the board and the rig" in done.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--app", "nowhere"), "nowhere"),
        (("--app", ".", "--set", "1=2"), "NAME=VALUE"),
        ((), "--app"),
    ],
)
def test_wrong_usage_exits_with_2(wwep_rig, arguments, text):
    done = wwep_rig("run", *arguments)

    assert done.code == 2
    assert text in done.err


@pytest.mark.parametrize("button", ["button7", "7", "nosuch"])
def test_button_that_the_bench_lacks_is_named_before_anything_is_made(
    wwep_rig, folder, tmp_path, button
):
    arguments = ("--app", str(folder), "--press", button, "--record", "out.db")

    done = wwep_rig("run", *arguments)

    assert done.code == 2
    assert f"no button {button!r} on bench sim: button0, button1" in done.err
    assert "building" not in done.err
    assert not (tmp_path / "out.db").exists()


def test_folder_without_a_makefile_is_no_bench_and_named(wwep_rig, tmp_path):
    (tmp_path / "empty").mkdir()

    done = wwep_rig("run", "--app", "empty")

    assert done.code == 4
    assert "empty.mk" in done.err


def test_missing_compiler_is_no_bench_and_names_the_package(wwep_rig, folder):
    done = wwep_rig("run", "--app", str(folder), variables={"CC": "no-such-compiler"})

    assert done.code == 4
    assert "no-such-compiler" in done.err and "gcc" in done.err


def test_board_that_is_no_process_takes_no_application(wwep_rig, folder):
    wwep_rig("bench", "new", "wired", "--kind", "board")

    done = wwep_rig("run", "--app", str(folder), "--bench", "wired")

    assert done.code == 4
    assert "kinds sim, kernel and emulator only" in done.err


SCENARIO = """
def test_press_reaches_the_application(bench, recording):
    bench.start_press("button0")
    recording.wait_for_console("press 1", timeout_s=20)
    assert bench.firmware.startswith("counts sha256:")
"""


def test_bench_files_application_is_built_from_beside_the_file(run_pytest, folder, tmp_path):
    source = (folder / "counts.c").read_text()
    (folder / "counts.c").write_text(source.replace("wiced_init();", "int idle; wiced_init();"))
    bench = write_bench(
        tmp_path,
        'app = "../counts"\nready = "going"\napp_settings = { TEXT = "\\"going\\"" }',
    )

    done = run_pytest(SCENARIO, f"--rig-bench={bench}")

    assert done.code == 0, done.out + done.err
    assert done.out.splitlines()[-1] == "rig: good"
    # Past pytest's capture, which would keep it to itself.
    assert f"building {folder}" in done.err
    assert "unused variable" in done.err


def test_bench_files_application_that_does_not_build_fails_the_tests(run_pytest, folder, tmp_path):
    (folder / "counts.c").write_text("void application_start(void) { return }\n")
    bench = write_bench(tmp_path, 'app = "../counts"')

    done = run_pytest(SCENARIO, f"--rig-bench={bench}")

    assert done.code == 1
    assert "1 failed" in done.out
    assert f"{folder} does not build: the compiler found errors" in done.out
    assert done.out.splitlines()[-1] == "rig: target-failed"


def test_bench_whose_application_is_not_there_is_no_bench(wwep_rig, tmp_path):
    bench = write_bench(tmp_path, 'app = "nowhere"')

    done = wwep_rig("press", "button0", "--bench", bench)

    assert done.code == 4
    assert f"{tmp_path}/benches/nowhere: no such folder" in done.err


def test_names_of_the_labs_text_are_asked_for_by_the_bench_file(wwep_rig, folder, tmp_path):
    source = (folder / "counts.c").read_text()
    lab = "static wiced_tcp_socket_t unused;\nvoid never(void) { wiced_socket_delete(&unused); }\n"
    (folder / "counts.c").write_text(source.replace('wiced.h"\n', f'wiced.h"\n{lab}'))
    arguments = ("--timeout", "0.1", "--bench")

    without = wwep_rig("press", "button0", *arguments, write_bench(tmp_path, 'app = "../counts"'))
    with_them = write_bench(tmp_path, 'app = "../counts"\napp_lab_names = true')
    done = wwep_rig("press", "button0", *arguments, with_them)

    assert "--lab-names" in without.err
    assert "wiced_socket_delete is deprecated" in done.err
