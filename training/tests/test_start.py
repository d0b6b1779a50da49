"""The weights to start from: a first head that looks one position back, and a second that finds what it carried."""

import torch

import model as model_module
import tokenizer as tokenizer_module
from batches import Batcher
from export import config_for
from model import Inside, TinyVlm
from samples import Sample
from start import look_back, match_contents


def test_fresh_heads_look_back_and_find_what_followed(monkeypatch):
    torch.manual_seed(0)
    tokenizer = tokenizer_module.build(seed=7)
    model = TinyVlm(config_for(tokenizer))
    look_back(model)
    seen = []

    def attend(q, k, v, mask):
        weights = ((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2) + mask).softmax(-1)
        seen.append(weights)
        return weights @ v

    monkeypatch.setattr(model_module, "attend", attend)
    names = [" Tom", " Rome", " cat", " baker", " Oslo", " tea"]
    batch = Batcher(tokenizer, 64).batch([Sample("".join(names), [(" cat", " x")], plain=True)])
    with torch.no_grad():
        model.hidden(batch.ids, batch.positions, batch.mask)
    back = seen[0][0, :2]
    assert all(back[head, i, i - 1] > 0.6 for head in range(2) for i in range(2, len(names)))
    # The second " cat" finds the place after the first, where " baker" stands.
    assert seen[1][0, :2, len(names), 3].mean() > 0.3


def test_fresh_heads_find_what_is_alike_and_write_nothing_yet():
    torch.manual_seed(0)
    tokenizer = tokenizer_module.build(seed=7)
    model = TinyVlm(config_for(tokenizer))
    match_contents(model)
    batch = Batcher(tokenizer, 64).batch([Sample(" Tom Rome cat baker Oslo tea", [(" cat", " x")], plain=True)])
    inside = Inside()
    with torch.no_grad():
        model.hidden_with(batch.ids, batch.positions, batch.mask, inside=inside)
    for layer in (1, 2, 3):
        q, k = inside.queries[layer][0, 4, 6], inside.keys[layer][0, 4, :6]
        assert (k @ q).argmax() == 2
        assert not model.model.text_model.layers[layer].self_attn.o_proj.weight.any()
