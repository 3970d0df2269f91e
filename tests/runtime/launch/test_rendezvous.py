"""The nodes meet before the ranks start: at a free port, a taken one, out of reach, and with a node that is unfit."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from trainwright.runtime.preflight import rendezvous
from trainwright.runtime.preflight.rendezvous import NodeReport, PortTakenError, Timeouts, report_to_first_node, serve
from trainwright.spec.exit_codes import Exit
from trainwright.spec.listening import listening_socket
from trainwright.tests.compiler.specs import unit


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def node(tmp_path: Path, port: int):
    """Start the check as node.sh does, with less patience."""

    def start(
        rank: int, nodes: int = 2, wait: float = 30, at: int = port, spec: str = "tiny-cpu"
    ) -> subprocess.Popen[str]:
        bundle = tmp_path / spec
        bundle.mkdir(exist_ok=True)
        (bundle / "plan.json").write_text(unit(spec).plan.model_dump_json())
        places = [f"--bundle={bundle}", f"--run={tmp_path}", "--address=localhost", f"--port={at}"]
        numbers = [f"--rank={rank}", f"--nodes={nodes}", "--port-seconds=1", f"--nodes-seconds={wait}"]
        words = [sys.executable, "-m", "trainwright.runtime.preflight.rendezvous_main", *places, *numbers]
        return subprocess.Popen(words, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def answers(*nodes: subprocess.Popen[str]) -> list[tuple[int, str, str]]:
    """Exit code, output and errors of each."""
    texts = [process.communicate(timeout=60) for process in nodes]
    return [(process.returncode, *text) for process, text in zip(nodes, texts, strict=True)]


def test_three_nodes_meet(node, port: int) -> None:
    """The last may come first; the first node says it for all, and the port can be taken at once."""
    nodes = [node(rank, 3) for rank in (2, 1, 0)]
    said = f"pass  port  {port} on localhost: free, 3 nodes met there\n"
    assert answers(*nodes) == [(0, "", ""), (0, "", ""), (0, said, "")]
    with socket.socket() as strict:  # without SO_REUSEADDR
        strict.bind(("", port))


def test_one_node_needs_a_free_port_only(node, port: int) -> None:
    """Nobody has to come."""
    assert answers(node(0, 1)) == [(0, f"pass  port  {port} on localhost: free\n", "")]


def test_a_taken_port_fails_on_both_nodes(node, port: int) -> None:
    """Another program has it: exit 2, and how to find out who; the others do not take its silence for us."""
    with socket.create_server(("", port)):
        first, second = answers(node(0), node(1))
    assert (first[0], second[0]) == (Exit.INPUT, Exit.INPUT)
    assert "another program has it\n            an earlier run may still hold it; find it with: ss -ltnp" in first[1]
    assert "another program answers" in second[1]
    assert (first[2], second[2]) == ("", "")


def test_a_port_that_is_given_back_in_time_is_free(port: int, monkeypatch) -> None:
    """An earlier start may still be leaving: the first attempt fails, the second does not."""
    earlier = socket.create_server(("127.0.0.1", port))
    monkeypatch.setattr("time.sleep", lambda _: earlier.close())
    assert (
        serve(NodeReport("token", 0, "here", ""), ("localhost", port), 1, Timeouts(port_seconds=60)).code == Exit.DONE
    )
    assert earlier.fileno() == -1


def test_a_node_that_does_not_come_ends_the_others_as_well(node) -> None:
    """Nobody starts alone; each that came is told who is missing, with a code that lets the launch try again."""
    first, second = answers(node(0, 3, wait=3), node(1, 3))
    assert (first[0], second[0]) == (Exit.PEER_LOST, Exit.PEER_LOST)
    assert all("not reached by node 2 in 3 s" in said for _, said, _ in (first, second))


def test_a_first_node_out_of_reach_is_named(node, port: int) -> None:
    """The reason of the last attempt is what the user can act on."""
    code, said, errors = answers(node(1, wait=1))[0]
    assert (code, f"{port} on localhost: not reached: [Errno 111] Connection refused" in said) == (79, True)
    assert (errors, "a firewall, a wrong address" in said) == ("", True)


def test_one_node_without_gpus_stops_all_and_is_named(node) -> None:
    """A bundle for GPUs on a node without them: every node leaves with 2 at once, and the table says which and why."""
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("this machine has NVIDIA GPUs")
    first, second = answers(node(0), node(1, spec="llama2-7b"))
    assert (first[0], second[0]) == (Exit.INPUT, Exit.INPUT)
    assert f"node 1 ({socket.gethostname()}) has devices: the driver does not answer" in first[1]
    assert second[1].startswith("fail  devices  the driver does not answer\n               load NVIDIA's driver")
    assert (first[2], second[2]) == ("", "")


HOSTILE = [
    b"[" * 4000 + b"\n",
    b"[" * 10**6,
    b"\xff\n",
    b'{"rank": 1}\n',
    b"[1, 2, 3]\n",
    b'[1, "evil", "", "0", "0"]\n',
    b'[0, "evil", "", "0", null]\n',
    b"1" * 5000 + b"\n",
    b"",
]


def test_a_stranger_takes_no_place_and_does_no_harm(node, port: int) -> None:
    """Whatever comes in on the port, without the run's token it is passed over, and the nodes meet all the same."""
    first = node(0)
    until = time.monotonic() + 60
    for content in HOSTILE:
        with contextlib.suppress(OSError), connected(port, until) as stranger:  # hung up on, at any moment
            stranger.recv(1000)
            stranger.sendall(content)
            stranger.shutdown(socket.SHUT_WR)
            assert stranger.recv(1000) == b""
    assert [code for code, *_ in answers(first, node(1))] == [0, 0]


def test_strangers_who_say_nothing_keep_nobody_waiting(port: int) -> None:
    """Five that are silent and one whose words drip: the nodes meet at once, not after their time has run out."""
    first = threading.Thread(target=serve, args=(NodeReport("ours", 0, "a", ""), ("localhost", port), 2, Timeouts()))
    first.start()
    until = time.monotonic() + 60
    with contextlib.ExitStack() as strangers:
        for _ in range(6):
            strangers.enter_context(connected(port, until)).sendall(b"[")
        began = time.monotonic()
        verdict = report_to_first_node(NodeReport("ours", 1, "b", ""), ("localhost", port), Timeouts())
        assert (verdict.code, time.monotonic() - began < rendezvous.ANSWER) == (0, True)
    first.join()


def test_a_line_must_be_whole_in_its_time() -> None:
    """One whose bytes come one by one is given up when its time is over, however often some more came."""
    ours, theirs = socket.socketpair()

    def drip() -> None:
        with contextlib.suppress(OSError):
            for _ in range(200):
                theirs.sendall(b"[")
                threading.Event().wait(0.02)

    dripping = threading.Thread(target=drip)
    dripping.start()
    with ours, theirs:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            rendezvous._read_line(ours, 0.3)
        assert time.monotonic() - began < 2
    dripping.join()


def connected(port: int, until: float) -> socket.socket:
    """A connection, as soon as somebody listens."""
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("localhost", port), timeout=20)
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_first_node_of_another_run_is_not_ours(port: int, monkeypatch) -> None:
    """A node goes to a port where another run meets: it is refused there, and says that another program answers."""
    others = threading.Thread(
        target=serve, args=(NodeReport("theirs", 0, "b", ""), ("localhost", port), 2, Timeouts(1, 8))
    )
    others.start()
    monkeypatch.setattr("time.sleep", threading.Event().wait)
    with pytest.raises(PortTakenError, match="another program answers"):
        report_to_first_node(
            NodeReport("ours", 1, "a", ""), ("localhost", port), Timeouts(port_seconds=2, nodes_seconds=3)
        )
    others.join()


def test_the_meeting_listens_where_it_is_called(port: int) -> None:
    """By the name of this machine alone the port is open to nobody else; a name that says nothing leaves it open."""
    with listening_socket("localhost", port) as server:
        assert server.getsockname()[0] == "127.0.0.1"
    with listening_socket("127.0.0.2", port) as server:
        assert server.getsockname()[0] == "127.0.0.2"
