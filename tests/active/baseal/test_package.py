from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from antiphon.active.baseal.export import export_sampling
from antiphon.active.baseal.package import write_package
from antiphon.errors import FileError, FormatError, UserError
from tests.active.baseal.yaml_files import write_results

FULL = [(50 * i, 0.1 + 0.03 * i, 0.01) for i in range(1, 11)]


def results(tmp_path: Path, **options: object) -> list[Path]:
    return [
        write_results(tmp_path / f"{name}.yaml", dataset=name, curve=FULL, **options)
        for name in ("HSN_BASEAL", "POW_BASEAL", "UHH_BASEAL", "ATBFL_BASEAL")
    ]


def test_a_package_holds_what_the_task_page_asks_for(tmp_path: Path) -> None:
    sampling, requirements, notebook = export_sampling("coreset", tmp_path / "export")
    package = write_package(
        tmp_path / "out",
        results(tmp_path, strategy="coreset"),
        sampling,
        lastname="lastname",
        institute="INST",
        requirements=requirements,
        notebook=notebook,
    )
    assert package.path.name == "lastname_INST_task4_1.zip"
    assert package.warnings == ()
    with zipfile.ZipFile(package.path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "coreset_HSN_BASEAL_lastname.yaml",
            "coreset_POW_BASEAL_lastname.yaml",
            "coreset_UHH_BASEAL_lastname.yaml",
            "coreset_ATBFL_BASEAL_lastname.yaml",
            "sampling.py",
            "requirements.txt",
            "method_description.ipynb",
        ]
        assert archive.read("sampling.py") == sampling.read_bytes()
        assert json.loads(archive.read("method_description.ipynb"))["nbformat"] == 4
    before = package.path.read_bytes()
    again = write_package(
        tmp_path / "out",
        results(tmp_path, strategy="coreset"),
        sampling,
        lastname="lastname",
        institute="INST",
        requirements=requirements,
        notebook=notebook,
    )
    assert again.path.read_bytes() == before


def test_what_the_organisers_may_object_to(tmp_path: Path) -> None:
    sampling = tmp_path / "mine.py"
    sampling.write_text(
        "import numpy, torch, some_package\nclass SamplingStrategy:\n    def select(self): ...\n"
    )
    short = write_results(tmp_path / "s.yaml", curve=[(25, 0.2, 0.0), (75, 0.3, 0.0), (80, 0.3, 0)])
    long = write_results(tmp_path / "l.yaml", dataset="POW", curve=[*FULL, (550, 0.5, 0.0)])
    other = write_results(tmp_path / "o.yaml", dataset="UHH", strategy="other", curve=FULL)
    package = write_package(
        tmp_path, [short, long, other], sampling, lastname="somebody", institute="I.N.S.T."
    )
    assert package.path.name == "somebody_INST_task4_1.zip"
    told = "\n".join(package.warnings)
    for part in (
        "s.yaml: only 80 of 500 labels",
        "l.yaml: 550 labels were spent; the budget is 500",
        "author_lastname is 'lastname', the package is of 'somebody'",
        "2 methods: margin, other",
        "no results of ATBFL",
        "sampling.py imports some_package, but there is no requirements.txt",
        "not all of one size, but there is no method_description.ipynb",
    ):
        assert part in told
    assert "numpy" not in told
    assert "torch" not in told


def test_too_few_repeats(tmp_path: Path) -> None:
    files = results(tmp_path)
    text = files[0].read_text().replace("n_outer_repeats: 5", "n_outer_repeats: 3")
    files[0].write_text(text)
    sampling, *_ = export_sampling("random", tmp_path)
    package = write_package(tmp_path, files, sampling, lastname="lastname", institute="I")
    assert package.warnings == ("HSN_BASEAL.yaml: 3 repeats; the task asks for 5.",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:", "no valid Python"),
        ("x = 1", "no class SamplingStrategy"),
        ("class SamplingStrategy:\n    pass", "no method select"),
    ],
)
def test_a_sampling_file_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    sampling = tmp_path / "sampling.py"
    sampling.write_text(text)
    with pytest.raises(FormatError, match=rf"sampling\.py: .*{message}"):
        write_package(tmp_path, results(tmp_path), sampling, lastname="a", institute="b")


def test_a_sampling_file_is_not_run(tmp_path: Path) -> None:
    sampling = tmp_path / "sampling.py"
    sampling.write_text("class SamplingStrategy:\n    def select(self): ...\nraise SystemExit\n")
    write_package(tmp_path, results(tmp_path), sampling, lastname="a", institute="b")


def test_other_bad_parts(tmp_path: Path) -> None:
    sampling, _, notebook = export_sampling("random", tmp_path)
    files = results(tmp_path)
    ends = {"lastname": "a", "institute": "b"}
    with pytest.raises(UserError, match="no results to pack"):
        write_package(tmp_path, [], sampling, **ends)
    with pytest.raises(UserError, match="there twice"):
        write_package(tmp_path, [files[0], files[0]], sampling, **ends)
    with pytest.raises(UserError, match="named by last name and institute"):
        write_package(tmp_path, files, sampling, lastname="a", institute=" ")
    with pytest.raises(FileError, match="cannot be read"):
        write_package(tmp_path, files, tmp_path / "none.py", **ends)
    notebook.write_text("{}")
    with pytest.raises(FormatError, match="not a notebook"):
        write_package(tmp_path, files, sampling, notebook=notebook, **ends)
