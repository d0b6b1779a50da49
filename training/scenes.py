"""Scenes of one to four coloured shapes, 64x64 pixels, with a mask of each shape."""

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

import words

SIDE_PX = 64
COLORS = {
    "red": (235, 25, 25),
    "green": (25, 175, 40),
    "blue": (30, 50, 230),
    "yellow": (245, 230, 30),
    "orange": (255, 145, 15),
    "purple": (140, 40, 180),
    "black": (8, 8, 8),
    "gray": (128, 128, 128),
    "brown": (135, 65, 30),
    "teal": (0, 135, 135),
}
KINDS = ["circle", "square", "triangle", "rectangle", "cross"]


@dataclass(frozen=True)
class Shape:
    """One shape: its centre and half extents in pixels, all whole."""

    color: str
    kind: str
    x_px: int
    y_px: int
    half_width_px: int
    half_height_px: int

    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom, all within the shape."""
        return (
            self.x_px - self.half_width_px,
            self.y_px - self.half_height_px,
            self.x_px + self.half_width_px,
            self.y_px + self.half_height_px,
        )

    def name(self) -> str:
        """`red circle`."""
        return f"{self.color} {self.kind}"


@dataclass(frozen=True)
class Scene:
    """Shapes, `pixels` [64, 64, 3] and one mask [64, 64] for each shape."""

    shapes: tuple[Shape, ...]
    pixels: np.ndarray
    masks: tuple[np.ndarray, ...]


def key(shapes: tuple[Shape, ...]) -> tuple[str, ...]:
    """What two scenes share that count as the same: colours, kinds and rough places (eighths of the picture)."""
    return tuple(sorted(f"{s.color} {s.kind} {s.x_px // 8} {s.y_px // 8}" for s in shapes))


def mask(shape: Shape) -> np.ndarray:
    """Where a shape is, as booleans [64, 64]."""
    image = Image.new("L", (SIDE_PX, SIDE_PX), 0)
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = shape.box()
    if shape.kind == "circle":
        draw.ellipse((left, top, right, bottom), fill=255)
    elif shape.kind in ("square", "rectangle"):
        draw.rectangle((left, top, right, bottom), fill=255)
    elif shape.kind == "triangle":
        draw.polygon(((shape.x_px, top), (right, bottom), (left, bottom)), fill=255)
    elif shape.kind == "cross":
        third = max(1, shape.half_width_px // 3)
        draw.rectangle((shape.x_px - third, top, shape.x_px + third, bottom), fill=255)
        draw.rectangle((left, shape.y_px - third, right, shape.y_px + third), fill=255)
    else:
        raise ValueError(f"no such shape: {shape.kind}")
    return np.asarray(image) > 0


def ground(rng: random.Random, noise_rng: np.random.Generator) -> np.ndarray:
    """A light ground [64, 64, 3]: plain, shaded from side to side, or noisy."""
    base = np.array([rng.randint(205, 255) for _ in range(3)], dtype=np.float32)
    pixels = np.broadcast_to(base, (SIDE_PX, SIDE_PX, 3)).copy()
    style = rng.random()
    if style < 0.2:
        ramp = np.linspace(-25, 10, SIDE_PX, dtype=np.float32)
        pixels += ramp[:, None, None] if rng.random() < 0.5 else ramp[None, :, None]
    elif style < 0.5:
        strength = rng.uniform(4, 18)
        pixels += noise_rng.normal(0, strength, (SIDE_PX, SIDE_PX, 1)).astype(np.float32)
    return pixels


class Painter:
    """Paints scenes of one side of the split: the key of a scene says by hash which side it belongs to."""

    def __init__(self, seed: int, test: bool):
        self.rng = random.Random(seed)
        self.noise_rng = np.random.default_rng(seed)
        self.test = test

    def shape(self, alone: bool) -> Shape:
        """A shape at random, wholly inside the picture; shapes in company are smaller."""
        rng = self.rng
        kind = rng.choice(KINDS)
        half = rng.randint(5, 15 if alone else 10)
        width = height = half
        if kind == "rectangle":
            half = max(7, half)
            short = half // 2
            width, height = (half, short) if rng.random() < 0.5 else (short, half)
        elif kind == "triangle":
            height = max(4, half - 1)
        elif kind == "cross":
            width = height = max(6, half)
        x = rng.randint(width + 1, SIDE_PX - 2 - width)
        y = rng.randint(height + 1, SIDE_PX - 2 - height)
        return Shape(rng.choice(list(COLORS)), kind, x, y, width, height)

    def shapes(self, count: int) -> tuple[Shape, ...]:
        """`count` shapes at least two pixels apart, no two alike in both colour and kind."""
        while True:
            shapes: list[Shape] = []
            for _ in range(60):
                if len(shapes) == count:
                    break
                new = self.shape(count == 1)
                left, top, right, bottom = new.box()
                apart = all(
                    left - 2 > r or right + 2 < l or top - 2 > b or bottom + 2 < t
                    for l, t, r, b in (old.box() for old in shapes)
                )
                if apart and new.name() not in {old.name() for old in shapes}:
                    shapes.append(new)
            if len(shapes) == count and words.held_out("scene", *key(tuple(shapes))) == self.test:
                return tuple(shapes)

    def scene(self, count: int) -> Scene:
        """A scene of `count` shapes."""
        shapes = self.shapes(count)
        pixels = ground(self.rng, self.noise_rng)
        masks = tuple(mask(shape) for shape in shapes)
        for shape, where in zip(shapes, masks):
            jitter = [self.rng.randint(-12, 12) for _ in range(3)]
            pixels[where] = np.array(COLORS[shape.color], dtype=np.float32) + jitter
        return Scene(shapes, np.clip(pixels, 0, 255).astype(np.uint8), masks)
