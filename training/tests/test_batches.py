"""What is taught beside the answers: the places that batches name are those that the words or shapes are at."""

import numpy as np
import pytest

import tokenizer as tokenizer_module
from batches import Batcher
from samples import SceneSamples, TextSamples, patches_of
from scenes import Painter


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_module.build(seed=7)


def test_a_question_about_a_text_is_to_look_at_the_words_that_answer_it(tokenizer):
    batcher = Batcher(tokenizer, 400)
    samples = [s for s in (TextSamples(i).draw(6) for i in range(12)) if s.looks]
    batch = batcher.batch(samples)
    assert len(batch.looking) == sum(len(s.looks) for s in samples)
    ends = iter([(s, at) for s in samples for at in s.looks])
    for (row, _), where in zip(batch.looking.tolist(), batch.looked_at.numpy()):
        sample, steps = next(ends)
        for step, places in zip(where, steps):
            texts = [tokenizer.decode(batch.ids[row, : p + 1]) for p in np.flatnonzero(step)]
            assert sorted(map(len, texts)) == sorted(places)
            assert all(sample.prefix.startswith(text) for text in texts)


def test_the_end_of_a_question_and_of_a_sentence_know_single_words(tokenizer):
    batch = Batcher(tokenizer, 400).batch([TextSamples(i).draw(6) for i in range(12)])
    flat = batch.ids.flatten()
    assert set(tokenizer.decode(flat[batch.about_at])) <= set(":")
    assert len(batch.link_at) > 20 and (flat[batch.link_at] != batch.link_ids).all()


def test_a_question_about_a_picture_is_to_look_at_its_shapes(tokenizer):
    sample = SceneSamples(3).draw(5, 4)
    batch = Batcher(tokenizer, 400).batch([sample])
    first = batch.ids[0].tolist().index(tokenizer.convert_tokens_to_ids("<image>"))
    looked_at = [[list(np.flatnonzero(step) - first) for step in where] for where in batch.looked_at.numpy()]
    for steps in sample.looks:
        assert not all(steps) or [list(step) for step in steps] in looked_at


def test_a_description_looks_at_each_shape_before_it_names_it(tokenizer):
    sample = next(s for s in (SceneSamples(i).draw(1, 4) for i in range(60)) if len(s.answer_looks[0]) > 4)
    batch = Batcher(tokenizer, 400).batch([sample])
    answer = sample.branches[0][1]
    for (at, _), (row, position) in zip(sample.answer_looks[0], batch.looking.tolist()[1:]):
        written = tokenizer.decode(batch.ids[row, : position + 1]).split("Assistant:")[1]
        assert written == answer[:at] and answer[at] == " "


def test_a_shape_has_the_patches_that_it_covers():
    for scene in (Painter(2, False).scene(3) for _ in range(20)):
        for mask, patches in zip(scene.masks, patches_of(scene)):
            rows, columns = np.nonzero(mask)
            covered = set(rows // 8 * 8 + columns // 8)
            assert patches and patches <= covered
