"""The easy-VQA set as its package ships it: one shape on a plain ground, 64x64 pixels."""

from dataclasses import dataclass

import easy_vqa
import numpy as np
from PIL import Image

TRAIN_IMAGES = 4000
TEST_IMAGES = 1000


@dataclass
class EasyVqa:
    """One split: `pixels` [images, 64, 64, 3], and for each image its (question, answer) pairs."""

    pixels: np.ndarray
    questions: list[list[tuple[str, str]]]


def load(test: bool) -> EasyVqa:
    """Loads a split. Answers get a full stop, like all answers of this model."""
    paths = easy_vqa.get_test_image_paths() if test else easy_vqa.get_train_image_paths()
    texts, answers, images = easy_vqa.get_test_questions() if test else easy_vqa.get_train_questions()
    pixels = np.stack([np.asarray(Image.open(paths[i]).convert("RGB")) for i in range(len(paths))])
    questions: list[list[tuple[str, str]]] = [[] for _ in paths]
    for text, answer, image in zip(texts, answers, images):
        questions[image].append((text, f"{answer}."))
    return EasyVqa(pixels, questions)
