"""Stores in a bucket of a real S3 API, each with a prefix of its own."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from typing import Any

from lipsol.store.buckets import Buckets
from lipsol.store.s3 import S3Store
from services.local.s3 import BUCKET, S3Server
from tests.conftest import FixedClock

PAGE = 3  # objects a listing, so that a few make several pages


@cache  # a client takes long to make
def buckets_of(server: S3Server) -> Buckets:
    """The server's buckets."""
    return Buckets(server.uri, page=PAGE)


@contextmanager
def s3_store(server: S3Server, clock: FixedClock) -> Iterator[S3Store]:
    """An empty store that goes by the standing clock, as its server seems to."""
    buckets = buckets_of(server)
    time_machine = TimeMachine(clock)
    events = buckets._client.meta.events
    events.register("provide-client-params.s3.PutObject", time_machine.put)
    events.register("after-call.s3.ListObjectsV2", time_machine.listed)
    yield S3Store(buckets, BUCKET, f"{uuid.uuid4().hex}/", clock.now)
    events.unregister("provide-client-params.s3.PutObject", time_machine.put)
    events.unregister("after-call.s3.ListObjectsV2", time_machine.listed)


class TimeMachine:
    """Moves what the server says of time by as much as the standing clock was moved."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock
        self._began = clock.now()
        self._put: dict[str, timedelta] = {}

    def put(self, params: dict[str, Any], **_: object) -> None:
        self._put[params["Key"]] = self._moved()

    def listed(self, parsed: dict[str, Any], **_: object) -> None:
        headers = parsed["ResponseMetadata"]["HTTPHeaders"]
        headers["date"] = format_datetime(parsedate_to_datetime(headers["date"]) + self._moved())
        for each in parsed.get("Contents", []):
            each["LastModified"] += self._put[each["Key"]]

    def _moved(self) -> timedelta:
        return timedelta(seconds=self._clock.now() - self._began)
