import math
import socket

from services.cli.machine import free_memory_bytes, port_is_free


def test_memory_is_what_the_container_s_limit_leaves(tmp_path):
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n")
    assert free_memory_bytes(tmp_path, meminfo) == 600000


def test_memory_is_the_machine_s_without_a_limit(tmp_path):
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("400000\n")
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemAvailable:    2000 kB\n")
    assert free_memory_bytes(tmp_path, meminfo) == 2000 * 1024


def test_memory_that_nobody_tells_of_is_without_end(tmp_path):
    assert free_memory_bytes(tmp_path, tmp_path / "none") == math.inf


def test_a_port_that_somebody_listens_on_is_taken():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not port_is_free(port)
    assert port_is_free(port)
