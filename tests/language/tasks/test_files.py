from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from antiphon.cli.app import app
from antiphon.errors import FormatError, UserError
from antiphon.language.schema import CorpusRow, batches, write_batches
from antiphon.language.tasks.config import TasksConfig
from antiphon.language.tasks.files import write_pairs
from antiphon.language.tasks.generate import HELD_OUT, make_pairs
from antiphon.language.tasks.splits import SplitConfig
from tests.language.tasks.corpus import SPECIES, full_row, make_row, varied

QUICK = TasksConfig(measure=False)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    held: list[CorpusRow] = [*varied()]
    held += [full_row(100 + n, list(SPECIES)[n % 11], recordist=f"R{n % 9}") for n in range(150)]
    write_batches(tmp_path / "rows.parquet", batches(held))
    return tmp_path / "rows.parquet"


def test_a_file_gives_the_pairs_of_its_rows(rows: Path, tmp_path: Path) -> None:
    from antiphon.language.schema import read_batches, to_rows

    out, lost = tmp_path / "pairs.parquet", tmp_path / "rejected.parquet"
    counts, parts = write_pairs(rows, out, QUICK, seed=3, rejected=lost)
    assert parts is None
    assert counts.adds_up
    table = pq.read_table(out)
    assert table.num_rows == counts.pairs
    held = [row for batch in read_batches(rows) for row in to_rows(batch)]
    expected = list(make_pairs(held, QUICK, 3))
    assert table.column("prompt").to_pylist() == [pair.prompt for pair in expected]
    refused = pq.read_table(lost)
    assert refused.num_rows == counts.rejected.total()
    # By reason, each rejection is listed.
    found = refused.column("reason").to_pylist()
    assert {reason: found.count(reason) for reason in set(found)} == dict(counts.rejected)


def test_the_layout_of_the_file_does_not_matter(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from antiphon.language.tasks import files

    monkeypatch.setattr(files, "BATCH_ROWS", 64)
    other = tmp_path / "other.parquet"
    pq.write_table(pq.read_table(rows), other, row_group_size=17)
    write_pairs(rows, tmp_path / "a.parquet", QUICK)
    write_pairs(other, tmp_path / "b.parquet", QUICK)
    assert pq.read_table(tmp_path / "a.parquet").equals(pq.read_table(tmp_path / "b.parquet"))


@pytest.mark.slow
def test_two_processes_give_the_same_pairs(rows: Path, tmp_path: Path) -> None:
    first, _ = write_pairs(rows, tmp_path / "a.parquet", QUICK, workers=1)
    second, _ = write_pairs(rows, tmp_path / "b.parquet", QUICK, workers=2)
    assert first == second
    assert pq.read_table(tmp_path / "a.parquet").equals(pq.read_table(tmp_path / "b.parquet"))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of POSIX")
def test_processes_end_with_the_one_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "wait.py"
    script.write_text(
        "import os, time\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing import get_context\n"
        "from antiphon.language.tasks import files\n"
        "if __name__ == '__main__':\n"
        "    context = get_context('spawn')\n"
        "    with ProcessPoolExecutor(1, context, files._start, (None,)) as pool:\n"
        "        print(pool.submit(os.getpid).result(), flush=True)\n"
        "        time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as main:
        assert main.stdout is not None
        worker = int(main.stdout.readline())
        os.kill(worker, 0)
        main.kill()
    for _ in range(300):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    raise AssertionError("the worker is still there")


def test_held_out_names_are_no_options_in_training(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs.parquet"
    config = SplitConfig(held_out_families=("Paridae",), held_out_species=("Turdus iliacus",))
    many = TasksConfig(measure=False, pairs_per_row=8, most_per_row=44)
    counts, parts = write_pairs(rows, out, many, splits=config)
    assert parts is not None
    assert counts.adds_up
    # Every full row has a great tit behind it, so that only its own rows are left.
    assert counts.rejected[HELD_OUT] == parts.counts()["left_out"] > 100
    table = pq.read_table(out).to_pylist()
    assert {row["split"] for row in table} <= {
        "unseen_family",
        "unseen_species",
        "train",
        "validation",
        "test",
    }
    for row in table:
        if not row["split"].startswith("unseen"):
            assert not {"Parus major", "Great Tit", "Turdus iliacus", "Redwing"} & set(
                row["options"]
            )


def test_faulty_files_are_named(tmp_path: Path) -> None:
    bad = tmp_path / "rows.parquet"
    bad.write_bytes(b"no table")
    with pytest.raises(FormatError, match="not a Parquet file"):
        write_pairs(bad, tmp_path / "out.parquet")
    with pytest.raises(UserError, match="no form 'jsonl'"):
        write_pairs(bad, tmp_path / "out.parquet", form="jsonl")
    assert not (tmp_path / "out.parquet").exists()


def test_a_table_without_rows(tmp_path: Path) -> None:
    write_batches(tmp_path / "rows.parquet", [])
    counts, _ = write_pairs(
        tmp_path / "rows.parquet", tmp_path / "out.parquet", splits=SplitConfig()
    )
    assert counts.pairs == 0
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


def test_the_command(rows: Path, tmp_path: Path) -> None:
    settings = tmp_path / "pairs.yaml"
    settings.write_text("measure: false\npairs_per_row: 2\nsplits:\n  held_out_genera: [Bufo]\n")
    out = tmp_path / "pairs.parquet"
    command = ["corpus", "pairs", str(rows), "--out", str(out), "--config", str(settings)]
    done = CliRunner().invoke(
        app, [*command, "--tasks", "species-*,sex", "--form", "roots", "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["rows"] + told["more_draws"] == told["pairs"] + sum(told["rejected"].values())
    assert told["held_out"] == ["Bufo"]
    assert set(told["by_task"]) <= {"sex"} | {
        t for t in told["by_task"] if t.startswith("species-")
    }
    assert pq.read_table(out).num_rows == told["pairs"]
    shown = CliRunner().invoke(app, command)
    assert shown.exit_code == 0
    assert "Held out: Bufo" in shown.output


def test_wrong_settings_are_named(rows: Path, tmp_path: Path) -> None:
    settings = tmp_path / "pairs.yaml"
    settings.write_text("pairs_pro_row: 2\n")
    command = ["corpus", "pairs", str(rows), "--out", str(tmp_path / "o.parquet")]
    failed = CliRunner().invoke(app, [*command, "--config", str(settings)])
    assert isinstance(failed.exception, FormatError)
    assert "pairs_pro_row" in str(failed.exception)
    failed = CliRunner().invoke(app, [*command, "--tasks", "speices"])
    assert "no task 'speices'" in str(failed.exception)


def test_rows_without_ids_in_order_have_their_own_pairs(tmp_path: Path) -> None:
    held = [make_row(n, "Parus major") for n in range(20)]
    write_batches(tmp_path / "rows.parquet", batches(held))
    write_pairs(tmp_path / "rows.parquet", tmp_path / "o.parquet", QUICK)
    audio = pq.read_table(tmp_path / "o.parquet").column("audio").to_pylist()
    assert {refs[-1]["row_id"] for refs in audio} <= {row.id for row in held}
