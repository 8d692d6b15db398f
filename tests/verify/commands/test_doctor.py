"""doctor: what is installed, and whose it is."""

import base64
import hashlib

import numpy as np
import pytest

from tests.command_line import answer, run


def installation(folder, content, monkeypatch, rival=False):
    """A folder on the path where sgm-bounds, and perhaps a rival, claim the package verify."""
    digest = hashlib.sha256(b"ours").digest()
    value = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    claims = {"sgm_bounds": ("sgm-bounds", f"verify/__init__.py,sha256={value},4\n")}
    if rival:
        claims["verify"] = ("verify", "verify/__init__.py,,\n")
    for stem, (name, record) in claims.items():
        info = folder / f"{stem}-1.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.1\n")
        (info / "top_level.txt").write_text("verify\n")
        (info / "RECORD").write_text(record)
    (folder / "verify").mkdir()
    (folder / "verify" / "__init__.py").write_bytes(content)
    monkeypatch.syspath_prepend(folder)


def finding(document, name):
    """One line of what doctor found."""
    return next(check for check in document["checks"] if check["name"] == name)


def test_doctor_lists_versions_and_finds_nothing_wrong():
    """Here everything needed is installed and the packages are this project's."""
    document = answer("doctor")
    assert document["ok"]
    assert finding(document, "numpy")["found"] == np.__version__
    assert finding(document, "click")["ok"] and finding(document, "package verify")["ok"]
    assert "numpy" in run("doctor").stdout


def test_doctor_accepts_an_installation_that_is_as_recorded(tmp_path, monkeypatch):
    """Files with the recorded hashes and no other owner are fine."""
    installation(tmp_path, b"ours", monkeypatch)
    document = answer("doctor")
    assert finding(document, "sgm-bounds")["found"] == "1.1" and finding(document, "package verify")["ok"]


@pytest.mark.parametrize(("content", "rival"), [(b"theirs", False), (b"ours", True), (b"theirs", True)])
def test_doctor_finds_packages_overwritten_by_another_project(content, rival, tmp_path, monkeypatch):
    """A changed file, or another project that claims the package, is named and exits 2."""
    installation(tmp_path, content, monkeypatch, rival)
    check = finding(answer("doctor", code=2), "package verify")
    assert not check["ok"]
    assert ("also claimed by verify" in check["found"]) == rival
    assert ("changed since installation: verify/__init__.py" in check["found"]) == (content != b"ours")
    result = run("doctor")
    assert result.exit_code == 2 and "WRONG" in result.stdout
