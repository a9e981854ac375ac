"""Choose what runs a network: the faster runtime that agrees with ONNX Runtime."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from antiphon.encoders.front_end import NetworkFrontEnd, Prepared
from antiphon.encoders.manifest import Manifest, Tensor
from antiphon.encoders.network import activate, check_input
from antiphon.errors import MissingExtraError, ModelError, UserError
from antiphon.soundscape.members.agreement import BOUNDS, Agreement, compare
from antiphon.soundscape.members.probes import Float32, probe_sounds
from antiphon.soundscape.members.runtimes.session import Int64, Session
from antiphon.soundscape.members.timing import (
    Candidate,
    Precision,
    RuntimeChoice,
    TimingReport,
)

__all__ = ["PROBES", "Precision", "RuntimeChoice", "WantedOutput", "choose_runtime"]

PROBES = 12
"""Windows that runtimes are compared on."""


@dataclass(frozen=True, slots=True)
class WantedOutput:
    """One output of a network, and how it is read.

    Parameters
    ----------
    tensor
        Name or index.
    kind
        ``clip``: ``(n, C)`` class scores, axes of length 1 dropped. ``frames``: class scores over
        time. ``embedding``: numbers that are no probabilities.
    activation
        What turns scores into numbers between 0 and 1.
    columns
        Axis of the classes or dimensions, the batch being axis 0.
    """

    tensor: Tensor
    kind: Literal["clip", "frames", "embedding"] = "clip"
    activation: Literal["none", "sigmoid", "softmax"] = "none"
    columns: int = -1

    def read(self, values: Float32, path: Path) -> Float32:
        """Return the output activated, its columns on the last axis.

        Parameters
        ----------
        values
            As the network gave them.
        path
            The model file, for messages.

        Raises
        ------
        ModelError
            Frames have no time, or clips have one.
        """
        axes = values.shape[1:]
        if self.kind == "clip" and max(axes, default=0) == int(np.prod(axes)):
            values = values.reshape(len(values), max(axes))
        if (self.kind == "clip" and values.ndim != 2) or (self.kind == "frames" and len(axes) != 2):
            wanted = "time and classes" if self.kind == "frames" else "classes"
            raise ModelError(
                path,
                f"its output {self.tensor!r} has the shape {axes} per window, not one of {wanted}",
                f"Name another tensor for {'scores' if self.kind == 'clip' else 'frames'} in the "
                "manifest",
            )
        return activate(np.moveaxis(values, self.columns, -1), self.activation)


def choose_runtime(
    manifest: Manifest,
    model: Path,
    outputs: Sequence[WantedOutput],
    wanted: RuntimeChoice = "auto",
    precision: Precision = "f32",
    *,
    front_end: NetworkFrontEnd | None = None,
    sounds: Float32 | None = None,
    rounds: int = 8,
) -> tuple[Session, TimingReport]:
    """Open a network in the runtime that is asked for, or in the faster one.

    All candidates compute the same windows. ONNX Runtime in f32 is the reference: another one
    that disagrees beyond :data:`~antiphon.soundscape.members.agreement.BOUNDS`, or computes in
    less than f32 unasked, is refused with the numbers. Of the rest, ``auto`` takes the faster one.

    Parameters
    ----------
    manifest, model
        The description, and the model file.
    outputs
        What is wanted of it.
    wanted
        ``auto``, ``onnxruntime`` or ``openvino``. TFLite files have one runtime, LiteRT.
    precision
        ``f32``. ``bf16`` and ``f16`` permit OpenVINO that precision; in ``auto``, ONNX Runtime in
        f32 stays a candidate, and OpenVINO in f32 is one where the permitted one is refused.
    front_end
        Of the manifest, where it is there already.
    sounds
        ``(n, samples)`` windows to try, such as real ones; made up when not given.
    rounds
        Windows timed in each candidate, by turns, so that a busy machine hits all alike; the
        least time of the thread counts. 0 for no timing: ``auto`` then takes ONNX Runtime.

    Returns
    -------
    session
        Ready for one thread.
    report
        What was tried and measured.

    Raises
    ------
    ModelError
        The file cannot be used, or the runtime asked for is refused.
    UserError
        Runtime, precision and file do not go together.
    MissingExtraError
        ``openvino`` is asked for and not installed.
    """
    _check_request(manifest, wanted, precision)
    trial = _Trial(manifest, model, outputs, front_end or NetworkFrontEnd(manifest), sounds)
    tried, notes = [trial.reference], []
    if manifest.runtime == "onnx" and wanted != "onnxruntime":
        try:
            tried += trial.openvino(precision, must=wanted == "openvino")
        except MissingExtraError:
            if wanted == "openvino":
                raise
            notes.append("openvino was not tried: it is not installed (extra openvino)")
    tried = trial.timed(tried, rounds)
    usable = [
        one
        for one in tried
        if one.session is not None and (wanted != "openvino" or one is not tried[0])
    ]
    if not usable:
        told = "; ".join(f"{one.candidate.name}: {one.candidate.refused}" for one in tried[1:])
        raise ModelError(model, f"cannot be run with openvino ({told})", "Use runtime: onnxruntime")
    taken = min(usable, key=lambda one: one.candidate.window_s or 0.0)
    assert taken.session is not None
    others = tuple(one.candidate for one in tried if one is not taken)
    return taken.session, TimingReport(taken.candidate, others, tuple(notes))


def _check_request(manifest: Manifest, wanted: RuntimeChoice, precision: Precision) -> None:
    if manifest.runtime == "tflite" and wanted != "auto":
        raise UserError(
            f"Network {manifest.name!r} is a TFLite file, which {wanted} does not run: "
            "use runtime auto."
        )
    if wanted == "onnxruntime" and precision != "f32":
        raise UserError(
            f"Network {manifest.name!r}: ONNX Runtime computes f32 on processors, not {precision}. "
            "Use runtime openvino or auto, or precision f32."
        )


@dataclass(frozen=True, slots=True)
class _Tried:
    candidate: Candidate
    session: Session | None  # None where it is refused


class _Trial:
    """One network, some windows, and what ONNX Runtime (or LiteRT) says of them."""

    def __init__(
        self,
        manifest: Manifest,
        model: Path,
        outputs: Sequence[WantedOutput],
        front_end: NetworkFrontEnd,
        sounds: Float32 | None,
    ) -> None:
        self._manifest, self._model, self._outputs = manifest, model, outputs
        self._shape = front_end.shape
        samples = round(manifest.window_s * manifest.sample_rate)
        if sounds is None:
            sounds = probe_sounds(PROBES, samples, manifest.sample_rate)
        self._valid: Int64 = np.full(len(sounds), samples, np.int64)
        self._probes: Prepared = front_end(sounds, self._valid)
        name = "litert f32" if manifest.runtime == "tflite" else "onnxruntime f32"
        session, load_s = _opened(self._open_reference)
        check_input(manifest, model, front_end, session)
        self.reference = _Tried(Candidate(name, session.facts, load_s), session)
        self._said = self._read(session)

    def openvino(self, precision: Precision, must: bool) -> list[_Tried]:
        """Try OpenVINO in a precision and, where that is refused, in f32 as well."""
        tried = [self._openvino(precision, must)]
        if tried[0].session is None and precision != "f32" and not must:
            tried.append(self._openvino("f32", must))
        return tried

    def timed(self, tried: list[_Tried], rounds: int) -> list[_Tried]:
        """Time the candidates that may be used, window by window in turns."""
        best = [(float("inf"), float("inf"))] * len(tried)
        for turn in range(rounds):
            row = slice(turn % len(self._valid), turn % len(self._valid) + 1)
            for at, one in enumerate(tried):
                if one.session is not None:
                    took = self._took(one.session, row)
                    best[at] = (min(best[at][0], took[0]), min(best[at][1], took[1]))
        return [
            _Tried(replace(one.candidate, window_s=_core_seconds(*seconds)), one.session)
            if one.session is not None and rounds
            else one
            for one, seconds in zip(tried, best, strict=True)
        ]

    def _took(self, session: Session, row: slice) -> tuple[float, float]:
        """Return the seconds of this thread and of the clock for one window."""
        begin, busy = time.perf_counter(), time.thread_time()
        session.run(self._probes.tensor[row], self._valid[row])
        return time.thread_time() - busy, time.perf_counter() - begin

    def _open_reference(self) -> Session:
        # Each runtime costs time to import, and one is often enough.
        entry, tensors = self._manifest.input, self._tensors
        if self._manifest.runtime == "tflite":
            from antiphon.soundscape.members.runtimes.tflite import TfliteSession

            return TfliteSession(self._model, entry.tensor, tensors)
        from antiphon.soundscape.members.runtimes.onnx import OnnxSession

        return OnnxSession(self._model, entry.tensor, tensors, entry.valid)

    def _openvino(self, precision: Precision, must: bool) -> _Tried:
        from antiphon.soundscape.members.runtimes.openvino import OpenvinoSession

        entry, name = self._manifest.input, f"openvino {precision}"
        try:
            session, load_s = _opened(
                lambda: OpenvinoSession(
                    self._model, entry.tensor, self._tensors, self._shape, entry.valid, precision
                )
            )
            said = self._read(session)
        except ModelError as error:
            if must:
                raise
            return _Tried(Candidate(name, refused=error.problem), None)
        agreement, bound = self._compared(said), BOUNDS[precision]
        refused = ""
        if precision == "f32" and session.facts.precision != "f32":
            refused = f"it computes in {session.facts.precision} although f32 was asked for"
        elif not agreement.within(bound):
            refused = (
                f"it disagrees with ONNX Runtime: {agreement}, where at least "
                f"{bound.rank_correlation} and at most {bound.largest_difference} are asked for"
            )
        candidate = Candidate(name, session.facts, load_s, agreement, bound, refused)
        return _Tried(candidate, None if refused else session)

    @property
    def _tensors(self) -> list[Tensor]:
        return [output.tensor for output in self._outputs]

    def _read(self, session: Session) -> list[Float32]:
        raw = session.run(self._probes.tensor, self._valid)
        return [
            output.read(values, self._model)
            for output, values in zip(self._outputs, raw, strict=True)
        ]

    def _compared(self, said: list[Float32]) -> Agreement:
        return compare(self._said, said, [output.kind != "embedding" for output in self._outputs])


def _opened(make: Callable[[], Session]) -> tuple[Session, float]:
    begin = time.perf_counter()
    return make(), time.perf_counter() - begin


def _core_seconds(thread_s: float, clock_s: float) -> float:
    """Return the seconds of the thread, which other programs do not lengthen.

    Those of the clock where the thread's clock is too coarse, or the work was done elsewhere.
    """
    return thread_s if thread_s > 0.1 * clock_s else clock_s
