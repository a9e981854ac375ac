"""UMAP of a table's windows in a process of its own, which can be watched and stopped.

McInnes, Healy and Melville (2018), "UMAP: Uniform Manifold Approximation and Projection for
Dimension Reduction", arXiv:1802.03426. It works on the first principal components and begins at
the first two of them.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import numpy.typing as npt

from antiphon.errors import AntiphonError, MissingExtraError, UserError

Float32 = npt.NDArray[np.float32]

FEWEST = 20
"""Windows below which neighbourhoods say nothing."""

_NEIGHBOURS = 15
_SPREAD = 10.0


def can_umap() -> bool:
    """Return whether umap-learn is installed."""
    return importlib.util.find_spec("umap") is not None


def check_umap(windows: int) -> None:
    """Refuse a UMAP that cannot be computed.

    Raises
    ------
    MissingExtraError
        If umap-learn is not installed.
    UserError
        If there are too few windows.
    """
    if not can_umap():
        raise MissingExtraError("umap", "compute a UMAP of the windows")
    if windows < FEWEST:
        raise UserError(f"A UMAP needs at least {FEWEST} windows; there are {windows}.")


def fit_umap(
    components: Float32,
    *,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
    stop: Event | None = None,
) -> Float32 | None:
    """Return the positions of windows by UMAP; the same components and seed give the same ones.

    Parameters
    ----------
    components
        ``(n, c)`` principal components, ``n >= 20``.
    progress
        Called with the share of the epochs that are done.
    stop
        Ends the computation when it is set.

    Returns
    -------
    ndarray or None
        ``(n, 2)`` float32; None when it was stopped.

    Raises
    ------
    MissingExtraError
        If umap-learn is not installed.
    UserError
        If there are too few windows.
    AntiphonError
        If the computation failed.
    """
    check_umap(len(components))
    with tempfile.TemporaryDirectory(prefix="antiphon-umap-") as name:
        source, target, log = (Path(name) / part for part in ("in.npy", "out.npy", "log"))
        np.save(source, components)
        with log.open("wb") as errors:
            command = [sys.executable, "-m", __name__, str(source), str(target), str(seed)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
            try:
                assert process.stdout is not None
                # The process speaks at each epoch, often enough to hear of a stop.
                for line in process.stdout:
                    if stop is not None and stop.is_set():
                        return None
                    done, _, total = line.strip().partition("/")
                    if progress is not None and done.isdecimal() and total.isdecimal():
                        progress(int(done) / max(int(total), 1))
                code = process.wait()
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        if stop is not None and stop.is_set():
            return None
        if code != 0:
            said = log.read_text(errors="replace").strip().splitlines()
            raise AntiphonError(
                f"UMAP ended with the code {code}: {said[-1] if said else 'no message'}."
            )
        position: Float32 = np.load(target, allow_pickle=False).astype(np.float32)
    return position


def _main(source: str, target: str, seed: int) -> None:
    from umap import UMAP

    components = np.load(source, allow_pickle=False)
    begin = components[:, :2] - components[:, :2].mean(axis=0)
    begin *= _SPREAD / max(float(np.abs(begin).max()), 1e-12)
    model = UMAP(
        n_neighbors=min(_NEIGHBOURS, len(components) - 1),
        init=begin,
        random_state=seed,
        n_jobs=1,
        tqdm_kwds={
            "disable": False,
            "file": sys.stdout,
            "bar_format": "{n}/{total}\n",
            "mininterval": 0.5,
        },
    )
    position = np.nan_to_num(np.asarray(model.fit_transform(components), np.float32))
    np.save(target, position)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
