"""Libraries that tell their makers of us are kept from it."""

import os
import socket
import subprocess
import sys

OPENED = """
import sys
from pathlib import Path
from lipsol.bundle import Bundle
from lipsol.engine import Engine
Engine().session(Bundle.load(Path(sys.argv[1])).network, "spied upon")
"""


def test_opening_a_model_tells_nobody_and_leaves_no_id_of_the_machine_behind(tmp_path, top):
    """onnxruntime holds its tongue by itself where `CI` is set, so that is taken away."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        beside = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        held_back = {"CI", "XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY"}
        environment = {name: value for name, value in os.environ.items() if name not in held_back}
        environment |= {"HOME": str(tmp_path), "HTTPS_PROXY": beside, "https_proxy": beside}
        command = [sys.executable, "-c", OPENED, str(top / "models" / "grid-sentences.lipsol")]
        subprocess.run(command, cwd=top, env=environment, check=True)
        try:
            asked, _ = proxy.accept()
        except BlockingIOError:
            asked = None
    assert asked is None
    assert list(tmp_path.iterdir()) == []
