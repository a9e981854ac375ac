"""Code of others in this process: a file run as a module, and global random generators."""

from __future__ import annotations

import copy
import importlib.util
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np

from antiphon.errors import FileError

# Where a package is called something else than its import.
_INSTALL = {"faiss": "faiss-cpu", "skactiveml": "scikit-activeml", "sklearn": "scikit-learn"}


def run_file(path: Path) -> ModuleType:
    """Execute a Python file as a module of its own; modules beside it can be imported.

    Raises
    ------
    FileError
        If it is missing or fails; a missing package is named.
    """
    if not path.is_file():
        raise FileError(path, "there is no such file")
    name = f"_participant_{abs(hash(path.resolve())):x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileError(path, "it is not a Python file", "Its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.modules[name] = module
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or str(error)).partition(".")[0]
        raise FileError(
            path,
            f"it imports {package!r}, which is not installed",
            f"Install it: pip install {_INSTALL.get(package, package)}",
        ) from error
    except Exception as error:
        raise FileError(path, f"it fails to run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(folder)
        sys.modules.pop(name, None)
    return module


@contextmanager
def global_seeds(generator: np.random.Generator) -> Iterator[None]:
    """Seed the global generators of NumPy, ``random`` and torch, and put them back at the end.

    The seed follows from the state of ``generator``, which is not changed.
    """
    seed = int(copy.deepcopy(generator).integers(2**32))
    torch = sys.modules.get("torch")
    # Participants' code may use NumPy's old interface, so its state is kept here.
    kept = np.random.get_state()  # noqa: NPY002
    kept_python = random.getstate()
    kept_torch = None if torch is None else torch.get_rng_state()
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    if torch is not None:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        np.random.set_state(kept)  # noqa: NPY002
        random.setstate(kept_python)
        if torch is not None:
            torch.set_rng_state(kept_torch)
