"""The templates of ci/workflows: sound YAML that asks for what the command and the plugin have."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import]

from tests.conftest import COMMAND

FOLDER = Path(__file__).parents[2] / "ci" / "workflows"

JUNIT = (
    "<testsuites><testsuite><properties><property name='rig_verdict' value='{}'/></properties>"
    "</testsuite></testsuites>"
)


def load(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def github_steps() -> list[dict[str, Any]]:
    steps = load("github.yml")["jobs"]["scenarios"]["steps"]
    assert isinstance(steps, list)
    return steps


def gitlab_job() -> dict[str, Any]:
    job = load("gitlab.yml")["rig scenarios"]
    assert isinstance(job, dict)
    return job


def test_github_job_has_the_rig_to_itself_and_is_never_broken_off():
    workflow = load("github.yml")

    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert workflow["concurrency"]["group"].startswith("rig-")
    assert workflow["permissions"] == {"contents": "read"}
    job = workflow["jobs"]["scenarios"]
    assert job["runs-on"][:2] == ["self-hosted", "wwep-rig"] and len(job["runs-on"]) == 3
    assert job["timeout-minutes"] > 0
    # YAML 1.1 reads the key `on` as true.
    assert "pull_request" not in workflow[True]


def test_github_steps_keep_what_is_needed_and_leave_the_bench_safe():
    steps = github_steps()
    assert all(("uses" in step) != ("run" in step) for step in steps)
    by_name = {step["name"]: step for step in steps if "name" in step}

    assert by_name["Verdict"]["if"] == "${{ !cancelled() }}"
    assert by_name["Let the buttons go"]["if"] == "always()"
    kept = by_name["Keep recordings and report"]
    assert kept["if"] == "failure()" and kept["uses"].startswith("actions/upload-artifact@")
    environment = load("github.yml")["jobs"]["scenarios"]["env"]
    assert kept["with"]["path"].rstrip("/") == environment["WWEP_RIG_RECORD"]
    assert f"--junitxml={environment['WWEP_RIG_RECORD']}/" in by_name["Scenarios"]["run"]


def test_gitlab_job_has_the_rig_to_itself_and_tries_again_only_after_rig_errors():
    job = gitlab_job()

    assert job["resource_group"].startswith("rig-") and job["interruptible"] is False
    assert job["tags"][0] == "wwep-rig"
    assert job["retry"] == {"max": 1, "exit_codes": [3]}
    assert job["after_script"] == ["wwep-rig release"]
    assert job["artifacts"]["when"] == "always"
    folder = job["variables"]["WWEP_RIG_RECORD"]
    assert job["artifacts"]["paths"] == [f"{folder}/"]
    assert job["artifacts"]["reports"]["junit"] == f"{folder}/report.xml"


def test_templates_use_verbs_options_and_variables_that_exist(wwep_rig):
    job = gitlab_job()
    lines = [step["run"] for step in github_steps() if "run" in step]
    lines += job["script"] + job["after_script"]
    commands = [shlex.split(line) for line in lines if line.startswith("wwep-rig ")]
    assert len(commands) == 8
    for _, verb, *rest in commands:
        teaches = wwep_rig(verb, "--help")
        assert teaches.code == 0, verb
        assert all(word in teaches.out for word in rest if word.startswith("--"))
    named = set(load("github.yml")["jobs"]["scenarios"]["env"]) | set(job["variables"])
    plugin = (FOLDER.parents[1] / "python" / "wwep_rig" / "pytest_plugin.py").read_text()
    known = set(re.findall(r'^    "(rig_\w+)":', plugin, re.MULTILINE))
    assert {name.removeprefix("WWEP_").lower() for name in named} <= known


@pytest.mark.parametrize(
    ("verdict", "pytest_exits", "job_exits"),
    [("good", 0, 0), ("good", 1, 1), ("target-failed", 1, 1), ("rig-error", 1, 3)],
)
def test_gitlab_job_ends_with_the_verdict_else_with_pytests_own_word(
    tmp_path, environment, verdict, pytest_exits, job_exits
):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in {
        "pytest": f'mkdir -p rig-artefacts; echo "{JUNIT.format(verdict)}" '
        f">rig-artefacts/report.xml; exit {pytest_exits}",
        "wwep-rig": f'exec {sys.executable} -c {shlex.quote(COMMAND)} "$@"',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    lines = [line for line in gitlab_job()["script"] if not re.search("doctor|flash", line)]

    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=tmp_path,
        env={**environment, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == job_exits, done.stderr
    assert done.stdout == f"{verdict}\n"
