"""Processes: what `python -m services` refuses, how it leaves, and where its metrics are."""

import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from lipsol.errors import BadInput
from services.__main__ import ALONE, check_alone, main
from tests.services_made import clip, settings_of

SERVING = """
import sys, time
from pathlib import Path
from lipsol.runtime.logs import set_up_logging
from tests.services_made import MadePlatform, settings_of
made = MadePlatform(settings_of(Path(sys.argv[1]), drain_s=15, wait_s=60))
set_up_logging(made.settings.telemetry)  # to standard error, as every service does
watch = made.watcher.watch
made.watcher.watch = lambda data: (print("watching", flush=True), time.sleep(3), watch(data))[-1]
with made.open() as platform:
    platform.serve("127.0.0.1", int(sys.argv[2]))
print("left in good order", flush=True)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(top, folder):
    """A process that serves stand-ins, and a client of it once it is ready."""
    port = free_port()
    command = [sys.executable, "-c", SERVING, str(folder), str(port)]
    process = subprocess.Popen(command, cwd=top, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            wait_until_ready(client)
            yield process, client
    finally:
        process.kill()
        process.communicate()


def wait_until_ready(client, within_s=180):
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError


def test_on_sigterm_it_says_so_answers_what_it_owes_and_leaves(top, tmp_path):
    with serving(top, tmp_path) as (process, client):
        answers = []

        def send():
            answers.append(client.post("/v1/clips", files=clip(), params={"wait": "true"}))

        sender = threading.Thread(target=send)
        sender.start()
        assert process.stdout.readline() == "watching\n"
        process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 12
        while (ready := client.get("/readyz")).status_code == 200 and time.monotonic() < until:
            time.sleep(0.02)
        sender.join()
        out, err = process.communicate(timeout=180)
    assert (ready.status_code, [answer.status_code for answer in answers]) == (503, [200])
    assert answers[0].json()["state"] == "read"
    assert (process.returncode, out) == (0, "left in good order\n"), err


def test_a_taken_port_is_said_in_one_line(tmp_path, made):
    refused = pytest.raises(BadInput, match="can't be listened on")
    with socket.create_server(("127.0.0.1", 0)) as taken, made.open() as platform, refused:
        platform.serve("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize("name", sorted(ALONE))
def test_a_service_alone_on_a_bus_of_its_own_is_refused_naming_all_that_is_missing(name, capsys):
    assert main([name]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    for word in (name, "memory bus", "LIPSOL_STORE__FOLDER", "python -m services"):
        assert word in told


def test_with_a_shared_store_only_the_bus_is_missing(tmp_path):
    with pytest.raises(BadInput) as refusal:
        check_alone("monitor", settings_of(tmp_path))
    assert "LIPSOL_STORE__FOLDER" not in str(refusal.value)


@pytest.mark.parametrize("arguments", [["other"], ["monitor", "inference"]])
def test_what_is_no_service_is_told_what_there_is(arguments, capsys):
    assert main(arguments) == 2
    assert "monitor" in capsys.readouterr().err


def test_over_kafka_a_store_of_ones_own_is_refused_and_the_cure_is_named(monkeypatch, capsys):
    monkeypatch.setenv("LIPSOL_BUS__KIND", "kafka")
    assert main(["inference"]) == 2
    told = capsys.readouterr().err
    assert "LIPSOL_STORE__FOLDER, or LIPSOL_STORE__KIND=s3" in told
    assert "memory" not in told


def test_a_service_serves_alone_over_a_bus_that_is_shared(top, tmp_path):
    port, metrics = free_port(), free_port()
    code = (
        "import sys\nfrom pathlib import Path\nfrom lipsol.bus.memory import MemoryBus\n"
        "from services.__main__ import serve_alone\nfrom tests.services_made import settings_of\n"
        "settings = settings_of(Path(sys.argv[1]))\n"
        "place = settings.monitor.model_copy(update={'port': int(sys.argv[2]), 'host': '127.0.0.1'})\n"
        "told = settings.telemetry.model_copy(update={'metrics_port': int(sys.argv[3])})\n"
        "serve_alone('monitor', settings.model_copy(update={'monitor': place, 'telemetry': told}), MemoryBus())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(port), str(metrics)]
    process = subprocess.Popen(command, cwd=top)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            wait_until_ready(client)
            assert client.get("/metrics").status_code == 404
            figures = httpx.get(f"http://127.0.0.1:{metrics}/metrics").text
            assert "lipsol_predictions_total" in figures
            assert 'lipsol_ready{stage="monitor"} 1.0' in figures
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
