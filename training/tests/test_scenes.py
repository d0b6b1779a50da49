"""Scenes: masks fit the shapes that are drawn, answers fit the scene."""

import random

import numpy as np

from scene_questions import NUMBERS, neighbor, questions
from scenes import COLORS, SIDE_PX, Painter, Shape


def drawn(test: bool = False, count: int = 120):
    painter = Painter(11, test)
    return [painter.scene(1 + i % 4) for i in range(count)]


def test_each_mask_covers_its_shape_and_nothing_else():
    for scene in drawn():
        covered = np.zeros((SIDE_PX, SIDE_PX), dtype=int)
        for shape, mask in zip(scene.shapes, scene.masks):
            left, top, right, bottom = shape.box()
            rows, columns = np.nonzero(mask)
            assert (columns.min(), rows.min(), columns.max(), rows.max()) == (left, top, right, bottom), shape
            mean = scene.pixels[mask].astype(float).mean(axis=0)
            assert np.abs(mean - np.clip(COLORS[shape.color], 0, 255)).max() <= 13, shape
            covered += mask
        assert covered.max() == 1
        # What no mask covers is ground, and the ground is light.
        assert scene.pixels[covered == 0].mean() > 170


def test_answers_fit_the_scene():
    rng = random.Random(2)
    for scene in drawn():
        for q in questions(scene, rng, test=False):
            about = [scene.shapes[i] for i in q.about]
            if q.kind in ("color", "lone color"):
                assert q.answer == f"{about[0].color}."
                assert about[0].kind in q.question or q.kind == "lone color"
            elif q.kind in ("kind", "lone kind"):
                assert q.answer == f"{about[0].kind}."
            elif q.kind == "count":
                assert q.answer == f"{NUMBERS[len(scene.shapes)]}."
            elif q.kind == "count kind":
                assert q.answer == f"{NUMBERS[len(about)]}."
            elif q.kind == "is there":
                assert (q.answer == "yes.") == any(s.name() in q.question for s in scene.shapes)
            elif q.kind == "describe":
                assert all(s.name() in q.answer for s in scene.shapes)


def test_a_neighbour_is_named_only_if_there_is_no_doubt():
    square = Shape("red", "square", 40, 30, 5, 5)
    left = Shape("blue", "circle", 15, 33, 5, 5)
    also_left = Shape("teal", "circle", 12, 20, 5, 5)
    slant = Shape("gray", "cross", 25, 46, 6, 6)
    assert neighbor((square, left), 0, "left") == 1
    assert neighbor((square, left), 0, "right") is None
    assert neighbor((square, left), 1, "right") == 0
    assert neighbor((square, left, also_left), 0, "left") is None
    assert neighbor((square, slant), 0, "left") is None


def test_one_seed_gives_one_scene():
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(drawn(count=8), drawn(count=8)))
