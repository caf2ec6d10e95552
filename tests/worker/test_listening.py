"""Where the stats server listens, what its URL is, and its token."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from minionize.errors import SettingsError
from minionize.worker.listening import listen, token_from, url_of


def test_alone_it_listens_on_this_host_only() -> None:
    with listen(None, 0, {}) as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        assert url_of(listener, {}) == f"http://127.0.0.1:{port}"
        assert not os.get_inheritable(listener.fileno())


def test_in_a_job_it_listens_everywhere_under_the_name_of_the_host() -> None:
    environ = {"OAR_JOB_ID": "1"}
    with listen(None, 0, environ) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"
        assert url_of(listener, environ) == f"http://{os.uname().nodename}:{listener.getsockname()[1]}"


def test_a_pod_is_known_by_its_address() -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "POD_IP": "10.2.3.4"}
    with listen(None, 0, environ) as listener:
        assert url_of(listener, environ).startswith("http://10.2.3.4:")


def test_ipv6() -> None:
    try:
        listener = listen("::1", 0, {})
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with listener:
        assert url_of(listener, {}) == f"http://[::1]:{listener.getsockname()[1]}"


def test_a_port_that_is_taken_is_an_error() -> None:
    with listen(None, 0, {}) as first, pytest.raises(OSError, match="in use"):
        listen(None, first.getsockname()[1], {})


@pytest.mark.parametrize("host", ["no such host", "x" * 300, "a..b", "\0"])
def test_what_is_no_address_is_an_error_of_the_system(host: str) -> None:
    with pytest.raises(OSError, match=r"\w"):
        listen(host, 0, {})


def test_a_token_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    assert token_from(str(path)) == "s3cret"


@pytest.mark.parametrize("content", [b"", b" \n", "clé".encode(), b"two\nlines"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="--token-file") as caught:
        token_from(str(path))
    assert "lines" not in str(caught.value)


def test_a_token_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere: No such file"):
        token_from(str(tmp_path / "nowhere"))
