"""Names of hosts: ranges, patterns of the SSH configuration, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardlake.core.errors import UsageError
from boardlake.ingest.sources.ssh.hosts import MAX_HOSTS, expand, names, option


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An SSH configuration in a home of its own, with files that it includes."""
    monkeypatch.setenv("HOME", str(tmp_path))
    ssh = tmp_path / ".ssh"
    (ssh / "conf.d").mkdir(parents=True)
    (ssh / "config").write_text(
        "# Host lab-comment\n"
        "Include conf.d/*.conf\n"
        "host lab-b  lab-a lab-b\n"
        "\tHostName 10.0.0.1\n"
        '  Host "lab-quoted" lab-* !lab-never ?x\n'
        "Host=lab-equal\n"
        "HostName lab-no-host\n"
        "Host *\n"
        "  StrictHostKeyChecking = no\n"
    )
    (ssh / "conf.d" / "1.conf").write_text(
        "Host lab-first\n  StrictHostKeyChecking yes\nHost node1 node2\n"
    )
    (ssh / "conf.d" / "not").write_text("Host lab-not-included\n")
    return "~/.ssh/config"


@pytest.mark.parametrize(
    "spec, hosts",
    [
        ("gpu", ["gpu"]),
        ("gpu[1-3]", ["gpu1", "gpu2", "gpu3"]),
        ("gpu[01-03,25]", ["gpu01", "gpu02", "gpu03", "gpu25"]),
        ("gpu[08-11].lab", ["gpu08.lab", "gpu09.lab", "gpu10.lab", "gpu11.lab"]),
        ("gpu[098-101]", ["gpu098", "gpu099", "gpu100", "gpu101"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("node:2222", ["node:2222"]),
        ("[::1]", ["[::1]"]),
        ("[fe80::1]:22", ["[fe80::1]:22"]),
    ],
)
def test_ranges(spec: str, hosts: list[str], config: str) -> None:
    """Numbers in brackets are counted, with the zeros of the first."""
    assert expand([spec], config) == hosts


def test_order_is_kept_and_each_comes_once(config: str) -> None:
    """Hosts come as they were named, at their first place."""
    assert expand(["b", "a[2-3]", "a2", "lab-a", "lab-*"], config) == [
        *("b", "a2", "a3", "lab-a"),
        *("lab-first", "lab-b", "lab-quoted", "lab-equal"),
    ]


def test_patterns_are_those_of_openssh(config: str) -> None:
    """`*` and `?` in any case, against Host lines with Include; brackets still count."""
    assert expand(["LAB-?"], config) == ["lab-b", "lab-a"]
    assert expand(["nod*[1-2]"], config) == ["node1", "node2"]
    assert "lab-not-included" not in names(config)
    assert not {"lab-*", "lab-never", "!lab-never", "*", "lab-no-host"} & {*names(config)}


def test_a_pattern_without_hosts_names_itself_and_the_file(config: str, tmp_path: Path) -> None:
    """Nothing matched is an error, as where there is no configuration at all."""
    with pytest.raises(UsageError, match=r"gpu-\*.*~/.ssh/config"):
        expand(["lab-*", "gpu-*"], config)
    with pytest.raises(UsageError, match="missing"):
        expand(["*"], str(tmp_path / "missing"))


@pytest.mark.parametrize(
    "spec",
    ["a,b", "a[1-2", "a]", "a[]", "a[x]", "a[3-1]", "a[1--2]", "a[[1-2]]", "a[1-2]b,c", "a b"]
    + [f"a[1-{MAX_HOSTS + 1}]", "a[1-101]b[1-101]", "a[0-999999999]", "a[1-9999999999]"],
)
def test_what_is_no_host_is_refused(spec: str, config: str) -> None:
    """The error says what was given, and nothing large is counted up."""
    with pytest.raises(UsageError, match="hosts: got .*expected"):
        expand([spec], config)


def test_many_ranges_are_bounded(config: str) -> None:
    """The bound is for all of them together."""
    assert len(expand([f"a[1-{MAX_HOSTS}]"], config)) == MAX_HOSTS
    with pytest.raises(UsageError, match="at most 10,000"):
        expand([f"a[1-{MAX_HOSTS}]", "b"], config)


def test_a_file_that_includes_itself(config: str, tmp_path: Path) -> None:
    """It ends, and says why."""
    (tmp_path / ".ssh" / "conf.d" / "2.conf").write_text("Include ~/.ssh/config\n")
    with pytest.raises(UsageError, match="Include"):
        expand(["lab-*"], config)


def test_options_of_a_host(config: str, tmp_path: Path) -> None:
    """The first that matches counts; blocks that cannot be judged do not."""
    name = "StrictHostKeyChecking"
    assert option(config, "lab-first", name) == "yes"
    assert option(config, "other", name) == "no"
    assert option(config, "other", "User") == ""
    other = tmp_path / "other"
    other.write_text(
        "Match exec true\n  User a\nMatch host gpu*,!gpu9\n  User b\n"
        "Host !never *\n  User c\nMatch all\n  User d\n"
    )
    assert [option(str(other), host, "User") for host in ("gpu1", "gpu9", "never")] == [
        *("b", "c", "d")
    ]
