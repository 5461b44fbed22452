"""The same clips by the other doors: gRPC, and batches that point into the store. Each asks until it is answered."""

import hashlib
import time
from collections.abc import Iterator, Sequence

import grpc
import httpx

from lipsol.events import ClipReceived
from lipsol.proto.v1 import lip_reading_pb2 as messages
from lipsol.proto.v1 import lip_reading_pb2_grpc as stubs
from lipsol.runtime.envelope import wrap
from tests.scenarios.clients import AGAIN_S, PATIENCE_S, Order, reading_of
from tests.scenarios.ledger import Ledger, Reading
from tests.scenarios.mouths import clip_bytes
from tests.scenarios.platform import Platform

TRACKS = {1: "stable", 2: "canary"}  # lipsol.v1.Track
AGAIN = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED})


def read_by_grpc(platform: Platform, ledger: Ledger, orders: Sequence[Order]) -> None:
    """Send clips one after the other over gRPC, each in two chunks, and wait for its reading."""
    with grpc.insecure_channel(platform.grpc) as channel:
        stub = stubs.LipReadingStub(channel)  # type: ignore[no-untyped-call]
        until = time.monotonic() + PATIENCE_S
        for order in orders:
            order.clip.began_at = time.time()
            while not order.clip.readings and time.monotonic() < until:
                _try_grpc(stub, ledger, order)
            order.clip.ended_at = time.time()


def _try_grpc(stub: stubs.LipReadingStub, ledger: Ledger, order: Order) -> None:
    clip = order.clip
    try:
        told = stub.Read(_parts(order), metadata=(("idempotency-key", clip.key),), timeout=40)
    except grpc.RpcError as fault:
        if fault.code() not in AGAIN:
            raise
        time.sleep(AGAIN_S)
        return
    clip.told(told.clip_id)
    if told.state == messages.STATE_READ:
        reading = Reading(told.text, told.confidence, told.model.digest, TRACKS[told.track])
        ledger.answered(clip, reading)


def _parts(order: Order) -> Iterator[messages.ReadRequest]:
    data = clip_bytes(order.mouth, order.clip.key)
    yield messages.ReadRequest(options=messages.ReadOptions(session=order.clip.session, wait=True))
    yield messages.ReadRequest(chunk=data[: len(data) // 2])
    yield messages.ReadRequest(chunk=data[len(data) // 2 :])


def read_by_batch(platform: Platform, ledger: Ledger, orders: Sequence[Order]) -> None:
    """Put clips into the store, tell of them by events as a batch does, and ask for their results over REST."""
    for order in orders:
        clip, data = order.clip, clip_bytes(order.mouth, order.clip.key)
        clip.began_at = time.time()
        clip.told(hashlib.sha256(clip.key.encode()).hexdigest()[:32])
        source = f"batches/scenarios/{clip.key}"
        platform.store.put(source, data, 3600.0)
        digest, now = hashlib.sha256(data).hexdigest(), time.time()
        event = ClipReceived(
            clip.clip_ids[0], clip.session, "scenarios", clip.key, source, digest, len(data), "", "", "en", now, 0.0
        )
        platform.bus.publish_all([wrap(event, "scenarios", now)])
    until = time.monotonic() + PATIENCE_S
    with httpx.Client(base_url=platform.url, timeout=30) as http:
        for order in orders:
            while not order.clip.readings and time.monotonic() < until:
                told = http.get(f"/v1/clips/{order.clip.clip_ids[0]}")
                if told.status_code == 200 and told.json()["state"] == "read":
                    ledger.answered(order.clip, reading_of(told.json()))
                else:
                    time.sleep(AGAIN_S)
            order.clip.ended_at = time.time()
