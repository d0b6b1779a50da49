"""The same forward pass in PyTorch, float32, for comparison: one line `rows` in, one line `milliseconds` out.

Weights are random, since speed does not depend on them. Shapes are those of SmolLM2-135M. The LM head runs on the last
row. One row is a step of decoding behind 128 cached positions; more rows are a prefill from an empty cache.
"""
import sys
import time

import torch
import torch.nn.functional as F

D, LAYERS, HEADS, KV_HEADS, HEAD_DIM, D_FF, VOCAB, CACHED = 576, 30, 9, 3, 64, 1536, 49152, 128


def weight(rows, cols):
    return torch.randn(rows, cols) * 0.02


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def norm(x, gain):
    return F.rms_norm(x, (D,), gain, 1e-5)


@torch.inference_mode()
def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(0)
    embedding = weight(VOCAB, D)
    layers = [
        dict(q=weight(HEADS * HEAD_DIM, D), k=weight(KV_HEADS * HEAD_DIM, D), v=weight(KV_HEADS * HEAD_DIM, D),
             o=weight(D, HEADS * HEAD_DIM), gate=weight(D_FF, D), up=weight(D_FF, D), down=weight(D, D_FF),
             norm1=torch.ones(D), norm2=torch.ones(D))
        for _ in range(LAYERS)
    ]
    caches = [(torch.randn(1, KV_HEADS, CACHED, HEAD_DIM), torch.randn(1, KV_HEADS, CACHED, HEAD_DIM)) for _ in range(LAYERS)]
    angles = torch.arange(4096)[:, None] / 100000.0 ** (torch.arange(HEAD_DIM // 2) * 2 / HEAD_DIM)[None]
    cosines, sines = angles.cos(), angles.sin()

    def forward(rows):
        first = CACHED if rows == 1 else 0
        cos, sin = cosines[first:first + rows], sines[first:first + rows]
        x = embedding[torch.arange(rows)][None]
        for layer, cache in zip(layers, caches):
            h = norm(x, layer["norm1"])
            heads = lambda y, n: y.view(1, rows, n, HEAD_DIM).transpose(1, 2)
            q = rotate(heads(h @ layer["q"].T, HEADS), cos, sin)
            k = rotate(heads(h @ layer["k"].T, KV_HEADS), cos, sin)
            v = heads(h @ layer["v"].T, KV_HEADS)
            if rows == 1:
                k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
            a = F.scaled_dot_product_attention(q, k, v, is_causal=rows > 1, enable_gqa=True)
            x = x + a.transpose(1, 2).reshape(1, rows, -1) @ layer["o"].T
            h = norm(x, layer["norm2"])
            x = x + (F.silu(h @ layer["gate"].T) * (h @ layer["up"].T)) @ layer["down"].T
        return (x[:, -1] @ embedding.T).log_softmax(-1)

    print(torch.__version__, flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        forward(int(line))
        print((time.perf_counter() - begin) * 1e3, flush=True)


main()
