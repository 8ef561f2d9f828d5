"""`.ci/offline` takes the network from a command, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from course_lib.lessons import root

OFFLINE = root() / ".ci" / "offline"
PROBE = """
import os, socket
with socket.create_server(("localhost", 0)) as server:
    socket.create_connection(server.getsockname(), timeout=10).close()
print(os.getuid(), os.getgid(), *(name for _, name in socket.if_nameindex()))
try:
    socket.create_connection(("192.0.2.1", 9), timeout=10)  # an address for documentation
except OSError as error:
    print(error.strerror)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")


def offline(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, OFFLINE, *command], capture_output=True, text=True, check=False
    )


def test_a_command_has_loopback_alone_and_its_own_user() -> None:
    done = offline(sys.executable, "-c", PROBE)
    if done.returncode == 125:
        assert done.stderr.startswith("The network cannot be cut off here: ")
        pytest.skip(done.stderr.strip())
    assert done.stdout == f"{os.getuid()} {os.getgid()} lo\nNetwork is unreachable\n"


def test_the_status_is_the_commands() -> None:
    done = offline("sh", "-c", "exit 7")
    assert done.returncode in (7, 125)
    assert done.stdout == ""


def test_what_cannot_be_run_is_said() -> None:
    done = offline("no-such-command")
    assert done.returncode in (125, 127)
    assert "no-such-command cannot be run" in done.stderr or done.returncode == 125
    assert "COMMAND" in offline().stderr
