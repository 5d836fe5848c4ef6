"""A journal of small batches: each is on the disk before it is acknowledged, until a segment takes them all.

A file is a sequence of records: length and CRC-32 of the payload (two little-endian uint32), then the payload: length of
a JSON header (uint32), the header, and one Arrow IPC stream. A record counts when its checksum is right; only the last
one of a file can be torn, for each is flushed to the disk before the next is written.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from tunewright.errors import MonitorError

__all__ = ["Entry", "Journal", "sync_folder"]

_FRAME = struct.Struct("<II")
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Entry:
    """One acknowledged batch: what it is, its rows, and JSON values that belong to it."""

    kind: str
    table: pa.Table
    header: dict[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """As the payload of a record."""
        header = json.dumps({"kind": self.kind, **self.header}).encode()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as writer:
            writer.write_table(self.table)
        content: bytes = sink.getvalue().to_pybytes()
        return _LENGTH.pack(len(header)) + header + content

    @classmethod
    def from_bytes(cls, payload: bytes) -> Entry:
        """The inverse of `to_bytes`."""
        (length,) = _LENGTH.unpack_from(payload)
        start = _LENGTH.size + length
        header = json.loads(payload[_LENGTH.size : start])
        table = pa.ipc.open_stream(pa.py_buffer(payload[start:])).read_all()
        return cls(header.pop("kind"), table, header)


class Journal:
    """One file of records, open for appending."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; what a torn last record left is cut off.

        Raises:
            MonitorError: if a record in the middle is damaged, or the file cannot be made.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._end = _end_of_whole_records(path)
            os.ftruncate(self._descriptor, self._end)
            sync_folder(path.parent)
        except BaseException:
            os.close(self._descriptor)
            raise

    @property
    def bytes(self) -> int:
        """Length of the file."""
        return self._end

    def entries(self) -> Iterator[Entry]:
        """What was appended, in that order."""
        data = self.path.read_bytes()[: self._end]
        for start, end, _ in _frames(data):
            yield Entry.from_bytes(data[start:end])

    def append(self, entry: Entry) -> None:
        """Write one record; when this returns, it is on the disk.

        Raises:
            MonitorError: if it could not be written; then nothing of it stays.
        """
        payload = entry.to_bytes()
        record = _FRAME.pack(len(payload), zlib.crc32(payload)) + payload
        try:
            _write(self._descriptor, record, self._end)
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, self._end)
            raise MonitorError(
                f"the batch was not taken: {self.path} could not be written ({error.strerror})",
                fix="make room on the disk and log the batch again; what was acknowledged is kept",
            ) from error
        self._end += len(record)

    def close(self) -> None:
        """Close the file, which stays."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Close the file and delete it: a segment has its rows."""
        self.close()
        self.path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush a folder, so that the names of its files survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _frames(data: bytes) -> Iterator[tuple[int, int, bool]]:
    """Start and end of each payload, and whether it is as it was written."""
    place = 0
    while place + _FRAME.size <= len(data):
        length, checksum = _FRAME.unpack_from(data, place)
        start, end = place + _FRAME.size, place + _FRAME.size + length
        yield start, end, length > 0 and end <= len(data) and zlib.crc32(data[start:end]) == checksum
        place = end


def _end_of_whole_records(path: Path) -> int:
    data = path.read_bytes()
    whole = 0
    for start, end, right in _frames(data):
        if right:
            whole = end
        elif end < len(data) and end > start:
            raise MonitorError(
                f"a record of {path} is damaged at byte {start}, and others follow it",
                fix="restore the file from a copy; or move it away to go on without the rows that it holds",
            )
        else:
            break
    return whole
