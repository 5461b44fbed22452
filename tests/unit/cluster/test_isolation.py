"""What is tried from inside pods is tried again for a while, in both directions, before a way is called wrong."""

import io
import json
import socket
import sys
import time

import pytest

from tests.cluster.isolation import OPEN_S, SHUT_S, TRY

TRIED_S = 2.0  # that each try takes in these tests


@pytest.mark.parametrize(
    ("meant", "turns_at", "reached"),
    [
        pytest.param(True, OPEN_S - 3, True, id="opens late, as it is meant"),
        pytest.param(True, OPEN_S + 5, False, id="stays shut"),
        pytest.param(False, SHUT_S - 3, False, id="shuts late, as it is meant"),
        pytest.param(False, SHUT_S + 5, True, id="stays open"),
    ],
)
def test_a_way_is_called_wrong_only_where_it_stays_so(meant, turns_at, reached, monkeypatch, capsys):
    now, closing = [0.0], io.BytesIO()

    def connect(place, timeout):
        now[0] += TRIED_S
        if (now[0] < turns_at) == meant:
            raise TimeoutError
        return closing

    def pause(seconds):
        now[0] += seconds

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(time, "sleep", pause)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"the edge": ["10.244.0.7", 8080, meant]})))
    exec(TRY, {})  # noqa: S102 - what a pod is given to run
    assert json.loads(capsys.readouterr().out) == {"the edge": reached}
