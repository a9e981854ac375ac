"""Annotation tables as Parquet, lossless."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.errors import FormatError
from antiphon.labels.annotation import ANNOTATION_SCHEMA, make_annotations, validate
from antiphon.labels.formats.registry import AnnotationFormat, Parsed
from antiphon.replacing import replacing


def sniff(path: Path, head: str) -> bool:
    """Tell whether the file begins as Parquet does."""
    return head.startswith("PAR1")


def read(path: Path) -> Parsed:
    """Read a Parquet file with (some of) the columns of an annotation table.

    Raises
    ------
    FormatError
        If it is not Parquet, has no column ``recording``, or another column or type.
    """
    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise FormatError(
            path, f"expected a Parquet file, found another or a broken one ({error})"
        ) from error
    try:
        table = make_annotations({name: table.column(name) for name in table.column_names})
    except (TypeError, ValueError) as error:
        raise FormatError(
            path, str(error), f"Expected columns: {', '.join(ANNOTATION_SCHEMA.names)}"
        ) from error
    validate(table, path)
    return Parsed(table, tuple(dict.fromkeys(table.column("recording").to_pylist())))


def write(table: pa.Table, target: Path) -> list[Path]:
    """Write all annotations to one file.

    Parameters
    ----------
    table
        Annotations.
    target
        A file that ends in ``.parquet``, or a folder that gets ``annotations.parquet``.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    if target.suffix.casefold() != ".parquet":
        target = target / "annotations.parquet"
    with replacing(target, "it cannot be written") as part:
        pq.write_table(table, part, compression="zstd")
    return [target]


FORMAT = AnnotationFormat(
    name="parquet",
    suffixes=(".parquet",),
    description="Annotation tables as Parquet, lossless",
    sniff=sniff,
    read=read,
    write=write,
    order=10,
)
