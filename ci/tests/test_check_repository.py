"""The repository checker goes red for keys, certificates, binaries and paths of one machine."""

import subprocess
from pathlib import Path

import pytest
from check_repository import check

BASE64_LINE = "MIIB" * 16


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty git repository."""
    root = tmp_path / "somewhere" / "checkout"
    root.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    return root


FORBIDDEN = {
    "a key in PEM": f"-----BEGIN PRIVATE KEY-----\n{BASE64_LINE}\n",
    "a certificate in PEM": f"-----BEGIN CERTIFICATE-----\n{BASE64_LINE}\n",
    "a certificate in a C string": f'"-----BEGIN CERTIFICATE-----\\n"\n"{BASE64_LINE}\\n"\n',
    "a certificate as a C array": "unsigned char der[] = {0x30, " + "0x82, 0x01, 0x0a};\n",
    "a binary": "\x7fELF\0\0",
    "somebody's folder": "see /home/" + "somebody/notes\n",
    "root's folder": "see /ro" + "ot/.cache\n",
    "a script that cannot be run": "#!/bin/sh\n",
    "a file without measure": "x" * (512 * 1024 + 1),
}


@pytest.mark.parametrize("text", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_what_is_forbidden_is_found_once(repository: Path, text: str) -> None:
    (repository / "file.txt").write_text(text)

    findings = check(repository)

    assert len(findings) == 1
    assert findings[0].startswith("file.txt")


def test_committed_file_is_looked_at_too(repository: Path) -> None:
    (repository / "server.pem").write_text("")
    subprocess.run(["git", "-C", str(repository), "add", "-f", "server.pem"], check=True)

    assert len(check(repository)) == 1


def test_ignored_file_is_not_looked_at(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.pem\n")
    (repository / "server.pem").write_text(FORBIDDEN["a key in PEM"])

    assert check(repository) == []


def test_place_of_the_checkout_is_found(repository: Path) -> None:
    (repository / "a.txt").write_text(f"see {repository}/build\n")
    (repository / "b.txt").write_text(f"\nsee {repository.parent}/notes\n")

    assert [finding.split(" ")[0] for finding in check(repository)] == ["a.txt:1:", "b.txt:2:"]


def test_link_out_of_the_repository_is_found(repository: Path) -> None:
    (repository / "inside").symlink_to(".")
    (repository / "outside").symlink_to("../elsewhere")

    assert [finding.split(":")[0] for finding in check(repository)] == ["outside"]


def test_folder_of_an_example_is_fine(repository: Path) -> None:
    (repository / "file.txt").write_text("ready root=/home/me/.local/state/root.pem\n")

    assert check(repository) == []


def test_text_that_only_names_the_marker_is_fine(repository: Path) -> None:
    (repository / "parse.py").write_text('MARKER = "-----BEGIN CERTIFICATE-----"\n')

    assert check(repository) == []
