"""The task's head and loop written in torch from their description, to compare with."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from sklearn.metrics.pairwise import euclidean_distances

from antiphon.active.dataset import LabelledSet

# Beside other processes its threads wait for each other.
torch.set_num_threads(1)


class TorchDraws:
    """Initial weights and orders as torch draws them; both programs compute in ``dtype``."""

    def __init__(self, seed: int, dtype: type = np.float32) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.dtype = dtype

    def weight(self, outputs: int, inputs: int) -> np.ndarray:
        weight = torch.empty(outputs, inputs)
        torch.nn.init.xavier_uniform_(weight, generator=self.generator)
        return weight.numpy().astype(self.dtype)

    def permutation(self, n: int) -> np.ndarray:
        return torch.randperm(n, generator=self.generator).numpy()

    def kept(self, shape: tuple[int, int], rate: float) -> np.ndarray:
        return (torch.rand(shape, generator=self.generator) >= rate).numpy()


class TorchHead:
    """Linear, ReLU, Linear with torch's Adam and loss; biases zero."""

    def __init__(self, dim: int, hidden: int, n_labels: int, draws: TorchDraws, multilabel: bool):
        self.draws, self.multilabel = draws, multilabel
        self.net = torch.nn.Sequential(
            torch.nn.Linear(dim, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, n_labels)
        )
        self.dtype = torch.from_numpy(np.empty(0, draws.dtype)).dtype
        self.net.to(self.dtype)
        with torch.no_grad():
            for layer in (self.net[0], self.net[2]):
                layer.weight.copy_(torch.from_numpy(draws.weight(*layer.weight.shape)))
                layer.bias.zero_()
        self.adam = torch.optim.Adam(self.net.parameters(), lr=1e-3)
        self.loss = torch.nn.BCEWithLogitsLoss() if multilabel else torch.nn.CrossEntropyLoss()

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            logits = self.net(torch.from_numpy(x).to(self.dtype))
            found = torch.sigmoid(logits) if self.multilabel else torch.softmax(logits, dim=1)
        return found.numpy()

    def train(self, x: np.ndarray, y: np.ndarray, epochs: int = 10, batch: int = 32) -> None:
        inputs, targets = (torch.from_numpy(a).to(self.dtype) for a in (x, y))
        if not self.multilabel:
            targets = targets.argmax(dim=1)
        for _ in range(epochs):
            order = torch.from_numpy(self.draws.permutation(len(x)))
            for begin in range(0, len(x), batch):
                rows = order[begin : begin + batch]
                self.adam.zero_grad()
                self.loss(self.net(inputs[rows]), targets[rows]).backward()
                self.adam.step()

    def weights(self) -> tuple[np.ndarray, ...]:
        first, second = self.net[0], self.net[2]
        parts = (first.weight, first.bias, second.weight, second.bias)
        return tuple(part.detach().numpy().copy() for part in parts)


def mean_average_precision(y: np.ndarray, p: np.ndarray) -> float:
    with_positives = np.flatnonzero(y.sum(axis=0) > 0)
    return float(np.mean([average_precision_score(y[:, i], p[:, i]) for i in with_positives]))


def choose(name: str, unlabelled, labelled, x, p, rng, n: int) -> list[int]:
    """The baselines: a utility from 0 to 1 for each unlabelled row, the largest by argsort."""
    if name == "coreset" and labelled:
        nearest = euclidean_distances(x[unlabelled], x[labelled]).min(axis=1)
        chosen: list[int] = []
        for _ in range(n):
            chosen.append(int(nearest.argmax()))
            to_new = euclidean_distances(x[unlabelled], x[unlabelled][chosen[-1:]])[:, 0]
            nearest = np.minimum(nearest, to_new)
            nearest[chosen] = -1.0
        return [unlabelled[i] for i in chosen]
    if name == "margin":
        sorted_p = np.sort(p[unlabelled], axis=1)
        utility = 1.0 - (sorted_p[:, -1] - sorted_p[:, -2])
    elif name == "margin-multilabel":
        utility = 1.0 - np.abs(p[unlabelled] - 0.5).mean(axis=1) / 0.5
    else:
        utility = rng.random(len(unlabelled), dtype=np.float32)
    return np.array(unlabelled)[np.argsort(utility.astype(np.float32))[-n:]].tolist()


def reference_loop(
    data: LabelledSet, name: str, draws: TorchDraws, seed: int, *, budget: int, batch: int
) -> tuple[list[list[int]], list[float]]:
    """Return the rows of the data set chosen in each cycle, and mAP after each."""
    x, y = np.asarray(data.embeddings), data.targets
    rng = np.random.default_rng(seed)
    head = TorchHead(x.shape[1], x.shape[1], y.shape[1], draws, data.multilabel)
    judges = data.judges()
    unlabelled, labelled = data.pool().tolist(), []
    picks, scores = [], []
    while len(labelled) < budget:
        p = head.probabilities(x)
        new = choose(name, unlabelled, labelled, x, p, rng, batch)
        picks.append([int(row) for row in new])
        labelled = sorted({*labelled, *new})
        unlabelled = sorted(set(unlabelled) - set(new))
        head.train(x[labelled], y[labelled])
        scores.append(mean_average_precision(y[judges], head.probabilities(x[judges])))
    return picks, scores
