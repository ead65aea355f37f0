"""The five networks as an expert writes them in PyTorch.

    python with_torch.py NETWORK DATA.npz plain|tuned THREADS

"plain" is what tutorials have: `torch.optim.Adam` and tensors as they come. "tuned" is what one
finds with some reading: Adam with fused=True, and pictures in channels_last.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from gate import Gate
from torch import nn
from torch.nn import functional

BATCH = 32


def mlp() -> nn.Module:
    """784-100-10."""
    return nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))


def cnn(size: int = 22) -> nn.Module:
    """Four convolutions with batch normalisation, global average pooling, dropout."""
    layers: list[nn.Module] = []
    channels = 1
    stages = ((size, 5, 2), (2 * size, 3, 2), (3 * size, 3, 2), (3 * size, 3, 1))
    for filters, kernel, stride in stages:
        layers += [
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
        ]
        channels = filters
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.15), nn.Linear(channels, 10)]
    return nn.Sequential(*layers, *pool)


class GRU(nn.Module):
    """A language model: embedding, 128 units, softmax over 64 characters."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(64, 64)
        self.gru = nn.GRU(64, 128, batch_first=True)
        self.scores = nn.Linear(128, 64)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(batch, steps) → (batch, 64, steps), as cross_entropy wants it."""
        return self.scores(self.gru(self.embedding(ids))[0]).transpose(1, 2)


class VAE(nn.Module):
    """Encoder and decoder with a code of 16, dense or convolutional."""

    def __init__(self, convolutional: bool) -> None:
        super().__init__()
        if convolutional:
            self.encode: nn.Module = nn.Sequential(
                nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(),
                nn.Flatten(),
            )  # fmt: skip
            features = 7 * 7 * 32
            self.decode: nn.Module = nn.Sequential(
                nn.Linear(16, features), nn.Unflatten(1, (32, 7, 7)), nn.ReLU(),
                nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1),
            )  # fmt: skip
        else:
            features = 256
            self.encode = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU())
            self.decode = nn.Sequential(
                nn.Linear(16, 256), nn.ReLU(), nn.Linear(256, 784), nn.Unflatten(1, (1, 28, 28))
            )
        self.mean, self.log_variance = nn.Linear(features, 16), nn.Linear(features, 16)

    def loss(self, x: torch.Tensor) -> torch.Tensor:
        """The negative evidence lower bound, in nats an example."""
        h = self.encode(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        code = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        nats = functional.binary_cross_entropy_with_logits(self.decode(code), x, reduction="sum")
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
        return (nats + kl) / len(x)


def generator() -> nn.Module:
    """DCGAN: 64 numbers to a picture."""
    return nn.Sequential(
        nn.Linear(64, 7 * 7 * 64, bias=False), nn.Unflatten(1, (64, 7, 7)), nn.BatchNorm2d(64),
        nn.ReLU(), nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Sigmoid(),
    )  # fmt: skip


def discriminator() -> nn.Module:
    """DCGAN: a picture in [-1, 1] to a score."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 4, 2, 1),
        nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(7 * 7 * 64, 1),
    )  # fmt: skip


def main(network: str, data: str, tuned: bool, gate: Gate) -> None:
    """Train epoch after epoch."""
    with np.load(data) as arrays:
        x, y = torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]).long()
    picture = x.ndim == 4
    if picture:
        x = x.permute(0, 3, 1, 2).contiguous()

    def prepared(model: nn.Module) -> nn.Module:
        return model.to(memory_format=torch.channels_last) if tuned and picture else model

    def adam(model: nn.Module, **options: object) -> torch.optim.Optimizer:
        return torch.optim.Adam(model.parameters(), lr=1e-3, **options, fused=tuned or None)

    if picture and tuned:
        x = x.contiguous(memory_format=torch.channels_last)
    if network == "DCGAN step":
        step, models = adversarial(prepared(generator()), prepared(discriminator()), adam)
    else:
        model = prepared({
            "MLP 784-100-10": mlp, "CNN 28×28": cnn, "GRU language model": GRU,
            "VAE, convolutional": lambda: VAE(True), "VAE, dense": lambda: VAE(False),
        }[network]())  # fmt: skip
        models, optimizer = [model], adam(model)

        def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            optimizer.zero_grad(set_to_none=True)
            if isinstance(model, VAE):
                loss = model.loss(x)
            else:
                loss = functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss.detach()

    gate.parameters = sum(p.numel() for m in models for p in m.parameters())
    while True:
        total = torch.zeros(())
        for rows in torch.randperm(len(x)).split(BATCH):
            total += step(x[rows], y[rows])
        if not torch.isfinite(total):
            raise ArithmeticError(total)
        gate.epoch_done()


def adversarial(generator: nn.Module, discriminator: nn.Module, adam):
    """The step of a DCGAN: one batch of samples serves both players, as in PyTorch's example."""
    g_adam = adam(generator, betas=(0.5, 0.999))
    d_adam = adam(discriminator, betas=(0.5, 0.999))
    average = [p.detach().clone() for p in generator.parameters()]

    def step(real: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        fake = generator(torch.randn(len(real), 64))
        d_adam.zero_grad(set_to_none=True)
        scores = discriminator(torch.cat([real, fake.detach()]) * 2 - 1)
        half = len(real)
        loss = (
            functional.softplus(-scores[:half]).mean() + functional.softplus(scores[half:]).mean()
        )
        loss.backward()
        d_adam.step()
        g_adam.zero_grad(set_to_none=True)
        for parameter in discriminator.parameters():
            parameter.requires_grad_(False)
        g_loss = functional.softplus(-discriminator(fake * 2 - 1)).mean()
        g_loss.backward()
        g_adam.step()
        for parameter in discriminator.parameters():
            parameter.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(average, list(generator.parameters()), 0.001)
        return (loss + g_loss).detach()

    return step, [generator, discriminator]


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[4]))
    torch.manual_seed(0)
    main(sys.argv[1], sys.argv[2], sys.argv[3] == "tuned", Gate())
