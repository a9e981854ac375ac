from __future__ import annotations

import pyarrow as pa

from antiphon.language.schema import SCHEMA, CommonName, CorpusRow, to_batch, to_rows
from antiphon.language.taxonomy.rows import resolve_batches


def test_corpus_rows_get_their_accepted_names(both):
    rows = [
        CorpusRow(id="a:1", source="a", taxon_given="Parus caeruleus"),
        CorpusRow(id="a:2", source="a", scientific_name="Oenanthe"),
        CorpusRow(id="a:3", source="a", scientific_name="Oenanthe", kingdom="Plantae"),
        CorpusRow(id="a:4", source="a", scientific_name="Nemo nullus", family="Nemidae"),
        CorpusRow(id="a:5", source="a"),
        CorpusRow(
            id="a:6",
            source="a",
            scientific_name="Turdus merula",
            kingdom="Unheard-of",
            common_names=(CommonName("Merle noir", "fr"),),
        ),
    ]
    (batch,) = resolve_batches([to_batch(rows)], both)
    assert batch.schema == SCHEMA
    found = list(to_rows(pa.Table.from_batches([batch])))
    assert [row.taxon_status for row in found] == [
        "synonym", "exact", "exact", "unknown", None, "exact"
    ]  # fmt: skip
    assert found[0].scientific_name == found[0].species == "Cyanistes caeruleus"
    assert found[0].taxon_given == "Parus caeruleus"
    assert (found[0].class_, found[0].order, found[0].family, found[0].rank) == (
        "Aves", "Passeriformes", "Paridae", "species"
    )  # fmt: skip
    assert found[0].common_names == (CommonName("Eurasian Blue Tit", "en"),)
    # Without a kingdom of its own a row is an animal.
    assert [row.family for row in found[1:4]] == ["Muscicapidae", "Apiaceae", "Nemidae"]
    assert found[3].scientific_name == "Nemo nullus"
    assert found[5].common_names == (CommonName("Merle noir", "fr"),)
