"""Paragraphs: the answers follow from the text, and the two sides of the split stay apart."""

import random

import pytest

import words
import wording
from check_leaks import leaks
from facts import Writer


def paragraphs(test: bool, count: int = 300):
    writer = Writer(random.Random(5), test=test)
    return [writer.paragraph() for _ in range(count)]


@pytest.mark.parametrize("test", [False, True])
def test_every_answer_but_yes_and_no_is_in_the_text(test):
    for paragraph in paragraphs(test):
        for q in paragraph.questions + paragraph.cloze:
            if q.kind in ("yes", "no"):
                continue
            words_said = q.answer.removesuffix(".").removeprefix("in ").removeprefix("the ").removeprefix("a ").removeprefix("an ")
            assert words_said in paragraph.text, (paragraph.text, q)


def test_a_yes_and_a_no_never_answer_the_same_question():
    for paragraph in paragraphs(False):
        answers = {}
        for q in paragraph.questions:
            answers.setdefault(q.question.split(": ")[-1].removeprefix("Now, a question. "), set()).add(q.answer)
        assert all(len(given) == 1 for given in answers.values()), (paragraph.text, answers)


def test_one_seed_gives_one_text():
    assert [p.text for p in paragraphs(False, 20)] == [p.text for p in paragraphs(False, 20)]


def test_pairings_asked_about_are_on_the_side_that_the_hash_says():
    for test in (False, True):
        for paragraph in paragraphs(test):
            for q in paragraph.questions:
                assert words.held_out(*q.pairing) == test, q


def test_every_relation_and_kind_comes_up():
    asked = [q for p in paragraphs(True) for q in p.questions]
    assert {q.kind for q in asked} == {"value", "who", "who not", "yes", "no", "two steps", "kin"}
    assert {q.pairing[0] for q in asked} >= {relation.name for relation in wording.RELATIONS}


def test_nothing_of_the_tests_is_in_training():
    assert leaks(samples=400, seed=3) == []


@pytest.mark.parametrize("test", [False, True])
def test_links_stand_after_their_second_word_and_lead_to_every_answer(test):
    for paragraph in paragraphs(test):
        for at, _, second in paragraph.links:
            assert paragraph.text[:at].endswith(second), (paragraph.text, at)
        for q in paragraph.questions:
            assert q.steps and all(paragraph.places(pair) for pair in q.steps), (paragraph.text, q)
            assert q.about in q.question
            if q.kind not in ("yes", "no"):
                assert q.answer.removesuffix(".").split()[-1] in q.steps[-1], (paragraph.text, q)
