"""Where recordings go, and which go away."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

from wwep_rig.recordings import RecordingPlace, board_log_path, prune

NOW = datetime(2030, 1, 2, 3, 4, 5)


def make_recording(folder: Path, bench: str, second: int) -> Path:
    with RecordingPlace(folder, bench, NOW.replace(second=second)) as place:
        place.path.write_text("a recording")
        place.path.with_name(place.path.name + "-wal").write_text("its log")
    return place.path


def test_name_tells_time_and_bench(tmp_path):
    with RecordingPlace(tmp_path / "new", "bench 1", NOW) as place:
        assert place.path.parent == tmp_path / "new"
        assert place.path.name.startswith("20300102-030405-bench_1-")


def test_two_recordings_of_one_second_have_two_names(tmp_path):
    with RecordingPlace(tmp_path, "sim", NOW) as first:
        with RecordingPlace(tmp_path, "sim", NOW) as second:
            assert first.path != second.path


def test_oldest_recordings_go_first_with_what_lies_beside_them(tmp_path):
    made = [make_recording(tmp_path, "sim", second) for second in range(4)]

    removed = prune(tmp_path, keep=2)

    assert removed == made[:2]
    assert sorted(tmp_path.glob("*.sqlite")) == made[2:]
    assert len(list(tmp_path.iterdir())) == 4


def test_files_that_were_named_by_hand_stay(tmp_path):
    mine = tmp_path / "before-the-change.sqlite"
    mine.write_text("a recording")
    make_recording(tmp_path, "sim", 1)
    make_recording(tmp_path, "sim", 2)

    prune(tmp_path, keep=1)

    assert mine.exists()


def test_nothing_is_removed_without_a_limit(tmp_path):
    made = [make_recording(tmp_path, "sim", second) for second in range(3)]

    assert prune(tmp_path, keep=0) == []
    assert all(path.exists() for path in made)


def test_recording_that_another_process_writes_stays(tmp_path, environment):
    hold = (
        "import sys; from datetime import datetime; from pathlib import Path\n"
        "from wwep_rig.recordings import RecordingPlace\n"
        "place = RecordingPlace(Path(sys.argv[1]), 'sim', datetime(2030, 1, 1))\n"
        "place.path.write_text('being written'); print(place.path, flush=True); sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    in_use = Path(other.stdout.readline().strip())
    make_recording(tmp_path, "sim", 1)
    make_recording(tmp_path, "sim", 2)
    try:
        prune(tmp_path, keep=1)
        assert in_use.exists()
    finally:
        other.kill()
        other.communicate()

    prune(tmp_path, keep=1)
    assert not in_use.exists()


def test_show_without_recordings_says_how_to_make_one(wwep_rig, tmp_path):
    done = wwep_rig("show", variables={"XDG_STATE_HOME": str(tmp_path / "empty")})

    assert done.code == 3
    assert "no recordings in" in done.err and "pytest" in done.err and "--record" in done.err


def test_log_of_a_simulated_board_goes_with_its_recording(tmp_path):
    made = [make_recording(tmp_path, "sim", second) for second in range(3)]
    logs = [board_log_path(path) for path in made]
    for log in logs:
        log.write_text("1 pin 0 low\n")

    prune(tmp_path, keep=1)

    assert [log.exists() for log in logs] == [False, False, True]
