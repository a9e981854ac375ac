"""Whole runs: every family, kept results, failures that stop nothing, processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.benchmarks.embedding.encoder_refs import EncoderRef, parse_encoders
from antiphon.evaluation.benchmarks.folder import ResultFolder
from antiphon.evaluation.benchmarks.judging.families import Settings
from antiphon.evaluation.benchmarks.processes import run_in_processes
from antiphon.evaluation.benchmarks.runner import Asked, run_suite
from antiphon.evaluation.benchmarks.sets.judged_sets import SetSource, local_sources, sources_of
from antiphon.evaluation.benchmarks.sets.recipe import recipes_of
from tests.evaluation.benchmarks.replicas import REPLICAS, table
from tests.evaluation.benchmarks.sounds import write, write_calls

SPECTRAL = "spectral,sample_rate=8000,window_s=0.5,n_mels=32,dim=32"
QUICK = Settings(n_resamples=50)


def published(root, *names):
    for name in names:
        REPLICAS[name](root / recipes_of(name)[0].folder)
    return tuple(sources_of(names, root))


def asked(root, sources, *, encoders=(SPECTRAL,), **options):
    return Asked(tuple(sources), parse_encoders(encoders), root / "run", settings=QUICK, **options)


def results(root):
    found, broken = ResultFolder(root / "run").results()
    assert broken == []
    return {(r.name, r.family): r for r in found}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One set of each family, judged once."""
    root = tmp_path_factory.mktemp("suite")
    names = ("esc50", "enabirds", "HSN", "macaque", "zebra_finch", "giant_otter")
    sources = published(root / "data", *names)
    report = run_suite(asked(root, sources))
    assert (report.done, report.failed) == (6, [])
    return root, sources


def test_each_family_has_its_protocols(run):
    found = results(run[0])
    measures = {
        key: {(v.protocol, v.measure) for v in result.values} for key, result in found.items()
    }
    assert {("probe", "accuracy"), ("retrieval", "r_auc"), ("clustering", "nmi")} <= measures[
        ("esc50", "classification")
    ]
    assert {("probe", "map_all"), ("probe", "event_f1"), ("retrieval", "r_auc")} <= measures[
        ("enabirds", "detection")
    ]
    assert {("probe", "map_all"), ("retrieval", "r_auc")} <= measures[("HSN", "birdset")]
    assert {("probe", "accuracy"), ("retrieval_train", "r_auc")} <= measures[
        ("macaque", "individual")
    ]
    repertoire = measures[("zebra_finch", "repertoire")]
    assert {("retrieval", "r_auc"), ("clustering", "nmi"), ("raw_frames", "r_auc")} <= repertoire
    assert not any(protocol == "probe" for protocol, _ in repertoire)


def test_tones_of_two_pitches_are_told_apart(run):
    found = results(run[0])
    for key, measure in (
        (("esc50", "classification"), "accuracy"),
        (("macaque", "individual"), "accuracy"),
        (("enabirds", "detection"), "map_all"),
        (("HSN", "birdset"), "map_all"),
    ):
        value = found[key].value("probe", measure)
        assert value.value > 0.95, key
        assert value.low <= value.value <= value.high or not np.isfinite(value.low)


def test_leakage_is_part_of_every_result(run):
    found = results(run[0])
    # BEANS puts stretches of one recording on both sides; the report says so.
    bad = found[("enabirds", "detection")]
    assert bad.leaks[0] >= 1
    assert any("from recordings on the train side" in line for line in bad.leakage)
    assert found[("esc50", "classification")].leaks[0] == 0
    assert "Leakage" in found[("esc50", "classification")].leakage[0]
    assert "Nothing is trained" in found[("zebra_finch", "repertoire")].leakage[0]


def test_counts_and_assumed_layouts_are_in_the_notes(run):
    found = results(run[0])
    assert any("the publisher has 2,000" in n for n in found[("esc50", "classification")].notes)
    assert found[("giant_otter", "repertoire")].notes[0].startswith("its layout is assumed")


def test_a_rerun_does_nothing_and_gives_the_same_files(run):
    root, sources = run
    before = {p: p.read_bytes() for p in (root / "run").rglob("*.json")}
    report = run_suite(asked(root, sources))
    assert (report.done, report.kept, report.failed) == (0, 6, [])
    assert {p: p.read_bytes() for p in (root / "run").rglob("*.json")} == before


def test_redo_judges_again_from_the_cache_with_the_same_numbers(run):
    root, sources = run
    before = results(root)[("esc50", "classification")]
    report = run_suite(asked(root, sources[:1], redo=True))
    assert report.done == 1
    assert results(root)[("esc50", "classification")].values == before.values


def test_a_changed_label_or_sound_is_judged_anew(tmp_path):
    sources = published(tmp_path / "data", "dogs")
    run_suite(asked(tmp_path, sources))
    path = tmp_path / "data" / "dogs" / "annotations.csv"
    path.write_text(path.read_text().replace("bark_Mac_0.wav,Mac", "bark_Mac_0.wav,Zoe"))
    assert run_suite(asked(tmp_path, sources)).done == 1
    write(tmp_path / "data" / "dogs" / "audio" / "bark_Zoe_1.wav", 1234.0, 0.7)
    assert run_suite(asked(tmp_path, sources)).done == 1
    assert run_suite(asked(tmp_path, sources)).kept == 1


def test_failures_are_named_and_the_rest_goes_on(tmp_path):
    sources = (*published(tmp_path / "data", "dogs"), *sources_of(["bats"], tmp_path / "data"))
    broken = tmp_path / "data" / "dogs" / "audio" / "bark_Mac_3.wav"
    broken.write_bytes(b"not audio")
    report = run_suite(asked(tmp_path, sources, encoders=("spectrl", SPECTRAL)))
    assert report.done == 1
    assert [f.what for f in report.failed] == ["encoder spectrl", "bats"]
    assert "Did you mean 'spectral'" in report.failed[0].reason
    assert "--download" in report.failed[1].reason
    result = results(tmp_path)[("dogs", "classification")]
    assert [item for item, _ in result.failed] == ["bark_Mac_3.wav"]
    assert result.rows == 9
    assert result.notes[0].startswith("1 items have no embedding")
    assert {f.what for f in ResultFolder(tmp_path / "run").failures()} == {
        "encoder spectrl",
        "bats",
    }
    # Once the set is there, its failure is forgotten.
    published(tmp_path / "data", "bats")
    run_suite(asked(tmp_path, sources))
    assert {f.what for f in ResultFolder(tmp_path / "run").failures()} == {"encoder spectrl"}


def test_a_set_of_which_nothing_can_be_read_fails_with_its_reason(tmp_path):
    sources = published(tmp_path / "data", "dogs")
    for path in (tmp_path / "data" / "dogs" / "audio").iterdir():
        path.write_bytes(b"")
    report = run_suite(asked(tmp_path, sources))
    assert report.done == 0
    assert "no item has an embedding" in report.failed[0].reason


def test_local_folds_are_over_recordings_and_the_interval_over_groups(tmp_path):
    rows = []
    for n in range(20):
        rows.append((f"{n}.wav", "ab"[n % 2], f"s{n // 4}"))
        write(tmp_path / "own" / f"{n}.wav", (400.0, 900.0)[n % 2], seed=n)
    table(tmp_path / "own" / "labels.csv", "filename,label,source", rows)
    sources, _ = local_sources([tmp_path / "own"])
    run_suite(asked(tmp_path, sources))
    result = results(tmp_path)[("own", "classification")]
    accuracy = result.value("probe", "accuracy")
    assert (accuracy.value, accuracy.n) == (1.0, 20)
    assert "5 groups drawn" in accuracy.note
    assert any("cross-validated over 5 folds over recordings" in n for n in result.notes)
    assert result.leaks == (0, 0)
    assert len(result.per_item) == 20
    assert result.suite == "local"


def test_local_detection_scores_windows_and_events(tmp_path):
    rows = []
    for n in range(6):
        calls = [(t + 0.25 * n % 1, t + 0.25 * n % 1 + 1.0, 900.0) for t in range(1, 18, 4)]
        write_calls(tmp_path / "own" / f"{n}.wav", calls, 20.0)
        rows += [(f"{n}.wav", "call", s, e) for s, e, _ in calls]
    table(tmp_path / "own" / "labels.csv", "filename,label,start,end", rows)
    sources, _ = local_sources(
        [tmp_path / "own"], families=["detection"], window_s=0.5, shift_s=0.25
    )
    report = run_suite(asked(tmp_path, sources))
    assert report.failed == []
    result = results(tmp_path)[("own", "detection")]
    assert result.value("probe", "map").value > 0.95
    # Windows of half a second place onsets to about the collar of a quarter.
    assert result.value("probe", "event_f1").value > 0.7
    assert result.rows == 6 * 79


@dataclass(frozen=True, slots=True)
class Deadly(SetSource):
    """A set whose reading ends the process, as a full memory does."""

    def load(self):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_takes_only_its_own_set(tmp_path):
    (dogs,) = published(tmp_path / "data", "dogs")
    report = run_in_processes(asked(tmp_path, (dogs, Deadly("bats", tmp_path))), 2)
    assert (report.done, report.interrupted) == (1, False)
    (failure,) = report.failed
    assert failure.what == f"{SPECTRAL} on bats"
    assert "was killed; perhaps the memory was full" in failure.reason
    spread = results(tmp_path)[("dogs", "classification")]
    assert run_suite(asked(tmp_path, (dogs,))).kept == 1
    run_suite(asked(tmp_path, (dogs,), redo=True))
    assert results(tmp_path)[("dogs", "classification")].values == spread.values


def test_a_run_that_is_killed_goes_on_from_its_shards(tmp_path):
    sources = published(tmp_path / "data", "dogs")
    code = f"""
        from pathlib import Path
        import time
        from antiphon.evaluation.benchmarks.embedding import cache, features
        from antiphon.evaluation.benchmarks.embedding.encoder_refs import parse_encoders
        from antiphon.evaluation.benchmarks.runner import Asked, run_suite
        from antiphon.evaluation.benchmarks.sets.judged_sets import sources_of
        add = cache.FeatureCache.add
        def slow(self, key, record):
            add(self, key, record)
            if len(self) == 4:
                self.flush()
            if len(self) == 6:
                print("there", flush=True)
                time.sleep(60)
        cache.FeatureCache.add = slow
        run_suite(Asked(tuple(sources_of(["dogs"], Path({str(tmp_path / "data")!r}))),
                        parse_encoders([{SPECTRAL!r}]), Path({str(tmp_path / "run")!r})))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "there"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    shards = list((tmp_path / "run" / "cache").rglob("*.safetensors"))
    assert len(shards) == 1
    from antiphon.evaluation.benchmarks.embedding.cache import FeatureCache

    assert len(FeatureCache(shards[0].parent)) == 4
    assert run_suite(asked(tmp_path, sources)).done == 1
    assert len(FeatureCache(shards[0].parent)) == 10


def test_ctrl_c_stops_after_what_is_done(tmp_path, monkeypatch):
    sources = published(tmp_path / "data", "dogs", "macaque")
    from antiphon.evaluation.benchmarks import runner

    judge = runner.judge
    calls = []

    def once(*arguments):
        if calls:
            raise KeyboardInterrupt
        calls.append(time.time())
        return judge(*arguments)

    monkeypatch.setattr(runner, "judge", once)
    report = run_suite(asked(tmp_path, sources))
    assert report.interrupted
    assert report.done == 1
    monkeypatch.undo()
    again = run_suite(asked(tmp_path, sources))
    assert (again.kept, again.done) == (1, 1)


def test_encoders_are_named_with_parameters():
    ref = EncoderRef.parse("spectral,window_s=1.5,dim=64")
    assert (ref.name, dict(ref.parameters)) == ("spectral", {"window_s": 1.5, "dim": 64})
    assert EncoderRef.parse("avex:model").name == "avex:model"
    with pytest.raises(UserError, match="'dim' is not KEY=VALUE"):
        EncoderRef.parse("spectral,dim")
    with pytest.raises(UserError, match="at least one data set"):
        run_suite(Asked((), (), None))


def test_local_individuals_are_judged_on_other_days(tmp_path):
    rows = []
    for n in range(24):
        rows.append((f"{n}.wav", "call", "AB"[n % 2], f"2024-05-0{1 + n // 8}"))
        write(tmp_path / "own" / f"{n}.wav", (400.0, 900.0)[n % 2], seed=n)
    heading = "filename,label,individual,day"
    table(tmp_path / "own" / "labels.csv", heading, rows)
    sources, _ = local_sources([tmp_path / "own"])
    run_suite(asked(tmp_path, sources))
    result = results(tmp_path)[("own", "individual")]
    assert any("folds over days" in n for n in result.notes)
    assert "3 groups drawn" in result.value("probe", "accuracy").note
    assert result.leaks == (0, 0)
    assert {group for _, group in result.per_item.values()} == {row[3] for row in rows}
    # With sides, the protocol of unseen days is taken, which also says what guessing reaches.
    sides = [(*row, "test" if row[3].endswith("3") else "train") for row in rows]
    table(tmp_path / "own" / "labels.csv", f"{heading},split", sides)
    run_suite(asked(tmp_path, local_sources([tmp_path / "own"])[0]))
    result = results(tmp_path)[("own", "individual")]
    assert result.value("probe", "largest_class").value == 0.5
    assert any("2 training days, 1 test days, none shared" in n for n in result.notes)
