"""Files in a bucket of any S3-compatible store."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from marketplace.files.port import FileMissing, FilesAway, StoredFile, checked, checked_prefix

T = TypeVar("T")
CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
# The first try and two more, with growing pauses: a person waits behind this.
TRIES = 3
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class S3Store:
    """Keeps files in `bucket` at `endpoint`. Opens no connection before the first file."""

    def __init__(
        self,
        *,
        endpoint: str,
        bucket: str,
        region: str,
        access_key: str,
        secret_key: str,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.bucket = bucket
        self._options: dict[str, Any] = {
            "endpoint_url": endpoint or None,
            "region_name": region,
            "aws_access_key_id": access_key,
            "aws_secret_access_key": secret_key,
            "config": Config(
                connect_timeout=connect_seconds,
                read_timeout=read_seconds,
                retries={"total_max_attempts": TRIES, "mode": "standard"},
                s3={"addressing_style": "path"},
                signature_version="s3v4",
                # Stores other than Amazon's do not all know the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        }

    @cached_property
    def client(self) -> Any:
        """Safe to share among threads."""
        return boto3.session.Session().client("s3", **self._options)

    def ask(self, call: Callable[[], T], key: str) -> T:
        """Raises FileMissing or FilesAway in place of what the vendor's library has."""
        try:
            return call()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in MISSING:
                raise FileMissing(key) from None
            raise FilesAway from error
        except BotoCoreError as error:
            raise FilesAway from error

    def put(self, key: str, data: bytes, content_type: str) -> None:
        place = {"Bucket": self.bucket, "Key": checked(key)}
        self.ask(lambda: self.client.put_object(**place, Body=data, ContentType=content_type), key)

    def get(self, key: str) -> StoredFile:
        place = {"Bucket": self.bucket, "Key": checked(key)}

        def fetch() -> StoredFile:
            answer = self.client.get_object(**place)
            return StoredFile(answer["Body"].read(), answer["ContentType"])

        return self.ask(fetch, key)

    def exists(self, key: str) -> bool:
        place = {"Bucket": self.bucket, "Key": checked(key)}
        try:
            self.ask(lambda: self.client.head_object(**place), key)
        except FileMissing:
            return False
        return True

    def delete(self, key: str) -> None:
        place = {"Bucket": self.bucket, "Key": checked(key)}
        try:
            self.ask(lambda: self.client.delete_object(**place), key)
        except FileMissing:
            return

    def keys(self, prefix: str, *, before: datetime) -> Iterator[str]:
        asked = {"Bucket": self.bucket, "Prefix": checked_prefix(prefix)}
        while True:
            answer = self.ask(lambda: self.client.list_objects_v2(**asked), prefix)
            for found in answer.get("Contents", []):
                if found["LastModified"] < before:
                    yield found["Key"]
            if not answer.get("IsTruncated"):
                return
            asked["ContinuationToken"] = answer["NextContinuationToken"]
