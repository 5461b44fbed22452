"""Read one clip at the edge, and see that the right words come out: `ADDRESS CLIP WORDS SECONDS`.

It is what `helm test` runs, inside the edge's image, with nothing but Python.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

BOUNDARY = "a-clip-of-lipsol"


def send(address: str, clip: Path, wait_s: float) -> Any:
    """The clip's result: `?wait=true` answers when it is read, or after a while without."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="clip.mp4"\r\n\r\n'
    body = head.encode() + clip.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    with urlopen(Request(f"{address}/v1/clips?wait=true", body, kind), timeout=wait_s) as answer:
        return json.load(answer)


def settle(address: str, result: Any, wait_s: float) -> Any:
    """The result once nothing more comes."""
    until = time.monotonic() + wait_s
    while result["state"] == "reading" and time.monotonic() < until:
        time.sleep(0.5)
        with urlopen(f"{address}/v1/clips/{result['clip_id']}", timeout=wait_s) as answer:
            result = json.load(answer)
    return result


def main(address: str, clip: str, words: str, wait_s: str) -> int:
    """0 if the clip says the words."""
    try:
        result = settle(address, send(address, Path(clip), float(wait_s)), float(wait_s))
    except HTTPError as fault:
        print(f"{address} answered {fault.code}: {fault.read().decode(errors='replace')}")
        return 1
    except OSError as fault:
        print(f"no reading of {clip} by {address}: {fault}; see that the image holds the clip and the edge is ready")
        return 1
    if result["text"] != words:
        print(f"{clip} was read as {result['text']!r} ({result['state']}), and says {words!r}")
        return 1
    print(
        f"{clip}: {result['text']!r}, sure by {result['confidence']:.2f}, after {result['timings_ms']['total']:.0f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
