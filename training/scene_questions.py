"""What can be asked about a scene, with answers and the shapes that each question is about."""

import random
from dataclasses import dataclass

from scenes import COLORS, KINDS, Scene, Shape

NUMBERS = ["zero", "one", "two", "three", "four"]

# Training wordings first, the tests' second. {k} is a kind, {p} its plural, {c} a colour, {s} a colour and kind.
ASK = {
    "color": (
        ["What color is the {k}?", "What is the color of the {k}?", "Which color is the {k}?", "Tell me the color of the {k}.",
         "The {k} is of what color?", "In which color is the {k}?"],
        ["Which color does the {k} have?", "Say what color the {k} is.", "What is the {k}'s color?"],
    ),
    "kind": (
        ["What shape is {c}?", "What is the {c} shape?", "Which shape is {c}?", "What is the shape of the {c} thing?",
         "What is {c} in the picture?", "Name the {c} shape."],
        ["What {c} shape is there?", "Which shape is the {c} one?", "Say what the {c} shape is."],
    ),
    "lone color": (
        ["What color is the shape?", "What is the color of the shape?", "Which color is it?", "Tell me the color of the shape."],
        ["What color is it?", "Which color does the shape have?"],
    ),
    "lone kind": (
        ["What shape is in the image?", "What shape is this?", "Which shape is in the picture?", "Tell me what shape this is.",
         "What shape is it?"],
        ["What shape is in the picture?", "Which shape is this?"],
    ),
    "left": (
        ["What is left of the {s}?", "What is to the left of the {s}?", "Which shape is left of the {s}?"],
        ["Which shape is to the left of the {s}?", "What is there to the left of the {s}?"],
    ),
    "right": (
        ["What is right of the {s}?", "What is to the right of the {s}?", "Which shape is right of the {s}?"],
        ["Which shape is to the right of the {s}?", "What is there to the right of the {s}?"],
    ),
    "above": (
        ["What is above the {s}?", "What is over the {s}?", "Which shape is above the {s}?", "What is there above the {s}?"],
        ["Which shape is over the {s}?", "What shape is above the {s}?"],
    ),
    "below": (
        ["What is below the {s}?", "What is under the {s}?", "Which shape is below the {s}?", "What is there below the {s}?"],
        ["Which shape is under the {s}?", "What shape is below the {s}?"],
    ),
    "where": (
        ["Where is the {s}?", "Where in the picture is the {s}?", "In which part of the picture is the {s}?"],
        ["Where in the image is the {s}?", "In which part of the image is the {s}?"],
    ),
    "count": (
        ["How many shapes are there?", "How many shapes are in the picture?", "How many shapes do you see?", "Count the shapes."],
        ["How many shapes are in the image?", "How many shapes can you see?"],
    ),
    "count kind": (
        ["How many {p} are there?", "How many {p} are in the picture?", "Count the {p}."],
        ["How many {p} are in the image?", "How many {p} do you see?"],
    ),
    "is there": (
        ["Is there a {s}?", "Is there a {s} in the picture?", "Do you see a {s}?", "Is a {s} in the image?", "Can you find a {s}?",
         "Is there any {s}?", "Does the picture show a {s}?", "Can you find a {s} in the picture?", "Do you see any {s}?",
         "Can you say if there is a {s}?", "Can a {s} be seen?"],
        ["Is there a {s} in the image?", "Can you see a {s}?"],
    ),
    "describe": (
        ["Describe the picture.", "What is in the picture?", "Describe the image.", "What do you see?", "List the shapes.",
         "Say what is in the picture."],
        ["What is in the image?", "Describe what you see.", "Say what you see in the picture."],
    ),
}


@dataclass(frozen=True)
class SceneQuestion:
    """A question, its answer, and the indices of the shapes whose pixels answer it; `via` are those that must be found first.

    `named` says for places in the answer, as the number of characters before, which shape is named next.
    """

    kind: str
    template: str
    question: str
    answer: str
    about: tuple[int, ...]
    via: tuple[int, ...] = ()
    named: tuple[tuple[int, int], ...] = ()


def a(noun: str) -> str:
    """The noun with its article."""
    return f"{'an' if noun.startswith('orange') else 'a'} {noun}"


def plural(kind: str) -> str:
    """`circles`, `crosses`."""
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"


def neighbor(shapes: tuple[Shape, ...], of: int, side: str) -> int | None:
    """The one shape clearly on that side, or none if there is no such shape, more than one, or a doubtful one.

    Clearly: at least eight pixels off in that direction, and more so than in the other. Doubtful: in between.
    """
    dx, dy = {"left": (-1, 0), "right": (1, 0), "above": (0, -1), "below": (0, 1)}[side]
    here = shapes[of]
    clear = []
    for index, shape in enumerate(shapes):
        if index == of:
            continue
        x, y = shape.x_px - here.x_px, shape.y_px - here.y_px
        along, across = (x * dx, abs(y)) if dx else (y * dy, abs(x))
        if along >= 8 and along >= 1.25 * across:
            clear.append(index)
        elif along > 0 and along >= 0.8 * across:
            return None
    return clear[0] if len(clear) == 1 else None


def region(shape: Shape) -> str | None:
    """The part of the picture that a shape is clearly in, or none near the middle lines."""
    parts = []
    for value, low, high in ((shape.y_px, "top", "bottom"), (shape.x_px, "left", "right")):
        if value <= 26:
            parts.append(low)
        elif value >= 37:
            parts.append(high)
        else:
            return None
    return " ".join(parts)


def description(shapes: tuple[Shape, ...]) -> tuple[str, tuple[tuple[int, int], ...]] | None:
    """All shapes from left to right and where in it each is named, or none where their order is doubtful."""
    order = sorted(range(len(shapes)), key=lambda index: shapes[index].x_px)
    if any(shapes[right].x_px - shapes[left].x_px < 5 for left, right in zip(order, order[1:])):
        return None
    text, named = "", []
    for number, index in enumerate(order):
        text += "" if number == 0 else " and " if number == len(order) - 1 else ", "
        article = a(shapes[index].name()).split()[0]
        named += [(len(text) + len(article), index), (len(text) + len(article) + 1 + len(shapes[index].color), index)]
        text += f"{article} {shapes[index].name()}"
    return text + ".", tuple(named)


def questions(scene: Scene, rng: random.Random, test: bool) -> list[SceneQuestion]:
    """Everything that can be asked about a scene and has one right answer, each in one wording."""
    shapes = scene.shapes
    out: list[SceneQuestion] = []

    def add(kind: str, answer: str, about: tuple[int, ...], via: tuple[int, ...] = (), named=(), **fill: str) -> None:
        template = rng.choice(ASK[kind][test])
        question = template.format(**fill).replace(" a orange", " an orange")
        out.append(SceneQuestion(kind, template, question, answer, about, via or about, named))

    kinds, colors = [s.kind for s in shapes], [s.color for s in shapes]
    everything = tuple(range(len(shapes)))
    for index, shape in enumerate(shapes):
        short = shape.kind if kinds.count(shape.kind) == 1 and rng.random() < 0.7 else shape.name()
        if kinds.count(shape.kind) == 1:
            add("color", f"{shape.color}.", (index,), k=shape.kind)
        if colors.count(shape.color) == 1:
            add("kind", f"{shape.kind}.", (index,), c=shape.color)
        if (part := region(shape)) is not None:
            add("where", f"{part}.", (index,), s=short)
        for side in ("left", "right", "above", "below"):
            if (other := neighbor(shapes, index, side)) is not None:
                add(side, f"{a(shapes[other].name())}.", (other,), (index,), s=short)
        add("is there", "yes.", (index,), s=shape.name())
    if len(shapes) == 1:
        add("lone color", f"{colors[0]}.", (0,))
        add("lone kind", f"{kinds[0]}.", (0,))
    add("count", f"{NUMBERS[len(shapes)]}.", everything)
    counted = rng.choice(kinds) if rng.random() < 0.6 else rng.choice(KINDS)
    add("count kind", f"{NUMBERS[kinds.count(counted)]}.", tuple(i for i in everything if kinds[i] == counted), p=plural(counted))
    names = {s.name() for s in shapes}
    for _ in shapes:
        # Half of the absent things share colour or kind with one that is there, or else the question is too easy.
        absent = f"{rng.choice(list(COLORS))} {rng.choice(kinds)}" if rng.random() < 0.5 else f"{rng.choice(colors)} {rng.choice(KINDS)}"
        if absent not in names:
            add("is there", "no.", (), s=absent)
    if (described := description(shapes)) is not None:
        add("describe", described[0], everything, named=described[1])
    return out
