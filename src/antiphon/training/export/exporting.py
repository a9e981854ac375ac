"""From a trained model to a folder that holds an encoder like any other."""

from __future__ import annotations

import copy
import datetime
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from antiphon._version import __version__
from antiphon.encoders.base import Float32, Int64
from antiphon.encoders.network import NetworkEncoder, open_manifest
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import AntiphonError, UserError
from antiphon.training.checkpoints.models import load_model, read_model_config
from antiphon.training.export.card import model_card
from antiphon.training.export.config import PRECISIONS, ExportConfig, Precision, file_name
from antiphon.training.export.errors import ParityError
from antiphon.training.export.facts import (
    ModelFacts,
    find_model_folder,
    read_facts,
    without_places,
)
from antiphon.training.export.graph import export_graph, graph_bytes
from antiphon.training.export.manifest import choose_words, manifest_text
from antiphon.training.export.parity import (
    Parity,
    compare_outputs,
    encoder_outputs,
    reference_outputs,
)
from antiphon.training.export.place import choose_place
from antiphon.training.export.quantisation import choose_quantisation, quantise
from antiphon.training.export.report import ExportReport
from antiphon.training.export.speed import Speed, encoder_speed, torch_speed
from antiphon.training.export.target import CARD, REPORT, check_target, staging
from antiphon.training.export.weights import halve_weights
from antiphon.training.export.windows import Material, gather_windows
from antiphon.training.front_end.features import FeatureFrontEnd
from antiphon.training.loop.environment import processor
from antiphon.training.model import EncoderModel


def export_encoder(
    source: Path,
    out: Path,
    config: ExportConfig | None = None,
    *,
    audio: Path | None = None,
    reporter: Reporter | None = None,
) -> ExportReport:
    """Export a trained model as an encoder of its own: ONNX file, manifest, card and report.

    Parameters
    ----------
    source
        Folder of a model, or of the training run that made it.
    out
        Folder to make.
    config
        Precision, bounds and names.
    audio
        Recordings to judge it on, and to calibrate static quantisation by; soundscapes are
        synthesised where none are given.
    reporter
        Hears of the progress.

    Raises
    ------
    ParityError
        It differs from the model by more than the bounds allow; nothing is kept.
    FileError
        There is no model, the target is there already, or the network cannot be exported.
    UserError
        There is no audio to judge it on.
    DiskFullError
        There was no space; nothing is kept.
    MissingExtraError
        A package of the extra ``train`` is missing.
    """
    config = config or ExportConfig()
    folder = find_model_folder(source)
    check_target(out, config.overwrite)
    model = load_model(folder)
    facts = read_facts(folder, read_model_config(folder))
    return export_model(model, facts, out, config, audio=audio, reporter=reporter)


def export_model(
    model: EncoderModel,
    facts: ModelFacts,
    out: Path,
    config: ExportConfig,
    *,
    audio: Path | None = None,
    reporter: Reporter | None = None,
    seconds: float = 1.0,
) -> ExportReport:
    """Export a model that is in memory; as :func:`export_encoder`.

    Parameters
    ----------
    model
        In evaluation mode, on the CPU.
    facts
        Of it, for the card.
    out, config, audio, reporter
        As :func:`export_encoder`.
    seconds
        That each round of timing takes.
    """
    reporter = reporter or Silent()
    if not config.scores and model.head is not None:
        model = copy.deepcopy(model)
        model.drop_head()
    if config.hop_s is not None and config.hop_s > model.window_s:
        raise UserError(
            f"A hop of {config.hop_s:g} s leaves out audio between windows of {model.window_s:g} s."
        )
    material = gather_windows(
        audio,
        model.sample_rate,
        model.window_samples,
        parity=config.windows,
        calibration=config.calibration,
    )
    with staging(out, config.overwrite) as folder:
        export = _Export(model, facts, config, material, folder, reporter, seconds)
        report = export.run(out)
        told = tuple(without_places(note, facts.folder, audio) for note in report.notes)
        report = replace(report, notes=told)
        broken = report.parity[config.precision].exceeded(report.bounds)
        if broken:
            raise ParityError(_refusal(report, broken), report)
        return export.finish(report)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The encoder in one precision."""

    precision: Precision
    quantisation: str | None
    content: bytes


class _Export:
    """One export under way, in a folder that nobody sees yet."""

    def __init__(
        self,
        model: EncoderModel,
        facts: ModelFacts,
        config: ExportConfig,
        material: Material,
        folder: Path,
        reporter: Reporter,
        seconds: float,
    ) -> None:
        self._model = model
        self._facts = facts
        self._config = config
        self._material = material
        self._folder = folder
        self._reporter = reporter
        self._seconds = seconds
        self._name = config.name or file_name(facts.name)
        self._words = choose_words(model, facts, config)
        self._notes = [*facts.notes, *material.notes]
        self._place = choose_place(model, config, self._notes)

    def run(self, out: Path) -> ExportReport:
        """Make and judge the encoder in each precision that is reported on."""
        parity: dict[Precision, Parity] = {}
        windows = self._material.parity
        speed: list[Speed] = [torch_speed(self._model, windows, self._seconds)]
        reference = reference_outputs(self._model, windows)
        method = None
        for candidate in self._candidates():
            self._reporter.start(f"parity, {candidate.precision}", len(windows), "windows")
            encoder = self._open(candidate)
            graph = candidate.content if self._model.is_detector else None
            found = encoder_outputs(encoder, windows, self._reporter, graph)
            self._reporter.finish()
            parity[candidate.precision] = compare_outputs(reference, found, windows)
            runtime = f"onnx {candidate.precision}"
            if candidate.quantisation is not None:
                runtime += f", {candidate.quantisation}"
            size = len(candidate.content)
            speed.append(encoder_speed(encoder, windows, runtime, size, self._seconds))
            if candidate.precision == self._config.precision:
                method = candidate.quantisation
            else:
                self._remove()
        return ExportReport(
            folder=out,
            name=self._name,
            precision=self._config.precision,
            quantisation=method,
            bounds=self._config.bounds_of(self._config.precision, detector=self._model.is_detector),
            audio=self._material.described,
            parity=parity,
            speed=speed,
            model=self._describe(),
            environment=_environment(),
            notes=tuple(self._notes),
        )

    def finish(self, report: ExportReport) -> ExportReport:
        """Write card and report beside the encoder."""
        card = model_card(report, self._facts, self._words)
        (self._folder / CARD).write_text(card, encoding="utf-8")
        files = {
            path.name: {"bytes": path.stat().st_size, "sha256": _sha256(path.read_bytes())}
            for path in sorted(self._folder.iterdir())
        }
        report = replace(report, files=files)
        text = json.dumps(report.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
        (self._folder / REPORT).write_text(text + "\n", encoding="utf-8")
        return report

    def _candidates(self) -> Iterator[_Candidate]:
        """Yield the precisions that are compared, that asked for last."""
        exportable = copy.deepcopy(self._model)
        if self._place == "inside":
            exportable.front_end = FeatureFrontEnd(
                self._model.front_end_config, self._model.sample_rate, transform="matmul"
            )
        graph = export_graph(exportable.eval(), self._facts.folder, self._place)
        asked = self._config.precision
        others = [p for p in PRECISIONS if p != asked and (p == "fp32" or self._config.compare)]
        for precision in (*others, asked):
            try:
                yield self._candidate(graph, precision)
            except AntiphonError as error:
                if precision == asked:
                    raise
                self._notes.append(f"no {precision}: {error}")

    def _candidate(self, graph: Any, precision: Precision) -> _Candidate:
        if precision == "fp32":
            return _Candidate(precision, None, graph_bytes(graph))
        if precision == "fp16":
            return _Candidate(precision, None, graph_bytes(halve_weights(graph)))
        method = choose_quantisation(graph, self._config.quantisation)
        quantised = quantise(graph, method, self._calibration(), self._folder, self._facts.folder)
        return _Candidate(precision, method, graph_bytes(quantised))

    def _calibration(self) -> tuple[Float32, Int64]:
        """Return what the graph takes for the calibration windows."""
        windows = self._material.calibration
        if self._place == "inside":
            return windows.audio, windows.valid
        with torch.inference_mode():
            audio, valid = torch.from_numpy(windows.audio), torch.from_numpy(windows.valid)
            return self._model.front_end(audio, valid)[0].numpy(), windows.valid

    def _open(self, candidate: _Candidate) -> NetworkEncoder:
        """Write model and manifest, and open them as a user does."""
        (self._folder / f"{self._name}.onnx").write_bytes(candidate.content)
        text = manifest_text(
            self._model,
            self._name,
            candidate.precision,
            self._words,
            _sha256(candidate.content),
            self._config.hop_s,
            self._place,
        )
        path = self._folder / f"{self._name}.yaml"
        path.write_text(text, encoding="utf-8")
        return open_manifest(path, {"threads": 1})

    def _remove(self) -> None:
        for suffix in (".onnx", ".yaml"):
            (self._folder / f"{self._name}{suffix}").unlink()

    def _describe(self) -> dict[str, Any]:
        model = self._model
        return {
            "name": self._facts.name,
            "weights_sha256": self._facts.settings.weights_sha256,
            "backbone": model.backbone_config.model_dump(mode="json")["kind"],
            "parameters": sum(p.numel() for p in model.parameters()),
            "sample_rate": model.sample_rate,
            "window_s": model.window_s,
            "dim": model.dim,
            "classes": len(model.classes),
            "front_end": self._place,
            "frames": model.is_detector,
            "seed": self._facts.run.get("seed"),
        }


def _refusal(report: ExportReport, broken: list[str]) -> str:
    found = report.parity[report.precision]
    worst = "; ".join(f"{name} ({distance:.3g})" for name, distance in found.worst)
    advice = {
        "fp32": "The graph does not compute what the model does: please report it",
        "fp16": "Use --precision fp32",
        "int8": "Use --precision fp16, or the other --quantisation",
    }[report.precision]
    return (
        f"Refused, nothing is kept: in {report.precision} {' and '.join(broken)}. "
        f"Worst: {worst}. {advice}; --allow max=..., mean=..., score=... sets other bounds."
    )


def _environment() -> dict[str, Any]:
    packages = {name: version(name) for name in ("torch", "onnx", "onnxruntime", "numpy")}
    return {
        "packages": {"antiphon": __version__, **packages},
        "processor": processor(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
