"""The board's JSON at the monitor's real door, and where the embedded platform has it."""

import socket
import time

import httpx
import pytest

from lipsol.errors import BadInput
from services.doors.service import DoorSettings
from services.monitor.alerts import Link
from services.monitor.contract import name_of_group
from services.monitor.settings import MonitorSettings
from services.operating.settings import OperatingSettings
from tests.board_made import CANARY, STABLE, MadeAlertmanager, MadeMonitor, action, alert, drifted, quiet, series
from tests.services_made import SAID, served_app


def wait_for(happened, patience_s=60):
    until = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_windows_are_told_by_measure_by_group_and_since_when():
    all_of_them = [series("wer"), series("brightness"), series("wer", CANARY), series("wer", None)]
    with served_app(MadeMonitor(measured=all_of_them).app(), DoorSettings()) as client:

        def told(**asked):
            return [(each["measure"], each["group"]) for each in client.get("/v1/windows", params=asked).json()]

        stable, canary = name_of_group(STABLE), name_of_group(CANARY)
        assert len(told()) == 4
        assert told(measure="brightness") == [("brightness", stable)]
        assert told(measure="wer", group=[canary, "all"]) == [("wer", canary), ("wer", "all")]
        late = client.get("/v1/windows", params={"since": time.time() - 1200}).json()
        assert all(len(each["points"]) <= 4 for each in late)
        assert client.get("/v1/windows", params={"since": -1}).status_code == 422


def test_what_alertmanager_says_stands_in_the_state_and_in_the_alerts():
    with MadeAlertmanager([alert()]).serving() as manager:
        app = MadeMonitor([quiet()], [action()]).app(Link(manager.address), now=lambda: 0.0)
        with served_app(app, DoorSettings()) as client:
            state = client.get("/v1/state").json()
            assert (state["state"], state["said"]) == ("alerts", "inference does not answer.")
            assert client.get("/v1/alerts").json()["alerts"][0]["name"] == "LipSolServiceDown"
            assert client.get("/v1/actions").json()[0]["reason"] == action().reason
    assert len(manager.asked) == 1


def test_a_finding_is_told_with_the_runbook_that_lies_in_the_repository():
    with served_app(MadeMonitor([drifted("camera")]).app(), DoorSettings()) as client:
        state = client.get("/v1/state").json()
        page = client.get(state["runbook"])
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert client.get("/runbooks/no-such").status_code == 404


@pytest.mark.parametrize("path", ["/", "/assets/board.js", "/assets/board.css", "/assets/icon.svg"])
def test_the_page_and_its_files_are_there(path):
    with served_app(MadeMonitor().app(), DoorSettings()) as client:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


def test_the_embedded_platform_shows_its_board_and_no_word_that_was_read_is_on_it(platform):
    with platform._watchable() as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        platform.read(b"a clip")
        wait_for(lambda: client.get("/v1/state").json()["groups"])
        told = "".join(client.get(path).text for path in ("/v1/state", "/v1/windows", "/v1/actions", "/v1/alerts"))
        assert "grid-sentences" in told
        assert SAID not in told
        assert "LipSol's board" in client.get("/").text


def test_it_is_shown_to_this_machine_alone_unless_the_settings_name_another_address(made):
    def host(**settings):
        made.settings = made.settings.model_copy(update=settings)
        with made.open() as platform:
            return platform.board_host

    assert host() == "127.0.0.1"
    assert host(operating=OperatingSettings(host="127.0.0.3", port=0)) == "127.0.0.3"
    assert host(monitor=MonitorSettings(host="127.0.0.2", port=0)) == "127.0.0.2"


def test_a_taken_port_is_said_with_the_variable_that_names_another(made):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = MonitorSettings(port=taken.getsockname()[1])
        made.settings = made.settings.model_copy(update={"monitor": place})
        refused = pytest.raises(BadInput, match="the board: .*LIPSOL_MONITOR__PORT")
        with made.open() as platform, refused, platform._watchable():
            pass
