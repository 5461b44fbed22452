"""Buckets of any S3-compatible server: the one door to boto3.

Credentials come from boto3's own chain (environment, profile, role), never from our settings. A call is tried `TRIES`
times within its bounds, with at most a second between. A server that is away, refuses, or has no such bucket is
Transient: an operator can mend it while clips wait. The checksums that boto3 adds by itself are left out, as many
servers don't know them; what matters carries a digest of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lipsol.errors import BadInput, NotFound, Transient
from lipsol.store.port import Kept, check_size

REGION = "us-east-1"  # where nobody names one; what servers other than Amazon's expect
CONNECT_S, READ_S = 2.0, 10.0  # until a connection stands; between two signs of life on it
TRIES = 2  # of one call
CONNECTIONS = 32  # kept open at once
PAGE = 1000  # objects of one listing or one deletion; the most that S3 takes

_GONE = frozenset({"404", "NoSuchKey", "NotFound"})
_NO_BUCKET = frozenset({"404", "NoSuchBucket"})
_LOCKED_OUT = frozenset({"403", "AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"})
_ARCHIVED = "InvalidObjectState"


class Buckets:
    """Objects by bucket and name; safe to share between threads.

    endpoint  the server's address ("http://127.0.0.1:9000"); "": Amazon's own
    region    "": the environment's, else `REGION`
    page      objects that are listed or deleted by one call
    """

    def __init__(
        self,
        endpoint: str = "",
        region: str = "",
        *,
        connect_s: float = CONNECT_S,
        read_s: float = READ_S,
        tries: int = TRIES,
        page: int = PAGE,
    ) -> None:
        """Raises BadInput where there are no credentials, or the endpoint can't be one. Connects to nothing yet."""
        session = boto3.session.Session(region_name=region or None)
        if session.get_credentials() is None:
            raise BadInput(
                "there are no credentials for the S3 store",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile by AWS_PROFILE",
            )
        config = Config(
            connect_timeout=connect_s,
            read_timeout=read_s,
            retries={"mode": "standard", "total_max_attempts": tries},
            max_pool_connections=CONNECTIONS,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if endpoint else "auto"},
        )
        try:
            self._client = session.client(
                "s3", region_name=session.region_name or REGION, endpoint_url=endpoint or None, config=config
            )
        except (ValueError, BotoCoreError) as fault:
            raise BadInput(f"the S3 store can't be had: {fault}", "see to LIPSOL_STORE__ENDPOINT") from None
        self._page = page

    def check(self, bucket: str) -> None:
        """Raise BadInput if the server says that there is no such bucket or that we may not use it.

        Raises Transient when no server answers.
        """
        try:
            with _told(bucket):
                self._client.list_objects_v2(Bucket=bucket, MaxKeys=1)
        except Transient as fault:
            if isinstance(fault.__cause__, ClientError) and _code(fault.__cause__) in _NO_BUCKET | _LOCKED_OUT:
                raise BadInput(fault.detail, fault.cure) from fault
            raise

    def put(self, bucket: str, name: str, data: bytes, notes: Mapping[str, str]) -> None:
        """Keep data, and notes (ASCII) about it, as one object: whole, or not at all."""
        with _told(bucket, name):
            self._client.put_object(Bucket=bucket, Key=name, Body=data, Metadata=dict(notes))

    def get(self, bucket: str, name: str, max_bytes: int | None = None) -> tuple[bytes, Mapping[str, str]]:
        """An object's bytes, and the notes about it. Raises NotFound, and BadInput if there are over max_bytes."""
        with _told(bucket, name):
            answer = self._client.get_object(Bucket=bucket, Key=name)
            with answer["Body"] as body:
                check_size(name, answer["ContentLength"], max_bytes)
                return body.read(), answer["Metadata"]

    def read(self, bucket: str, name: str, max_bytes: int) -> bytes:
        """The bytes alone. Raises as `get`."""
        return self.get(bucket, name, max_bytes)[0]

    def notes(self, bucket: str, name: str) -> Mapping[str, str]:
        """The notes about an object. Raises NotFound."""
        with _told(bucket, name):
            notes: Mapping[str, str] = self._client.head_object(Bucket=bucket, Key=name)["Metadata"]
            return notes

    def delete(self, bucket: str, names: Sequence[str]) -> None:
        """Remove objects; one that is not there is no fault."""
        if len(names) == 1:
            with _told(bucket):
                self._client.delete_object(Bucket=bucket, Key=names[0])
            return
        for at in range(0, len(names), self._page):
            named = [{"Key": name} for name in names[at : at + self._page]]
            with _told(bucket):
                answer = self._client.delete_objects(Bucket=bucket, Delete={"Objects": named, "Quiet": True})
            for fault in answer.get("Errors", []):
                raise Transient(f"the S3 store keeps {fault['Key']!r}: {fault.get('Code')}", "see to its rights")

    def walk(self, bucket: str, prefix: str) -> Iterator[Kept]:
        """Every object whose name begins with prefix, by name; its age is by the server's own clock."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": self._page}
        )
        turning = iter(pages)
        while True:
            with _told(bucket):
                page = next(turning, None)
            if page is None:
                return
            now = _server_time(page)
            for each in page.get("Contents", []):
                yield Kept(each["Key"], each["Size"], max(0.0, (now - each["LastModified"]).total_seconds()))

    def close(self) -> None:
        """Let go of the connections. Twice is harmless."""
        self._client.close()


def _server_time(answer: Mapping[str, Any]) -> datetime:
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(told) if told else datetime.now(UTC)


def _code(fault: ClientError) -> str:
    return str(fault.response.get("Error", {}).get("Code", ""))


@contextmanager
def _told(bucket: str, name: str = "") -> Iterator[None]:
    """Turn what boto3 raises into our own."""
    try:
        yield
    except ClientError as fault:
        code = _code(fault)
        if name and code in _GONE:
            raise NotFound(f"nothing lies at s3://{bucket}/{name}", "put it there first") from fault
        if code == _ARCHIVED:
            raise BadInput(f"s3://{bucket}/{name} lies in an archive", "restore it first") from fault
        if code in _NO_BUCKET:
            raise Transient(f"the S3 store has no bucket {bucket!r}", "make it, or name another") from fault
        if code in _LOCKED_OUT:
            raise Transient(
                f"the S3 store refuses us the bucket {bucket!r} ({code})", "see to the credentials and their rights"
            ) from fault
        raise Transient(f"the S3 store fails ({code})", "try again") from fault
    except BotoCoreError as fault:
        raise Transient(f"the S3 store does not answer ({type(fault).__name__})", "try again") from fault
