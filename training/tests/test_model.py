"""The lean module: the same logits as transformers, from the saved folder, with questions as branches or alone."""

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, Idefics3ForConditionalGeneration, Idefics3Processor

import chat
import tokenizer as tokenizer_module
from batches import Batcher
from export import config_for, write
from model import TinyVlm
from samples import EasyVqaSamples, Sample, SceneSamples, TextSamples


@pytest.fixture(scope="module")
def made():
    """A tokenizer and a module with random weights, all of them in use."""
    torch.manual_seed(3)
    tokenizer = tokenizer_module.build(seed=7)
    model = TinyVlm(config_for(tokenizer)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
            parameter.copy_(parameter.half().float())
    return tokenizer, model


def logits(model, batch):
    with torch.no_grad():
        return model.logits(model.hidden(batch.ids, batch.positions, batch.mask, batch.pixels))


def test_the_saved_folder_gives_the_same_logits_in_transformers(made, tmp_path):
    tokenizer, model = made
    write(model.state_dict(), tokenizer, tmp_path)
    theirs = Idefics3ForConditionalGeneration.from_pretrained(tmp_path, dtype=torch.float32).eval()
    processor = Idefics3Processor.from_pretrained(tmp_path)
    for sample in [SceneSamples(1).draw(1, 4), EasyVqaSamples(1).draw(1), TextSamples(1).draw(1)]:
        asked, _ = sample.branches[0]
        question = asked.removesuffix(chat.ANSWER_TURN)
        content = [{"type": "text", "text": question}]
        if sample.pixels is not None:
            content = [{"type": "image"}, *content]
        else:
            content[0]["text"] = sample.prefix.removeprefix(chat.TEXT_TURN) + question
        prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        images = None if sample.pixels is None else [np.ascontiguousarray(sample.pixels)]
        inputs = processor(text=prompt, images=images, return_tensors="pt")
        batch = Batcher(tokenizer, 512).batch([Sample(sample.prefix, [(asked, " x")], sample.pixels)])
        length = inputs["input_ids"].shape[1]
        assert inputs["input_ids"].tolist() == batch.ids[:, :length].tolist()
        with torch.no_grad():
            expected = theirs(**inputs).logits
        assert (expected - logits(model, batch)[:, :length]).abs().max() < 2e-4


def test_a_branch_is_computed_as_if_it_were_alone(made):
    tokenizer, model = made
    sample = SceneSamples(4).draw(3, 4)
    batcher = Batcher(tokenizer, 512)
    together = logits(model, batch := batcher.batch([sample]))[0][batch.at]
    alone = []
    for branch in sample.branches:
        batch = batcher.batch([Sample(sample.prefix, [branch], sample.pixels)])
        alone.append(logits(model, batch)[0][batch.at])
    assert (together - torch.cat(alone)).abs().max() < 1e-4


def test_any_text_has_tokens_and_comes_back(made, tmp_path):
    tokenizer, _ = made
    tokenizer.save_pretrained(tmp_path)
    for text in ["Ünïcode, 12345 and 日本語 🙂\n\ttabs", "Where does Straneeth live?"]:
        assert AutoTokenizer.from_pretrained(tmp_path).decode(tokenizer.encode(text)) == text
