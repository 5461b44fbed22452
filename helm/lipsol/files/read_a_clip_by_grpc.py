"""Read one clip at the edge over gRPC, and see that the right words come out: `HOST:PORT CLIP WORDS SECONDS`.

It is what `helm test` runs, inside the edge's image.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import grpc

from lipsol.proto.v1.lip_reading_pb2 import ReadOptions, ReadRequest
from lipsol.proto.v1.lip_reading_pb2_grpc import LipReadingStub

CHUNK_BYTES = 2**20  # that a message may hold


def parts(clip: Path) -> Iterator[ReadRequest]:
    """A clip as it is sent."""
    data = clip.read_bytes()
    yield ReadRequest(options=ReadOptions(wait=True))
    for at in range(0, len(data), CHUNK_BYTES):
        yield ReadRequest(chunk=data[at : at + CHUNK_BYTES])


def main(address: str, clip: str, words: str, wait_s: str) -> int:
    """0 if the clip says the words."""
    with grpc.insecure_channel(address) as channel:
        try:
            result = LipReadingStub(channel).Read(iter(list(parts(Path(clip)))), timeout=float(wait_s))
        except (grpc.RpcError, OSError) as fault:
            print(
                f"no reading of {clip} by {address}: {fault}; see that the image holds the clip and the edge is ready"
            )
            return 1
    if result.text != words:
        print(f"{clip} was read as {result.text!r}, and says {words!r}")
        return 1
    print(f"{clip}: {result.text!r}, sure by {result.confidence:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
