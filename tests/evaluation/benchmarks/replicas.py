"""Tiny replicas of published data sets, in the layouts of their publishers."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.evaluation.benchmarks.sounds import write, write_calls

PITCH = (400.0, 900.0, 1700.0)


def table(path: Path, header: str, rows, separator: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [header, *(separator.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def dogs(folder: Path) -> None:
    rows = []
    for dog, name in enumerate(("Zoe", "Mac")):
        for n in range(5):
            rows.append((f"bark_{name}_{n}.wav", name))
            write(folder / "audio" / rows[-1][0], PITCH[dog], seed=n)
    table(folder / "annotations.csv", "filename,name", rows)


def bats(folder: Path) -> None:
    rows = []
    for bat, name in enumerate(("111", "210")):
        for n in range(5):
            rows.append((f"{name}{n}.wav", name))
            write(folder / "audio" / rows[-1][0], PITCH[bat], seed=n)
    table(folder / "annotations.csv", "File Name,Emitter", rows)


def humbugdb(folder: Path) -> None:
    rows = []
    for n in range(8):
        species = "" if n % 2 else "an dirus"
        rows.append((n, 0.6, species))
        write(folder / "data" / "audio" / f"{n}.wav", PITCH[n % 2], seed=n)
    table(folder / "data" / "metadata" / "neurips_2021_zenodo_0_0_1.csv", "id,length,species", rows)


def cbi(folder: Path) -> None:
    rows = []
    for n in range(20):
        code = ("aldfly", "ameavo")[n % 2]
        rows.append((code, f"XC{n}.ogg", f"recordist {n // 2}"))
        write(folder / "train_audio" / code / f"XC{n}.ogg", PITCH[n % 2], seed=n)
    table(folder / "train.csv", "ebird_code,filename,recordist", rows)


def watkins(folder: Path) -> None:
    rows = []
    for kind, name in enumerate(("Walrus", "Narwhal")):
        for n in range(5):
            rows.append((f"{name}/{n}.wav", name))
            write(folder / rows[-1][0], PITCH[kind], seed=n)
    rows.append(("Weddell_Seal/1.wav", "Weddell_Seal"))
    table(folder / "annotations.csv", "path,species", rows)


def esc50(folder: Path) -> None:
    rows = []
    for fold in range(1, 6):
        for kind, name in enumerate(("dog", "rain")):
            for take in "AB":
                file = f"{fold}-{fold}0{kind}-{take}-{kind}.wav"
                rows.append((file, fold, kind, name, True, f"{fold}0{kind}", take))
                write(folder / "ESC-50-master" / "audio" / file, PITCH[kind], seed=fold)
    header = "filename,fold,target,category,esc10,src_file,take"
    table(folder / "ESC-50-master" / "meta" / "esc50.csv", header, rows)


def _calls(seconds: int):
    """A call of 1 s every 4 s, of two kinds in turn."""
    return [(t, t + 1.0, PITCH[(t // 4) % 2]) for t in range(1, seconds - 2, 4)]


def enabirds(folder: Path) -> None:
    for number in (1, 2):
        place = folder / f"Recording_{number}"
        stem = f"Recording_{number}_Segment_01"
        calls = _calls(300)
        write_calls(place / f"{stem}.wav", calls, 300.0)
        header = "Selection\tView\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tSpecies"
        names = {PITCH[0]: "EATO", PITCH[1]: "XXXX"}
        rows = [(n, "S", s, e, 300, names[p]) for n, (s, e, p) in enumerate(calls, 1)]
        table(place / f"{stem}.Table.1.selections.txt", header, rows, "\t")


def rfcx(folder: Path) -> None:
    rows = []
    for n in range(10):
        name = f"{n:09x}"
        calls = [(2.0 + n / 10, 3.0 + n / 10, PITCH[n % 2])] if n < 8 else []
        write_calls(folder / "train" / f"{name}.flac", calls, 20.0)
        rows += [(name, n % 2, 1, s, 100.0, e, 2000.0) for s, e, _ in calls]
    header = "recording_id,species_id,songtype_id,t_min,f_min,t_max,f_max"
    table(folder / "train_tp.csv", header, rows)


def hiceas(folder: Path) -> None:
    for side in ("train", "valid", "test"):
        lines = []
        for n in range(2):
            name = f"{side}_{n}.wav"
            write_calls(folder / "wav" / name, [(3.0, 6.0, PITCH[0])] if n == 0 else [], 30.0)
            found = [{"st": 3.0, "ed": 6.0, "label": 1}] if n == 0 else []
            row = {"path": f"data/hiceas/wav/{name}", "length": 30.0, "annotations": found}
            lines.append(json.dumps(row))
        (folder / f"{side}.jsonl").write_text("\n".join(lines) + "\n")


def gibbons(folder: Path) -> None:
    for n in range(10):
        stem = f"HGSM3B_0+1_201603{n:02d}_055700"
        calls = _calls(70)
        write_calls(folder / "Train" / f"{stem}.wav", calls, 70.0)
        rows = [(s, e, 1 if p == PITCH[0] else 2) for s, e, p in calls]
        table(folder / "Train_Labels" / f"g_{stem}.data", "Start,End,Type", rows)


def dcase(folder: Path) -> None:
    place = folder / "Development_Set" / "Training_Set" / "BV"
    calls = _calls(300)
    write_calls(place / "BUK.wav", calls, 300.0)
    rows = [
        (
            "BUK.wav",
            s,
            e,
            "POS" if p == PITCH[0] else "NEG",
            "POS" if p == PITCH[1] else "UNK",
            "POS",
        )
        for s, e, p in calls
    ]
    table(place / "BUK.csv", "Audiofilename,Starttime,Endtime,AMRE,BBWA,AGGM", rows)


def birdset(folder: Path) -> None:
    name = folder.name
    train = [
        {"filepath": f"XC{n}.ogg", "ebird_code": code, "ebird_code_multilabel": [code]}
        for n, code in enumerate(("amerob", "yerwar") * 5)
    ]
    train.append({"filepath": "XC10.ogg", "ebird_code": "amerob", "ebird_code_multilabel": None})
    for n in range(11):
        # Archives were unpacked into folders of their own.
        write(folder / "train" / f"{name}_train_shard_0001" / f"XC{n}.ogg", PITCH[n % 2], seed=n)
    test = []
    for recording in range(2):
        for start in range(0, 30, 5):
            file = f"{name}_00{recording}_20150708_061805_{start:03d}_{start + 5:03d}.ogg"
            kinds = [["amerob"], ["yerwar"], []][(start // 5) % 3]
            pitch = {"amerob": PITCH[0], "yerwar": PITCH[1]}.get((*kinds, "")[0], 3000.0)
            write(folder / "test_5s" / file, pitch, seed=start)
            test.append({"filepath": file, "ebird_code_multilabel": kinds})
    pq.write_table(pa.Table.from_pylist(train), folder / f"{name}_metadata_train.parquet")
    pq.write_table(pa.Table.from_pylist(test), folder / f"{name}_metadata_test_5s.parquet")


def stowell(folder: Path) -> None:
    birds = {"pipit": ("212", "312"), "chiffchaff": ("F72726", "F91903"), "littleowl": ("7", "BRE")}
    for species, names in birds.items():
        for side, count in (("trn", 4), ("tst", 3)):
            rows = []
            for bird, _ in enumerate(names):
                for n in range(count):
                    file = f"{species}_{side}_{names[bird]}_{n}.wav"
                    write(folder / f"{species}-fg" / file, PITCH[bird], seed=n)
                    rows.append((file, *(int(b == bird) for b in range(len(names)))))
            path = folder / "csv" / f"{species}-acrossyear-fg-{side}.csv"
            table(path, ",".join(("wavfilename", *names)), rows)


def macaque(folder: Path) -> None:
    rows = []
    for who, name in enumerate(("TH", "AL")):
        for n in range(8):
            side = "valid" if n >= 5 else "train"
            rows.append((name, side, f"{name}{n}.wav"))
            write(folder / side / f"{name}{n}.wav", PITCH[who], seconds=0.3, seed=n)
    table(folder / "annotations.csv", "class,split,filename", rows)


def zebra_finch(folder: Path) -> None:
    for n, kind in enumerate(("DC", "Te", "Th", "Ag", "Wh", "So") * 2):
        place = folder / ("ChickVocalizations" if n % 4 == 3 else "AdultVocalizations")
        write(place / f"BlaBla0506_110302-{kind}-{n:02d}.wav", 400.0 + 200 * (n % 6), seed=n)


def giant_otter(folder: Path) -> None:
    for n, kind in enumerate(("begging scream", "Hum", "hum", "growl") * 2):
        write(folder / "giant_otters" / "Audio_S1" / f"Audio S{n:03d}_{kind}.wav", 400.0 + 99 * n)


def bengalese_finch(folder: Path) -> None:
    place = folder / "Bird0"
    text = ["<Sequences>"]
    for song in range(2):
        notes = [(100 + 2000 * n, 1200, n % 3) for n in range(6)]
        calls = [((8000 + p) / 32000, (8000 + p + c) / 32000, PITCH[k]) for p, c, k in notes]
        write_calls(place / "Wave" / f"{song}.wav", calls, 1.0)
        text += [
            f"<Sequence><WaveFileName>{song}.wav</WaveFileName><Position>8000</Position>",
            f"<Length>14000</Length><NumNote>{len(notes)}</NumNote>",
        ]
        text += [
            f"<Note><Position>{p}</Position><Length>{c}</Length><Label>{k}</Label></Note>"
            for p, c, k in notes
        ]
        text.append("</Sequence>")
    (place / "Annotation.xml").write_text("\n".join([*text, "</Sequences>"]))


def srkw(folder: Path) -> None:
    rows = []
    for n in range(6):
        write(folder / "audio" / "vfpa" / f"r{n}.flac", PITCH[n % 2], seconds=2.0, seed=n)
        call = ("S01", "S04", "whistle")[n % 3]
        rows.append((f"r{n}.flac", 0.5, 1.5, "TKW" if n == 4 else "SRKW", call))
    table(folder / "annotations.csv", "Soundfile,FileBeginSec,FileEndSec,Ecotype,CallType", rows)


REPLICAS = {
    "dogs": dogs,
    "bats": bats,
    "humbugdb": humbugdb,
    "cbi": cbi,
    "watkins": watkins,
    "esc50": esc50,
    "enabirds": enabirds,
    "rfcx": rfcx,
    "hiceas": hiceas,
    "gibbons": gibbons,
    "dcase": dcase,
    **dict.fromkeys(("POW", "PER", "NES", "NBP", "HSN", "UHH", "SNE"), birdset),
    **dict.fromkeys(("pipit", "chiffchaff", "littleowl"), stowell),
    "macaque": macaque,
    "zebra_finch": zebra_finch,
    "giant_otter": giant_otter,
    "bengalese_finch": bengalese_finch,
    "srkw": srkw,
}
