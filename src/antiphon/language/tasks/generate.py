"""Pairs of rows: which tasks a row is asked, their wording, and an account of every row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.language.schema import CorpusRow, batches
from antiphon.language.tasks.answers import ANSWERS
from antiphon.language.tasks.answers.base import Answer, Ask
from antiphon.language.tasks.asking import put
from antiphon.language.tasks.balance import pairs_per_row, task_weights
from antiphon.language.tasks.config import TasksConfig
from antiphon.language.tasks.counts import PairCounts
from antiphon.language.tasks.draws import Draws
from antiphon.language.tasks.entries import Task, find_tasks
from antiphon.language.tasks.in_context import with_examples
from antiphon.language.tasks.needs import eligible
from antiphon.language.tasks.pair import AudioRef, Pair
from antiphon.language.tasks.rows import BatchRows, filled
from antiphon.language.tasks.splits import LEFT_OUT
from antiphon.language.tasks.survey import survey
from antiphon.language.tasks.taxa import key
from antiphon.language.tasks.world import TAXON_COLUMNS, World

THINNED = "thinned out: rows of common taxa get fewer pairs"
HELD_OUT = "left out of the split: a held-out taxon is heard with it"
NO_TASK = "no task fits: what they need is not known of the row"
_LEAST_WEIGHT = 1e-30
_SOUND = ("id", "audio_path", "start_s", "end_s")


class PairMaker:
    """Makes the pairs of one batch of rows at a time; the same for a seed, whoever does it.

    Parameters
    ----------
    world
        What the corpus knows, of the same tasks.
    tasks
        What is to be asked.
    config
        Settings.
    seed
        Seed of everything random.
    """

    def __init__(self, world: World, tasks: Sequence[Task], config: TasksConfig, seed: int) -> None:
        self.world = world
        self.tasks = tuple(tasks)
        self.config = config
        self.seed = seed
        self._answers = [ANSWERS[task.answer] for task in self.tasks]
        self._weights = task_weights(world.patterns, tasks, config)
        self._rates = pairs_per_row(world.counts, world.rows, config)

    def batch(
        self, batch: pa.RecordBatch, number: int, splits: Sequence[str] | None = None
    ) -> tuple[list[tuple[Pair, CorpusRow]], list[tuple[str, str]], PairCounts]:
        """Make the pairs of a batch.

        Parameters
        ----------
        batch
            The rows.
        number
            Which batch of the corpus it is, from 0: part of the seed.
        splits
            Part of the corpus that each row is in, see ``splits``.

        Returns
        -------
        pairs
            Each with its row.
        rejected
            Row id and reason of every rejection.
        counts
            The account.
        """
        rng = np.random.default_rng([self.seed, number])
        rows, draws, counts = BatchRows(batch), Draws(rng), PairCounts(rows=batch.num_rows)
        wanted = self._wanted(batch, rng)
        order = self._order(batch, np.array(wanted), rng)
        taxa = list(zip(*(rows.column(name) for name in TAXON_COLUMNS), strict=True))
        sounds = [AudioRef(*values) for values in zip(*map(rows.column, _SOUND), strict=True)]
        pairs: list[tuple[Pair, CorpusRow]] = []
        rejected: list[tuple[str, str]] = []
        for index, n in enumerate(wanted):
            row = rows[index]
            split = splits[index] if splits is not None else None
            if split == LEFT_OUT or n == 0:
                rejected.append((sounds[index].row_id, HELD_OUT if split == LEFT_OUT else THINNED))
                continue
            counts.more_draws += n - 1
            # What is held out of training is an option where it is tested.
            unseen = split is not None and split.startswith("unseen")
            pools = self.world.all_pools if unseen else self.world.pools
            taxon = self.world.taxon(taxa[index])
            tools = (self.world, self.config, draws, taxon, pools)
            ask = Ask(row, self.tasks[0], *tools, sounds[index], split)
            made = self._row(ask, n, order[index], counts)
            pairs += [(pair, row) for pair in made]
            rejected += [(row.id, NO_TASK)] * (n - len(made))
        if self.config.in_context is not None:
            pairs = with_examples(pairs, self.config.in_context, draws)
        for row_id, reason in rejected:
            counts.reject(reason, row_id)
        counts.pairs = len(pairs)
        counts.by_task.update(pair.task for pair, _ in pairs)
        return pairs, rejected, counts

    def _wanted(self, batch: pa.RecordBatch, rng: np.random.Generator) -> list[int]:
        """Return how many pairs each row gets: its rate, rounded up or down at random."""
        species, other = filled(batch, "species"), filled(batch, "scientific_name")
        names = zip(species.to_pylist(), other.to_pylist(), strict=True)
        none = self._rates[""]
        get = self._rates.get
        rates = np.array([get(key(a or b), none) if a or b else none for a, b in names])
        drawn: list[int] = np.floor(rates + rng.random(len(rates))).astype(int).tolist()
        return drawn

    def _order(
        self, batch: pa.RecordBatch, wanted: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> list[list[int]]:
        """Return for each row the tasks that it can be asked, in the order they are tried.

        Exponential waiting times over weights, sorted, are draws without replacement.
        """
        drawn = np.flatnonzero(wanted)
        fits = eligible(batch, self.tasks, self.config)[drawn] & (self._weights > 0)
        waits: npt.NDArray[np.float32] = rng.standard_exponential(fits.shape, dtype=np.float32)
        waits /= np.maximum(self._weights, _LEAST_WEIGHT).astype(np.float32)
        waits[~fits] = np.inf
        ranked = np.argsort(waits, axis=1).tolist()
        order: list[list[int]] = [[]] * len(wanted)
        for row, tasks, n in zip(drawn.tolist(), ranked, fits.sum(axis=1).tolist(), strict=True):
            order[row] = tasks[:n]
        return order

    def _row(self, ask: Ask, n: int, tasks: list[int], counts: PairCounts) -> list[Pair]:
        made: list[Pair] = []
        for number in tasks:
            task = ask.task = self.tasks[number]
            answer = self._answers[number](ask)
            if isinstance(answer, Answer):
                made.append(put(ask, answer))
                if len(made) == n:
                    break
            else:
                counts.refused[task.id, answer.reason] += 1
        return made


def make_pairs(
    rows: Iterable[CorpusRow] | pa.Table,
    config: TasksConfig | None = None,
    seed: int = 0,
    *,
    counts: PairCounts | None = None,
) -> Iterator[Pair]:
    """Make pairs of rows in memory; :func:`antiphon.language.tasks.files.write_pairs` takes files.

    Parameters
    ----------
    rows
        Rows of a corpus.
    config
        Settings; the defaults if not given.
    seed
        Seed of everything random: the same rows and seed give the same pairs.
    counts
        Filled with what became of the rows.

    Yields
    ------
    Pair
        In the order of the rows.

    Raises
    ------
    UserError
        If the settings name a task that does not exist.
    """
    config = config or TasksConfig()
    tasks = wanted_tasks(config)
    held = rows.to_batches(8192) if isinstance(rows, pa.Table) else list(batches(rows))
    maker = PairMaker(survey(held, tasks, config), tasks, config, seed)
    for number, batch in enumerate(held):
        pairs, _, part = maker.batch(batch, number)
        if counts is not None:
            counts.add(part)
        for pair, _ in pairs:
            yield pair


def wanted_tasks(config: TasksConfig) -> tuple[Task, ...]:
    """Return the tasks that the settings name.

    Raises
    ------
    UserError
        If a name, there or among the weights, is that of no task.
    """
    for name in config.weights:
        find_tasks([name])
    return find_tasks(config.tasks)
