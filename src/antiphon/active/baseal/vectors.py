"""Vectors in one ``.npy`` file each: read together, and packed into one memory-mapped file."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.errors import FileError, FormatError
from antiphon.replacing import replacing

Float32 = npt.NDArray[np.float32]

# A file that changed this short before it was packed may change again without a new time stamp.
_SETTLED_NS = 2_000_000_000
# Elsewhere the change time of a file is its creation time, so that times can be set back.
_TRUST_TIMES = os.name == "posix"
_MAGIC = b"\x93NUMPY"
_BLOCK = 4096
_THREADS = 4


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the header of a ``.npy`` file says."""

    offset: int
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]


def read_vectors(
    folder: Path, names: Sequence[str], *, flatten: bool = False, cache: Path | None = None
) -> tuple[Float32, str]:
    """Read one vector from each file, in the order of ``names``.

    Parameters
    ----------
    folder
        Where the files are.
    names
        ``n`` paths relative to ``folder``, at least one.
    flatten
        Whether an array of several rows is read as one long vector, as BaseAL does; an error
        otherwise.
    cache
        Folder for the packed file; None reads into memory and writes nothing. The packed file is
        named by the digest of what it holds. It is served again while names, sizes and times of
        all files are those it was packed from; otherwise all files are read again. Two processes
        may pack the same files at once.

    Returns
    -------
    vectors
        ``(n, dim)`` float32, finite, read-only; a memory map if ``cache`` is given.
    digest
        Of names and vectors, hexadecimal.

    Raises
    ------
    FormatError
        Naming the file that is no ``.npy`` file, whose shape is not ``(dim,)`` or ``(1, dim)``,
        whose dimension is not that of the first, or that holds NaN or infinite values.
    FileError
        If a file cannot be read, or the cache cannot be written.
    """
    if cache is None:
        shape = (len(names), _dimension(folder / names[0], flatten=flatten))
        vectors: Float32 = np.empty(shape, np.float32)
        digest = _fill(vectors, folder, names, flatten=flatten)
        vectors.setflags(write=False)
        return vectors, digest
    try:
        cache.mkdir(parents=True, exist_ok=True)
        record = cache / f"{_record_name(folder, names, flatten=flatten)}.json"
        signature, newest = _signature(folder, names)
        known = _known(record, signature)
        if known is not None:
            return known
        return _pack(folder, names, cache, record, signature, newest, flatten=flatten)
    except OSError as error:
        raise FileError(
            cache,
            f"the vectors cannot be packed there: {error.strerror or error}",
            "Give a folder that can be written, with room for all vectors",
        ) from error


def _pack(
    folder: Path,
    names: Sequence[str],
    cache: Path,
    record: Path,
    signature: str,
    newest: int,
    *,
    flatten: bool,
) -> tuple[Float32, str]:
    """Read all files into a new packed file, name it by its digest and note what it was made of."""
    began = time.time_ns()
    shape = (len(names), _dimension(folder / names[0], flatten=flatten))
    part = cache / f".{secrets.token_hex(8)}.part"
    try:
        packed = np.lib.format.open_memmap(part, "w+", np.float32, shape)
        digest = _fill(packed, folder, names, flatten=flatten)
        packed.flush()
        del packed
        part.replace(cache / f"{digest}.npy")
    finally:
        part.unlink(missing_ok=True)
    settled = newest < began - _SETTLED_NS and _signature(folder, names)[0] == signature
    note = {"signature": signature, "digest": digest, "settled": settled, "shape": shape}
    with replacing(record) as part:
        part.write_text(json.dumps(note), encoding="utf-8")
    return np.load(cache / f"{digest}.npy", mmap_mode="r"), digest


def _known(record: Path, signature: str) -> tuple[Float32, str] | None:
    """Return the packed vectors if the files are surely those they were packed from."""
    if not _TRUST_TIMES:
        return None
    with suppress(OSError, ValueError, KeyError, TypeError):
        note = json.loads(record.read_text(encoding="utf-8"))
        if note["signature"] == signature and note["settled"] is True:
            digest = str(note["digest"])
            vectors = np.load(record.with_name(f"{digest}.npy"), mmap_mode="r")
            if list(vectors.shape) == note["shape"] and vectors.dtype == np.float32:
                return vectors, digest
    return None


def _record_name(folder: Path, names: Sequence[str], *, flatten: bool) -> str:
    digest = hashlib.blake2b(str(folder.resolve()).encode(), digest_size=16)
    digest.update(b"\0flatten" if flatten else b"\0")
    digest.update("\0".join(names).encode())
    return digest.hexdigest()


def _signature(folder: Path, names: Sequence[str]) -> tuple[str, int]:
    """Return a digest of names, sizes and times of the files, and the newest time in ns."""
    digest = hashlib.blake2b(digest_size=16)
    newest = 0
    prefix = str(folder) + os.sep
    for name in names:
        try:
            found = os.stat(prefix + name)  # noqa: PTH116 (25,000 Path objects take as long)
        except OSError as error:
            raise _unreadable(folder / name, error) from error
        digest.update(f"{name}\0{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}".encode())
        newest = max(newest, found.st_mtime_ns, found.st_ctime_ns)
    return digest.hexdigest(), newest


def _dimension(path: Path, *, flatten: bool) -> int:
    return _length(path, _layout(path, _bytes(path)), flatten=flatten)


def _fill(out: Float32, folder: Path, names: Sequence[str], *, flatten: bool) -> str:
    """Read the files into the rows of ``out`` and return the digest of names and vectors."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{out.shape}\0".encode())
    digest.update("\0".join(names).encode())
    starts = range(0, len(names), _BLOCK)
    with ThreadPoolExecutor(_THREADS) as threads:
        jobs = [
            threads.submit(
                _fill_block,
                out[start : start + _BLOCK],
                folder,
                names[start : start + _BLOCK],
                names[0],
                flatten,
            )
            for start in starts
        ]
        try:
            for start, job in zip(starts, jobs, strict=True):
                job.result()
                digest.update(out[start : start + _BLOCK].data)
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return digest.hexdigest()


def _fill_block(
    out: Float32, folder: Path, names: Sequence[str], first: str, flatten: bool
) -> None:
    prefix = str(folder) + os.sep
    layouts: dict[bytes, _Layout] = {}
    for row, name in enumerate(names):
        raw = _bytes(prefix + name)
        head = raw[: _header_end(raw)]
        layout = layouts.get(head)
        if layout is None:
            layout = layouts[head] = _layout(folder / name, raw)
            length = _length(folder / name, layout, flatten=flatten)
            if length != out.shape[1]:
                raise FormatError(
                    folder / name,
                    f"its vector has {length:,} values, that of {first} has {out.shape[1]:,}",
                    "All vectors of a set must come from one model",
                )
        if len(raw) < layout.offset + out.shape[1] * layout.dtype.itemsize:
            raise FormatError(folder / name, "it ends early", "Write it again from its source")
        with np.errstate(over="ignore"):
            out[row] = np.frombuffer(raw, layout.dtype, out.shape[1], layout.offset)
    # A sum is not finite if any term is not; only then are the rows looked at one by one.
    if not np.isfinite(out.sum(dtype=np.float64)):
        for row in np.flatnonzero(~np.isfinite(out).all(axis=1)).tolist():
            bad = int((~np.isfinite(out[row])).sum())
            raise FormatError(
                folder / names[row],
                f"{bad:,} of its {out.shape[1]:,} values are NaN or infinite as float32",
                "Embed this clip again, or take it out of the label table",
            )


def _bytes(path: Path | str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        raise _unreadable(Path(path), error) from error


def _unreadable(path: Path, error: OSError) -> FileError:
    return FileError(path, f"it cannot be read: {error.strerror or error}")


def _layout(path: Path, raw: bytes) -> _Layout:
    """Read the header, as described in NumPy's format 1.0 to 3.0."""
    if not raw.startswith(_MAGIC) or len(raw) < 12:
        raise FormatError(path, "it is not a NumPy .npy file", "Write it again with numpy.save")
    end = _header_end(raw)
    try:
        header = ast.literal_eval(raw[12 if raw[6] >= 2 else 10 : end].decode("utf-8"))
        dtype = np.dtype(header["descr"])
        shape = tuple(int(n) for n in header["shape"])
    except (ValueError, SyntaxError, KeyError, TypeError) as error:
        raise FormatError(path, "the header of the .npy file is broken") from error
    if header.get("fortran_order") and min(len(shape), *shape) > 1:
        raise FormatError(path, "its array is in Fortran order", "Write it again in C order")
    if dtype.kind != "f" or dtype.itemsize not in (2, 4, 8):
        raise FormatError(path, f"it holds {dtype}, expected float16, float32 or float64")
    return _Layout(end, dtype, shape)


def _header_end(raw: bytes) -> int:
    """Return where the data begin; the length of the header has 2 bytes, from format 2.0 on 4."""
    if len(raw) < 12:
        return len(raw)
    start = 12 if raw[6] >= 2 else 10
    return start + int.from_bytes(raw[8:start], "little")


def _length(path: Path, layout: _Layout, *, flatten: bool) -> int:
    shape = layout.shape
    good = len(shape) == 1 or (len(shape) == 2 and shape[0] == 1)
    if (not good and not (flatten and len(shape) > 1)) or 0 in shape:
        raise FormatError(path, f"its array has shape {shape}, expected (D,) or (1, D)")
    return int(np.prod(shape))
