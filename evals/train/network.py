"""The local critic's network: the base encoder with three heads, and how it is fitted.

Heads: a logit per reply token and move (where), a logit per move (whether; attention pooling with
one query a move), and four cumulative logits for `overall` (Cao et al. 2020, CORAL: one score and
ordered thresholds).
"""

import random
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from evals.train.base import LAYERS, WIDTH, load_base
from evals.train.data import MOVES, Window

BATCH = 8
EPOCHS = 7
LR_BASE, LR_HEADS, LAYER_DECAY, WARMUP = 3e-4, 1e-3, 0.85, 0.08
N = len(MOVES)


class CriticNet(nn.Module):
    """Token, presence and ordinal heads on the base encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.base = load_base()
        self.dropout = nn.Dropout(0.1)
        self.tags = nn.Linear(WIDTH, N)
        self.queries = nn.Linear(WIDTH, N)
        self.presence = nn.Parameter(torch.randn(N, 2 * WIDTH) * 0.02)
        self.presence_bias = nn.Parameter(torch.full((N,), -2.0))
        self.hidden = nn.Linear(2 * WIDTH + N, 128)
        self.score = nn.Linear(128, 1, bias=False)
        self.cuts = nn.Parameter(torch.tensor([1.5, 0.5, 0.0, -1.5]))
        nn.init.constant_(self.tags.bias, -3.0)

    def forward(
        self, ids: torch.Tensor, attention: torch.Tensor, segments: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return token logits (b, t, 20), presence logits (b, 20), cumulative logits (b, 4)."""
        x = self.dropout(self.base(ids, attention, segments))
        reply = (attention * segments)[:, :, None].to(x.dtype)
        weights = torch.softmax(self.queries(x) - (1.0 - reply) * 1e4, dim=1)
        pooled = torch.matmul(weights.transpose(1, 2), x)
        first = x[:, 0]
        both = torch.cat([pooled, first[:, None].expand(-1, N, -1)], dim=2)
        presence = (both * self.presence).sum(2) + self.presence_bias
        mean = (x * reply).sum(1) / reply.sum(1)
        joined = torch.cat([first, mean, torch.sigmoid(presence)], dim=1)
        score = self.score(self.dropout(torch.tanh(self.hidden(joined))))
        return self.tags(x), presence, score + self.cuts


def batches(items: list[Window], rng: random.Random | None) -> Iterator[list[Window]]:
    """Yield batches of like length; with `rng` in random order, else in order of length."""

    def length(item: Window) -> float:
        return len(item.ids) * (rng.uniform(0.9, 1.1) if rng else 1.0)

    ordered = sorted(items, key=length)
    chunks = [ordered[i : i + BATCH] for i in range(0, len(ordered), BATCH)]
    if rng:
        rng.shuffle(chunks)
    yield from chunks


def collate(batch: list[Window]) -> dict[str, torch.Tensor]:
    """Return padded tensors: ids, attention, segments, tags, and the mask of reply tokens."""
    size, longest = len(batch), max(len(w.ids) for w in batch)
    ids, attention, segments = (torch.zeros(size, longest, dtype=torch.long) for _ in range(3))
    tags, reply = torch.zeros(size, longest, N), torch.zeros(size, longest)
    for row, w in enumerate(batch):
        ids[row, : len(w.ids)] = torch.from_numpy(w.ids)
        attention[row, : len(w.ids)] = 1
        segments[row, : len(w.ids)] = torch.from_numpy(w.segments)
        tags[row, w.begin : w.begin + len(w.tags)] = torch.from_numpy(w.tags)
        reply[row, w.begin : w.begin + len(w.tags)] = 1
    return {"ids": ids, "attention": attention, "segments": segments, "tags": tags, "reply": reply}


def loss_of(net: CriticNet, batch: list[Window], overall: np.ndarray) -> torch.Tensor:
    """Return the sum of the three heads' losses for one batch."""
    t = collate(batch)
    tags, presence, cumulative = net(t["ids"], t["attention"], t["segments"])
    token = F.binary_cross_entropy_with_logits(tags, t["tags"], reduction="none").sum(2)
    token = (token * t["reply"]).sum() / t["reply"].sum()
    present = t["tags"].amax(1)
    whether = F.binary_cross_entropy_with_logits(presence, present, reduction="none").sum(1).mean()
    scores = torch.tensor([overall[w.case] for w in batch])
    above = (scores[:, None] > torch.arange(4)[None]).float()
    order = F.binary_cross_entropy_with_logits(cumulative, above, reduction="none").sum(1).mean()
    return token + 0.5 * whether + order


def optimizer_of(net: CriticNet) -> torch.optim.Optimizer:
    """Return AdamW with the learning rate falling from the last layer to the embeddings."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        rate = LR_HEADS
        if name.startswith("base."):
            depth = int(name.split(".")[2]) + 1 if ".layers." in name else 0
            rate = LR_BASE * LAYER_DECAY ** (LAYERS - depth)
        groups.setdefault(rate, []).append(parameter)
    return torch.optim.AdamW(
        [{"params": p, "lr": rate} for rate, p in groups.items()], weight_decay=0.01
    )


def fit(
    draw: Callable[[random.Random], list[Window]],
    overall: np.ndarray,
    steps: int,
    seed: int,
    log: Callable[[str], None],
) -> CriticNet:
    """Return a network fitted on what `draw` gives for each epoch of about `steps` batches.

    The same seed gives the same network.
    """
    torch.manual_seed(seed)
    rng = random.Random(seed)
    net = CriticNet().train()
    optimizer = optimizer_of(net)
    total = EPOCHS * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / (WARMUP * total), max(0.0, (total - step) / total)),
    )
    for epoch in range(EPOCHS):
        began, losses = time.monotonic(), []
        for batch in batches(draw(rng), rng):
            loss = loss_of(net, batch, overall)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        log(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {time.monotonic() - began:.0f} s")
    return net.eval()


@torch.no_grad()
def predict(net: CriticNet, items: list[Window]) -> dict[int, list[dict[str, np.ndarray]]]:
    """Return for each case the raw logits of its windows, in order of their spans."""
    found: dict[int, list[dict[str, np.ndarray]]] = {}
    for batch in batches(items, None):
        t = collate(batch)
        outputs = net(t["ids"], t["attention"], t["segments"])
        tags, presence, cumulative = (o.numpy() for o in outputs)
        for row, w in enumerate(batch):
            raw = {
                "span": np.array(w.span),
                "tags": tags[row, w.begin : w.begin + len(w.tags)],
                "presence": presence[row],
                "overall": cumulative[row],
            }
            found.setdefault(w.case, []).append(raw)
    return {c: sorted(parts, key=lambda p: int(p["span"][0])) for c, parts in found.items()}
