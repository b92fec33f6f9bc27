"""The page of a recording, in a real browser: it loads, zooms, and leads to what failed."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from tests.made_presses import MadeRecording
from wwep_rig.recorded import RecordedRun
from wwep_rig.report import write_report

NASTY = "</script><img src=x onerror=\"document.title='run'\">"


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium without a window."""
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Of a run with forty presses, two of which failed, in two tests."""
    made = MadeRecording(tmp_path_factory.mktemp("report") / "run.sqlite", floor=True)
    for number in range(40):
        test_began = made.now_ns
        failing = number in (17, 31)
        made.press(button=number % 2, frame_ms=None if failing else 2.0 + number / 10)
        if number == 17:
            made.test(f"test_it.py::test_odd[{NASTY}]", "failed", test_began)
        if number == 20:
            made.test("test_it.py::test_even", "passed", test_began)
    made.insert("console", at_ns=made.now_ns, text=NASTY)
    made.insert("faults", at_ns=made.now_ns, connection_id=3, name="late")
    recording = made.close()
    return write_report(RecordedRun(recording), recording.with_suffix(".html"))


@pytest.fixture
def opened(browser, page):
    """The browser with the page in it, fresh."""
    browser.get("about:blank")
    browser.get(page.as_uri())
    wait_for(lambda: browser.execute_script("return document.body.dataset.drawn") == "yes")
    return browser


def wait_for(found: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + 20
    while not found():
        assert time.monotonic() < give_up_at, "the page did not come to it"
        time.sleep(0.02)


def errors(browser: webdriver.Chrome) -> list[dict[str, object]]:
    """What the page and what it is not allowed to do have said on the console."""
    return [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def shown_s(browser: webdriver.Chrome) -> tuple[float, float]:
    """The stretch of time that the timeline shows, in seconds."""
    box = browser.find_element(By.ID, "picture")
    start, end = (float(str(box.get_attribute(f"data-{name}"))) for name in ("from", "to"))
    return start / 1e6, end / 1e6


def test_page_loads_without_an_error_and_without_the_network(opened):
    text = opened.find_element(By.TAG_NAME, "body").text

    assert errors(opened) == []
    assert opened.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert opened.title.startswith("The target failed: sim: run.sqlite")  # no text ran as a script
    assert "40 presses: 2 failed, 38 good" in text and "2 tests, 1 not passed" in text
    for words in ("p99 of 1000 over button0:led0", "TLS_AES_128_GCM_SHA256", "late", "dual_client"):
        assert words in text
    assert NASTY in text  # the name of a test, as it is
    rows = opened.find_elements(By.CSS_SELECTOR, "#rows tbody tr")
    assert [row.get_attribute("id") for row in rows[:3]] == ["press-18", "press-32", "press-1"]
    assert len(rows) == 40


def test_latencies_have_histograms_with_the_rigs_floor_marked(opened):
    figures = opened.find_elements(By.CSS_SELECTOR, "#histograms figure")
    assert [figure.text.split("\n")[0] for figure in figures] == [
        "press → LED",
        "press → frame",
        "frame → reply",
        "handshake",
    ]
    bars = figures[1].find_elements(By.CSS_SELECTOR, ".bar")
    counted = opened.execute_script(
        "return d3.select(arguments[0]).selectAll('.bar').data().map((bin) => bin.length)",
        figures[1],
    )
    assert sum(counted) == 38 and len(bars) == len(counted) > 5
    assert figures[0].find_element(By.CSS_SELECTOR, ".floor-name").text == "rig floor"
    assert not figures[2].find_elements(By.CSS_SELECTOR, ".floor")


def test_timeline_zooms_and_moves_by_mouse_and_keyboard(opened):
    whole = shown_s(opened)
    picture = opened.find_element(By.ID, "picture")
    canvas = picture.find_element(By.TAG_NAME, "canvas")

    ActionChains(opened).move_to_element(canvas).perform()
    opened.execute_script(
        "const box = arguments[0].getBoundingClientRect();"
        "arguments[0].dispatchEvent(new WheelEvent('wheel', {deltaY: -300, bubbles: true,"
        " cancelable: true, clientX: box.left + box.width / 2, clientY: box.top + 20}));",
        canvas,
    )
    by_wheel = shown_s(opened)
    assert whole[0] < by_wheel[0] < by_wheel[1] < whole[1]

    ActionChains(opened).drag_and_drop_by_offset(canvas, 150, 0).perform()
    dragged = shown_s(opened)
    assert dragged[0] < by_wheel[0] and dragged[1] - dragged[0] == pytest.approx(
        by_wheel[1] - by_wheel[0]
    )

    picture.send_keys("0")
    assert shown_s(opened) == pytest.approx(whole)
    picture.send_keys("++")
    closer = shown_s(opened)
    picture.send_keys(Keys.ARROW_RIGHT)
    moved = shown_s(opened)
    picture.send_keys("-")
    assert closer[1] - closer[0] < (whole[1] - whole[0]) / 2
    assert moved[0] > closer[0]
    assert shown_s(opened)[1] - shown_s(opened)[0] > closer[1] - closer[0]


def test_a_failing_press_is_found_by_its_link(opened):
    opened.find_element(By.CSS_SELECTOR, "#failures a[href='#press-32']").click()
    wait_for(lambda: opened.find_elements(By.CSS_SELECTOR, "tr.chosen"))

    row = opened.find_element(By.ID, "press-32")
    detail = opened.find_element(By.CSS_SELECTOR, "#press-32 + tr.detail").text
    at_s = float(row.find_elements(By.TAG_NAME, "td")[1].text)
    assert "chosen" in str(row.get_attribute("class")) and "no frame came" in row.text
    assert "0.000 ms button1 press 32: button1 asserted (ideal)" in detail
    assert "led1 goes" in detail and "connection" not in detail
    assert shown_s(opened)[0] < at_s < shown_s(opened)[1] < at_s + 0.05
    top, bottom, height = opened.execute_script(
        "const box = arguments[0].getBoundingClientRect();"
        "return [box.top, box.bottom, innerHeight]",
        row,
    )
    assert 0 <= top < bottom <= height

    opened.find_element(By.CSS_SELECTOR, "#state option[value='good']").click()
    assert len(opened.find_elements(By.CSS_SELECTOR, "#rows tbody tr")) == 38
    opened.execute_script("location.hash = 'press-18'")  # one that the list does not show now
    wait_for(lambda: opened.find_elements(By.CSS_SELECTOR, "#press-18.chosen"))


GROUND = """
const canvas = document.querySelector("#picture canvas");
const [red, green, blue] = canvas.getContext("2d").getImageData(canvas.width - 1, 1, 1, 1).data;
return [getComputedStyle(document.body).backgroundColor, `rgb(${red}, ${green}, ${blue})`];
"""


def test_page_is_light_or_dark_as_the_reader_wants_and_prints_on_white(opened):
    def prefer(scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})

    prefer("light")
    wait_for(lambda: set(opened.execute_script(GROUND)) == {"rgb(255, 255, 255)"})
    prefer("dark")
    wait_for(lambda: set(opened.execute_script(GROUND)) == {"rgb(20, 24, 29)"})
    try:
        opened.execute_script(
            "addEventListener('beforeprint', () => {"
            f" document.printed = (() => {{{GROUND}}})(); }})"
        )
        pdf = opened.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
        assert opened.execute_script("return document.printed")[1] == "rgb(255, 255, 255)"
        assert len(pdf) > 10_000
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        nav = opened.find_element(By.TAG_NAME, "nav")
        assert not nav.is_displayed() and opened.find_element(By.ID, "failures").is_displayed()
    finally:
        prefer("light")


def test_ten_thousand_round_trips_make_a_page_below_two_megabytes(tmp_path, browser):
    made = MadeRecording(tmp_path / "many.sqlite")
    for number in range(10_000):
        made.press(
            button=number % 2,
            led_ms=0.1 + number * 7919 % 1000 / 500,
            frame_ms=2.0 + number * 104_729 % 1000 / 300,
            every_ms=20 + number * 1_299_709 % 1000 / 1000,
        )
    page = write_report(RecordedRun(made.close()), tmp_path / "many.html")

    assert page.stat().st_size < 2_000_000
    browser.get(page.as_uri())
    wait_for(lambda: browser.execute_script("return document.body.dataset.drawn") == "yes")
    assert browser.find_element(By.ID, "shown").text == "200 of 10000 shown"
    assert errors(browser) == []


def test_report_of_one_test_has_its_presses_only(page, wwep_rig, tmp_path):
    recording = Path(page).with_suffix(".sqlite")
    output = tmp_path / "one.html"

    done = wwep_rig(
        *("report", str(recording), "--test", "test_it.py::test_even", "-o", str(output), "--json")
    )
    other = wwep_rig("report", str(recording), "--test", "test_it.py::test_missing")
    default = wwep_rig("report", str(recording))

    value = json.loads(done.out)
    assert value["report"] == str(output) and value["bytes"] == output.stat().st_size
    text = output.read_text()
    assert "1 press: 1 good" in text and '<span id="verdict">Good</span>' in text
    assert other.code == 3 and "it has no test test_it.py::test_missing" in other.err
    assert default.out == f"{recording}.html\n" and Path(f"{recording}.html").is_file()
