"""Settings of runs: strict, short, and with paths that mean what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from antiphon.errors import FormatError, UserError
from antiphon.training.config import (
    PRESETS,
    RunConfig,
    dump_config,
    list_presets,
    load_run_config,
    split_origin,
)
from antiphon.training.loop.tables import differing_keys

MORE = {"post-training": {"init_from": "model"}, "finetune-lora": {"init_from": "model"}}


def write(path: Path, **values) -> Path:
    path.write_text(yaml.safe_dump(values))
    return path


def on_preset(tmp_path, **values):
    sources = {"sources": [{"kind": "folder", "path": "recordings"}]}
    return write(tmp_path / "run.yaml", preset="eat-tiny", data=sources, **values)


@pytest.mark.parametrize("name", list_presets())
def test_every_preset_is_valid_and_reads_back(name, tmp_path):
    config = load_run_config(name, MORE.get(name), folders=[tmp_path])
    written = yaml.safe_load(dump_config(config))
    again = RunConfig.model_validate(written)
    assert again == config
    assert again.settings == config.settings
    assert differing_keys(written, yaml.safe_load(dump_config(again))) == []


def test_there_are_three_sizes_of_each_stage_that_starts_from_nothing():
    for stage in ("eat", "beats", "supervised"):
        for size in ("tiny", "small", "base"):
            assert f"{stage}-{size}" in list_presets()


def test_base_presets_hold_the_papers_numbers(tmp_path):
    eat = load_run_config("eat-base", folders=[tmp_path])
    assert (eat.optimiser.lr, eat.optimiser.betas, eat.optimiser.clip) == (5e-4, (0.9, 0.95), 4.0)
    assert (eat.loop.steps, eat.optimiser.warmup, eat.batch) == (400_000, 53_000, 48)
    assert (eat.settings.clones, eat.settings.mask_ratio, eat.settings.mask_block) == (16, 0.8, 5)
    supervised = load_run_config("supervised-base", folders=[tmp_path])
    assert (supervised.optimiser.lr, supervised.optimiser.weight_decay) == (5e-4, 0.01)
    assert (supervised.optimiser.warmup, supervised.optimiser.warmup_from) == (4000, 0.1)
    assert supervised.optimiser.final_lr == 1e-6
    assert supervised.augment.noise is not None
    assert supervised.augment.noise.snr_db == (-10.0, 20.0)
    assert supervised.augment.mixup is not None
    assert supervised.augment.mixup.p == 0.5


def test_presets_name_the_steps_of_their_augmentation(tmp_path):
    paper = {"noise", "mixup"}
    mild = {*paper, "shift", "low_pass", "gain", "polarity"}
    steps = {
        "supervised-tiny": mild,
        "supervised-small": {*mild, "spec"},
        "supervised-base": paper,
        "post-training": paper,
        "finetune-lora": mild,
    }
    for name, expected in steps.items():
        augment = load_run_config(name, MORE.get(name), folders=[tmp_path]).augment
        on = {step for step, value in augment.model_dump().items() if value}
        assert on == expected, name
    changes = {"augment": {"noise": None}}
    path = write(tmp_path / "own.yaml", preset="supervised-tiny", **changes)
    augment = load_run_config(path).augment
    assert augment.noise is None
    assert augment.mixup is not None


def test_tiny_presets_bring_sounds_to_try_out():
    for stage in ("eat", "beats", "supervised"):
        config = load_run_config(f"{stage}-tiny")
        assert [source.kind for source in config.data.sources] == ["repertoire"]


def test_presets_name_no_path():
    for path in PRESETS.glob("*.yaml"):
        text = path.read_text()
        assert not re.search(r"\bpath:", text)
        assert "init_from:" not in text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"optimizer": {"lr": 1.0}}, "'optimizer'.*Did you mean 'optimiser'"),
        ({"optimiser": {"warm_up": 3}}, r"'optimiser\.warm_up'.*'warmup'"),
        ({"augment": {"mixup": {"prob": 1}}}, r"'augment\.mixup\.prob'"),
        ({"augment": {"mix_up": {}}}, r"'augment\.mix_up'.*'mixup'"),
        ({"backbone": {"sizes": "tiny"}}, r"'backbone\.vit\.sizes'.*'size'"),
        ({"eat": {"clone": 4}}, r"'eat\.clone'.*'clones'"),
        ({"stage": "eats"}, "'stage'"),
        ({"loop": {"precision": "fp8"}}, r"'loop\.precision'"),
        ({"beats": {}}, "take out the settings of beats"),
        ({"init_from": "model"}, "take out front_end and backbone"),
        ({"optimiser": {"warmup": 400}}, "warmup takes 400 steps, but the run has 400"),
        ({"optimiser": {"final_lr": 1.0}}, "final_lr 1 is above lr 0.001"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, values, said):
    with pytest.raises(FormatError, match=said):
        load_run_config(on_preset(tmp_path, **values))


def test_what_stages_need(tmp_path):
    with pytest.raises(FormatError, match="give init_from"):
        load_run_config("finetune-lora", folders=[tmp_path])
    with pytest.raises(UserError, match=r"^--set stage=distill.*: .*give distill\.teacher"):
        load_run_config(
            "supervised-tiny", {"stage": "distill", "supervised": None}, folders=[tmp_path]
        )
    with pytest.raises(UserError, match="says nothing of the data"):
        load_run_config("eat-small")
    with pytest.raises(UserError, match=r"no preset or file 'eat-tyni'.*eat-tiny"):
        load_run_config("eat-tyni")
    with pytest.raises(UserError, match="no such file"):
        load_run_config("eat-tiny.yaml")
    with pytest.raises(UserError, match="no preset or file 'eat-tyni'"):
        load_run_config(write(tmp_path / "run.yaml", preset="eat-tyni"))


def test_a_file_lies_on_top_of_its_preset(tmp_path):
    config = load_run_config(on_preset(tmp_path, loop={"steps": 7}, optimiser={"warmup": 2}))
    assert config.loop.steps == 7
    assert config.optimiser.warmup == 2
    assert config.optimiser.lr == 1e-3
    assert config.data.clip_s == 3.0
    # Another kind brings its own keys; those of the preset's kind go.
    front_end = {"kind": "kaldi_fbank", "n_mels": 32}
    config = load_run_config(on_preset(tmp_path, front_end=front_end))
    assert config.front_end is not None
    assert config.front_end.kind == "kaldi_fbank"
    assert config.front_end.normalise == "none"


def test_paths_are_relative_to_the_file_and_those_of_options_to_the_working_folder(
    tmp_path, monkeypatch
):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    path = write(
        tmp_path / "run.yaml",
        preset="supervised-tiny",
        data={"sources": [{"path": "recordings", "kind": "folder", "labels": "labels.csv"}]},
        augment={"noise": {"folder": "noise"}},
    )
    config = load_run_config(path, {"data.taxonomy": "names.csv", "seed": 3})
    assert config.data.sources[0].path == tmp_path / "recordings"
    # Relative to the folder of the source, as its settings say.
    assert config.data.sources[0].labels == Path("labels.csv")
    assert config.augment.noise is not None
    assert config.augment.noise.folder == tmp_path / "noise"
    assert config.data.taxonomy == here / "names.csv"
    assert config.seed == 3
    config = load_run_config(path, folders=[Path("more")])
    assert [s.path for s in config.data.sources] == [here / "more"]
    config = load_run_config(path, {"data.sources.0.path": "other"})
    assert config.data.sources[0].path == here / "other"


def test_where_a_model_comes_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load_run_config("finetune-lora", {"init_from": "runs/a"}, folders=[tmp_path])
    assert config.init_from == str(tmp_path / "runs" / "a")
    config = load_run_config("finetune-lora", {"init_from": "eat:a.pt"}, folders=[tmp_path])
    assert config.init_from is not None
    assert split_origin(config.init_from) == ("eat", tmp_path / "a.pt")
    assert split_origin("C:\\models\\a")[0] == ""


def test_overrides_name_what_is_not_there(tmp_path):
    for key, said in (
        ("data.sources.4.path", "no place in a list of 1"),
        ("loop.steps.more", "is a value, not a table"),
    ):
        with pytest.raises(UserError, match=said):
            load_run_config(on_preset(tmp_path), {key: 1})


def test_a_wrong_option_is_blamed_and_not_the_file(tmp_path):
    said = r"^--set loop\.step=1: unknown key 'loop\.step' \(Did you mean 'steps'"
    for source in (on_preset(tmp_path), "eat-tiny"):
        with pytest.raises(UserError, match=said):
            load_run_config(source, {"loop.step": 1, "seed": 2}, folders=[tmp_path])
    # Keys under the kind of a thing, and values that do not go together.
    with pytest.raises(UserError, match=r"^--set backbone\.sizes=tiny: unknown key .*'size'"):
        load_run_config("eat-tiny", {"backbone.sizes": "tiny"})
    with pytest.raises(UserError, match=r"^--set optimiser\.warmup=400: .*warmup takes 400 steps"):
        load_run_config("eat-tiny", {"optimiser.warmup": 400})
    with pytest.raises(UserError, match=r"^--set loop\.steps=x: .* --set seed=-1: "):
        load_run_config("eat-tiny", {"loop.steps": "x", "seed": -1})
    # What the file has wrong is the file's.
    with pytest.raises(FormatError, match=r"run\.yaml: unknown key 'optimizer'"):
        load_run_config(on_preset(tmp_path, optimizer={}), {"seed": 3})


def test_excluding_settings_are_written_down_so_that_they_read_back(tmp_path):
    changes = {"supervised": {"frozen_steps": 5}}
    config = load_run_config("supervised-tiny", changes, folders=[tmp_path])
    again = RunConfig.model_validate(yaml.safe_load(dump_config(config)))
    assert again.settings.frozen_steps == 5


def test_differences_that_matter_are_told_with_both_values(tmp_path):
    first = yaml.safe_load(dump_config(load_run_config("eat-tiny", folders=[tmp_path])))
    changes = {"optimiser.lr": 2e-3, "data.workers": 4, "loop.device": "cpu", "checkpoint.keep": 9}
    other = load_run_config("eat-tiny", changes, folders=[tmp_path, tmp_path])
    found = differing_keys(first, yaml.safe_load(dump_config(other)))
    assert ("optimiser.lr", "0.001", "0.002") in found
    assert {key.split(".")[0] for key, _, _ in found} == {"optimiser", "data"}
    assert not any(key == "data.workers" for key, _, _ in found)
    assert any(old == "not given" for _, old, _ in found)


def test_reading_settings_needs_no_torch():
    code = (
        "import sys\nimport antiphon.training.config\n"
        "sys.exit(' '.join(n for n in ('torch', 'lightning', 'scipy') if n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
