"""What a stored table of rows means, as a digest that does not depend on how it was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# A table is taken in one piece up to here, a few rows at a time beyond. Which of the two depends on
# its content alone, so that equal tables have equal digests.
WHOLE_ROWS, WHOLE_BYTES = 250_000, 64 * 2**20
BATCH = 5_000


def meaning_of(path: Path, *, without: Iterable[str] = ()) -> str:
    """The SHA-256 of a Parquet file's content, less some columns; memory is bounded."""
    import pandas
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name not in without]
        rows = file.metadata.num_rows
        if rows <= WHOLE_ROWS and _bytes(file, names) <= WHOLE_BYTES:
            table = file.read(columns=names).combine_chunks()
            frame = table.to_pandas() if names else pandas.DataFrame()
            return hashlib.sha256(frame.to_parquet()).hexdigest()
        columns = {name: Column() for name in names}
        for batch in _batches(file, names):
            for name in names:
                columns[name].add(batch.column(name))
        told = [
            [name, str(file.schema_arrow.field(name).type), rows, columns[name].digest()]
            for name in names
        ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _batches(file: Any, names: list[str]) -> Iterator[Any]:
    """The file's rows, some at a time. Asked for all groups at once, Arrow would hold them all."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(batch_size=BATCH, row_groups=[group], columns=names)


def _bytes(file: Any, names: list[str]) -> int:
    """How large the values are, whatever the encoding: lengths of text and bytes, 8 for others."""
    total = 0
    for batch in _batches(file, names):
        total += sum(_size(batch.column(name)) for name in names)
        if total > WHOLE_BYTES:
            break
    return total


def _size(array: Any) -> int:
    import pyarrow as pa

    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return 8 * len(array) + _size(array.flatten())
    lengths = 8 * len(array)
    if _has_length(array.type):
        lengths += int(_lengths(array, "binary_length").sum())
    return lengths


def _lengths(array: Any, function: str) -> Any:
    import pyarrow.compute as pc

    return pc.call_function(function, [array.drop_null()]).to_numpy().astype("<i8")


def _has_length(kind: Any) -> bool:
    import pyarrow as pa

    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return is_text or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


class Column:
    """One column's digest, the same however its rows are cut into batches."""

    def __init__(self) -> None:
        self.presence = hashlib.sha256()
        self.lengths = hashlib.sha256()
        self.values = hashlib.sha256()
        self.items: Column | None = None

    def add(self, array: Any) -> None:
        """Take the next values."""
        import numpy
        import pyarrow as pa

        self.presence.update(array.is_valid().to_numpy(zero_copy_only=False).tobytes())
        there = array.drop_null()
        if pa.types.is_list(there.type) or pa.types.is_large_list(there.type):
            self.items = self.items or Column()
            self.lengths.update(_lengths(there, "list_value_length").tobytes())
            self.items.add(there.flatten())
        elif _has_length(there.type):
            self.lengths.update(_lengths(there, "binary_length").tobytes())
            there = there.cast(pa.large_binary())
            _, offsets, data = there.buffers()
            if len(there):
                ends = numpy.frombuffer(offsets, "<i8")
                first, last = ends[there.offset], ends[there.offset + len(there)]
                self.values.update(memoryview(data)[first:last] if last > first else b"")
        else:
            values = there.to_numpy(zero_copy_only=False)
            if values.dtype.hasobject:
                values = "".join(f"{value!r}\n" for value in there.to_pylist()).encode()
            self.values.update(values if isinstance(values, bytes) else values.tobytes())

    def digest(self) -> str:
        """The digest over all values so far."""
        items = self.items.digest() if self.items else ""
        parts = (self.presence, self.lengths, self.values)
        return "-".join([*(part.hexdigest() for part in parts), items])
