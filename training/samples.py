"""What a row of a batch is made of: a prefix (picture or paragraph) and branches, each a question with its answer."""

import random
from dataclasses import dataclass, field

import numpy as np

import chat
import easy_vqa_set
import words
from facts import Writer
from scene_questions import SceneQuestion, questions
from architecture import IMAGE_SIDE_PX, PATCH_SIDE_PX
from scenes import COLORS, KINDS, Painter, Scene

IGNORED = -100
CENTRE_STEP_PX = 4


@dataclass
class Sample:
    """`branches` holds (asked, answered); `pixels` [64, 64, 3] or none. A plain sample has no chat around it.

    `patches` [7, 64] or none says what each patch shows (see `patch_labels`). `links` says for places in the prefix, as the
    character after a word, which word came first there. For each branch `about` says what is asked about, and `looks` where
    to look first and then: characters after words, or numbers of patches. `answer_looks` says the same for places in answers, as characters from an answer's start. All are empty
    where they would teach nothing.
    """

    prefix: str
    branches: list[tuple[str, str]]
    pixels: np.ndarray | None = None
    plain: bool = False
    patches: np.ndarray | None = None
    links: list[tuple[int, str]] = field(default_factory=list)
    about: list[str] = field(default_factory=list)
    looks: list[tuple[list[int], list[int]]] = field(default_factory=list)
    answer_looks: list[list[tuple[int, list[int]]]] = field(default_factory=list)


def shares_of(scene: Scene) -> np.ndarray:
    """[shapes, 64]: how much of each patch each shape covers."""
    side = IMAGE_SIDE_PX // PATCH_SIDE_PX
    return np.stack([m.reshape(side, PATCH_SIDE_PX, side, PATCH_SIDE_PX).mean((1, 3)).ravel() for m in scene.masks])


def patches_of(scene: Scene) -> list[set[int]]:
    """The patches of which each shape covers a fifth or more, and the one that it covers most of."""
    return [set(np.flatnonzero(share >= 0.2)) | {int(share.argmax())} for share in shares_of(scene)]


def patch_labels(scene: Scene) -> np.ndarray:
    """[7, 64]: for each patch the colour and the kind of its shape, from 1 on, 0 for ground and -100 for a mere edge; the
    patch's own column and row; the column and row of its shape's centre in steps of four pixels, -100 where there is no
    shape; and whether that centre is within the patch.
    """
    side = IMAGE_SIDE_PX // PATCH_SIDE_PX
    shares = shares_of(scene)
    best, most = shares.argmax(0), shares.max(0)
    colors = np.array([1 + list(COLORS).index(s.color) for s in scene.shapes])
    kinds = np.array([1 + KINDS.index(s.kind) for s in scene.shapes])
    rows, columns = np.divmod(np.arange(side * side), side)
    x, y = (np.array([getattr(s, name) for s in scene.shapes])[best] for name in ("x_px", "y_px"))
    is_centre = (x // PATCH_SIDE_PX == columns) & (y // PATCH_SIDE_PX == rows)
    labels = np.stack([colors[best], kinds[best], columns, rows, x // CENTRE_STEP_PX, y // CENTRE_STEP_PX, is_centre])
    labels[:2, most == 0] = 0
    labels[4:6, most == 0] = IGNORED
    labels[6, most == 0] = 0
    # The middle of a cross or a thin rectangle may be a mere edge of what its patch shows, and still counts as its centre.
    edge = (most > 0) & (most < 0.1)
    labels[:2, edge] = IGNORED
    labels[4:6, edge] = IGNORED
    return labels


def answered(answer: str) -> str:
    """An answer as the model writes it."""
    return f" {answer}{chat.END}"


class TextSamples:
    """Paragraphs with questions, one in six of them as plain text to be continued."""

    def __init__(self, seed: int):
        self.rng = random.Random()
        self.writer = Writer(self.rng, test=False)
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Starts anew from a seed."""
        self.rng.seed(seed)

    def draw(self, branches: int) -> Sample:
        """One paragraph with at most so many questions, hard kinds more often than easy ones."""
        rng = self.rng
        while True:
            paragraph = self.writer.paragraph()
            if not paragraph.questions:
                continue
            if rng.random() < 1 / 6 and paragraph.cloze:
                asked = rng.sample(paragraph.cloze, min(branches, len(paragraph.cloze)))
                branches = [(f" {q.question}", answered(q.answer)) for q in asked]
                return Sample(paragraph.text, branches, plain=True, links=[(at, first) for at, first, _ in paragraph.links])
            weight = {"two steps": 3.0, "who not": 2.0, "value": 1.5, "who": 1.2, "kin": 1.2, "yes": 0.7, "no": 0.7}
            order = sorted(paragraph.questions, key=lambda q: rng.random() ** (1 / weight[q.kind]), reverse=True)
            gap = " " if rng.random() < 0.8 else "\n"
            chosen = [(f"{gap}{q.question}{chat.ANSWER_TURN}", answered(q.answer)) for q in order[:branches]]
            shift = len(chat.TEXT_TURN)
            links = [(at + shift, first) for at, first, _ in paragraph.links]
            about = [q.about for q in order[:branches]]
            looks = []
            for q in order[:branches]:
                places = [[at + shift for at in paragraph.places(pair)] for pair in q.steps]
                looks.append((places[0], places[-1]))
            return Sample(chat.TEXT_TURN + paragraph.text, chosen, links=links, about=about, looks=looks)


class CopySamples:
    """Words in a row, to be said again from any of them on. It teaches looking back, which all the rest is built on."""

    def __init__(self, seed: int):
        self.rng = random.Random()
        self.seed(seed)
        self.known = words.WOMEN + words.MEN + words.CITIES + words.JOBS + words.PETS + words.FOODS + words.THINGS

    def seed(self, seed: int) -> None:
        """Starts anew from a seed."""
        self.rng.seed(seed)

    def draw(self, branches: int) -> Sample:
        """A row of six to sixteen words."""
        rng = self.rng
        row = rng.sample(self.known, rng.randint(6, 16))
        row = [words.made_up_word(rng) if rng.random() < 0.25 else word for word in row]
        starts = rng.sample(range(len(row) - 1), min(branches, len(row) - 1))
        asked = [(f" {row[i]}", "".join(f" {word}" for word in row[i + 1 : i + 4])) for i in starts]
        return Sample(" ".join(row) + ".", asked, plain=True)


class SceneSamples:
    """Scenes with questions."""

    def __init__(self, seed: int):
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Starts anew from a seed."""
        self.rng = random.Random(seed)
        self.painter = Painter(seed, test=False)

    def draw(self, branches: int, most_shapes: int) -> Sample:
        """One scene of up to `most_shapes` shapes with at most so many questions."""
        rng = self.rng
        count = rng.choice([n for n in (1, 2, 2, 3, 3, 4, 4) if n <= most_shapes])
        scene = self.painter.scene(count)
        weight = {"is there": 0.7, "kind": 0.8, "where": 0.8, "describe": 3.0, "count": 1.5, "count kind": 1.5}
        asked: list[SceneQuestion] = questions(scene, rng, test=False)
        order = sorted(asked, key=lambda q: rng.random() ** (1 / weight.get(q.kind, 1.0)), reverse=True)
        chosen = [(f"{q.question}{chat.ANSWER_TURN}", answered(q.answer)) for q in order[:branches]]
        shown = patches_of(scene)
        looks = [
            tuple(sorted(set().union(*(shown[index] for index in shapes))) for shapes in (q.via, q.about)) for q in order[:branches]
        ]
        # An answer is written with a space before it.
        answer_looks = [[(at + 1, sorted(shown[index])) for at, index in q.named] for q in order[:branches]]
        taught = {"patches": patch_labels(scene), "looks": looks, "answer_looks": answer_looks}
        return Sample(chat.IMAGE_TURN, chosen, pixels=scene.pixels, **taught)


class EasyVqaSamples:
    """The training split of easy-VQA; mirrored half of the time, with a capital half of the time."""

    def __init__(self, seed: int):
        self.rng = random.Random()
        self.seed(seed)
        self.data = easy_vqa_set.load(test=False)

    def seed(self, seed: int) -> None:
        """Starts anew from a seed."""
        self.rng.seed(seed)

    def draw(self, branches: int) -> Sample:
        """One picture with at most so many of its questions."""
        rng = self.rng
        index = rng.randrange(len(self.data.questions))
        pixels = self.data.pixels[index]
        if rng.random() < 0.5:
            pixels = pixels[:, ::-1]
        asked = self.data.questions[index]
        chosen = []
        for question, answer in rng.sample(asked, min(branches, len(asked))):
            if rng.random() < 0.5:
                question = question[0].upper() + question[1:]
            chosen.append((f"{question}{chat.ANSWER_TURN}", answered(answer)))
        return Sample(chat.IMAGE_TURN, chosen, pixels=pixels)
