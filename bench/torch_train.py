"""The training step of bench/train.ts in PyTorch: same sizes, same losses' cost, AdamW with clipping. Knows nothing of Spar.

python3 bench/torch_train.py '{"vocab": 4096, "width": 256, "layers": 4, "heads": 8, "mlp": 688,
                               "rows": 8, "length": 256, "device": "cpu", "threads": 2, "seconds": 20}'
The last line of output is one JSON object.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

size = json.loads(sys.argv[1])
torch.set_num_threads(size["threads"])
torch.set_default_device(size["device"])
torch.manual_seed(1)
V, W, H, T = size["vocab"], size["width"], size["heads"], size["length"]
D = W // H


def rms_norm(x, gain):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * gain


angles = torch.arange(T)[:, None] * 10000.0 ** (-torch.arange(D // 2) / (D // 2))  # (T, D/2)
COS, SIN = angles.cos(), angles.sin()
MASK = torch.full((T, T), -1e9).triu(1)


def rotate(x):  # (B, H, T, D)
    a, b = x.chunk(2, -1)
    return torch.cat([a * COS - b * SIN, b * COS + a * SIN], -1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.Parameter(torch.ones(W)), nn.Parameter(torch.ones(W))
        self.q, self.k, self.v, self.out = (nn.Linear(W, W, bias=False) for _ in range(4))
        self.gate, self.up = nn.Linear(W, size["mlp"], bias=False), nn.Linear(W, size["mlp"], bias=False)
        self.down = nn.Linear(size["mlp"], W, bias=False)

    def forward(self, x):
        B = x.shape[0]
        heads = lambda y: y.view(B, T, H, D).transpose(1, 2)
        n = rms_norm(x, self.norm1)
        q, k, v = rotate(heads(self.q(n))), rotate(heads(self.k(n))), heads(self.v(n))
        attention = (q @ k.transpose(-1, -2) / D**0.5 + MASK).softmax(-1)
        x = x + self.out((attention @ v).transpose(1, 2).reshape(B, T, W))
        n = rms_norm(x, self.norm2)
        return x + self.down(F.silu(self.gate(n)) * self.up(n))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Parameter(torch.randn(V, W) * 0.02)
        self.slots, self.flags = nn.Parameter(torch.zeros(64, W)), nn.Parameter(torch.zeros(8, W))
        self.blocks = nn.ModuleList(Block() for _ in range(size["layers"]))
        self.norm = nn.Parameter(torch.ones(W))
        self.head = nn.Sequential(nn.Linear(W + 21, 64), nn.SiLU(), nn.Linear(64, 1))

    def forward(self, tokens, slots, flags, targets, places, features, labels):
        x = F.embedding(tokens, self.embed) + F.embedding(slots, self.slots) + F.embedding(flags, self.flags)
        for block in self.blocks:
            x = block(x)
        x = rms_norm(x, self.norm).view(-1, W)
        steps = self.head(torch.cat([x[places], features], 1)).view(-1)
        language = F.cross_entropy(x @ self.embed.t(), targets.view(-1))
        return language + F.binary_cross_entropy_with_logits(steps, labels)


model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.05)
grid = (size["rows"], T)
batch = [torch.randint(0, top, grid) for top in (V, 64, 8, V)]
batch += [torch.randint(0, size["rows"] * T, (82,)), torch.rand(82, 21), torch.randint(0, 2, (82,)).float()]


def step():
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    model(*batch).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if size["device"] == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


step(), step()
total, steps = 0.0, 0
while total < size["seconds"] or steps < 3:
    total += step()
    steps += 1
weights = sum(p.numel() for p in model.parameters())
print(json.dumps({"tps": size["rows"] * T * steps / total, "steps": steps, "weights": weights,
                  "version": torch.__version__, "device": size["device"], "threads": torch.get_num_threads()}))
