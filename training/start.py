"""Weights to start from: the first heads already look one position back, find what stood there, and copy what follows.

A model this small spends most of a short training on finding that trick, which all looking up in a text is built on.
Starting with a faint form of it, training goes on to use and reshape it from the first steps.
"""

import math

import torch

WINDING = ((0, 2.0), (1, 1.5), (2, 1.0), (3, 0.5))
LOOK_SHARPNESS = 6.0
MATCH_SHARPNESS = 1.2
WRITE = 0.5
HEADS = 2
CONTENT_HEADS = (4, 5)
CONTENT_LAYERS = (1, 2, 3)


def orthonormal(rows: int, columns: int) -> torch.Tensor:
    """Random orthonormal rows, [rows, columns]."""
    return torch.linalg.qr(torch.randn(columns, rows)).Q.T.contiguous()


@torch.no_grad()
def look_back(model) -> None:
    """Sets heads of the first two decoder layers of a fresh `TinyVlm`. Uses torch's random state."""
    text = model.model.text_model
    cfg = model.cfg.text_config
    d, size = cfg.hidden_size, cfg.head_dim
    # What all tokens have in common gives the first layer's heads a query and a key that do not depend on the token.
    common = torch.sign(torch.randn(d))
    text.embed_tokens.weight.add_(0.2 * common)
    first, second = text.layers[0].self_attn, text.layers[1].self_attn
    # Frequencies that turn by less than half a radian over a hundred positions can compare contents.
    slow = [i for i in range(size // 2) if text.rope_inverse[i] < 0.005]
    slow = slow + [i + size // 2 for i in slow]
    for head in range(HEADS):
        rows = slice(head * size, (head + 1) * size)
        query, key = torch.zeros(size), torch.zeros(size)
        for pair, weight in WINDING:
            turn = float(text.rope_inverse[pair])
            key[pair] = weight
            query[pair], query[pair + size // 2] = math.cos(turn), -math.sin(turn)
        first.q_proj.weight[rows] = LOOK_SHARPNESS * torch.outer(query, common) / d
        first.k_proj.weight[rows] = LOOK_SHARPNESS * torch.outer(key, common) / d
        free = orthonormal(3 * size, d) @ (torch.eye(d) - torch.outer(common, common) / d)
        read, write, copy = free.split(size)
        first.v_proj.weight[rows] = read
        first.o_proj.weight[:, rows] = write.T * 1.0
        match_query, match_key = torch.zeros(size, d), torch.zeros(size, d)
        match_query[slow], match_key[slow] = read[: len(slow)], write[: len(slow)]
        second.q_proj.weight[rows] = MATCH_SHARPNESS * match_query * size**0.25
        second.k_proj.weight[rows] = MATCH_SHARPNESS * match_key * size**0.25
        second.v_proj.weight[rows] = copy
        second.o_proj.weight[:, rows] = copy.T * WRITE


@torch.no_grad()
def match_contents(model) -> None:
    """Has heads of the middle layers look for positions that hold what the asking position holds.

    Patches are taught to look like the words for what they show, so the same heads find a word and a thing. What the heads
    write is nothing at first. Uses torch's random state.
    """
    text = model.model.text_model
    size, d = model.cfg.text_config.head_dim, model.cfg.text_config.hidden_size
    slow = [i for i in range(size // 2) if text.rope_inverse[i] < 0.005]
    slow = slow + [i + size // 2 for i in slow]
    for layer in CONTENT_LAYERS:
        attention = text.layers[layer].self_attn
        for head in CONTENT_HEADS:
            match = torch.zeros(size, d)
            match[slow] = orthonormal(len(slow), d)
            rows = slice(head * size, (head + 1) * size)
            attention.q_proj.weight[rows] = MATCH_SHARPNESS * match
            attention.k_proj.weight[rows] = MATCH_SHARPNESS * match
