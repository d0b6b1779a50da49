"""Writes the evaluation set for explanations of pictures: 200 held-out scenes of two to four shapes.

Rows of `{image, question, answer, mask}` in `images.jsonl`; the mask is white where the shape is that the question is
about, so an explanation ought to point there. Each question is about exactly one shape.

    python training/make_image_eval.py --out models/atman-tiny/eval
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from scene_questions import questions
from scenes import Painter

HERE = Path(__file__).parent
ABOUT_ONE_SHAPE = ("color", "kind", "where")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE.parent / "tests" / "data" / "scenes")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--seed", type=int, default=77001)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    painter = Painter(args.seed, test=True)
    rows = []
    while len(rows) < args.rows:
        kind = ABOUT_ONE_SHAPE[len(rows) % len(ABOUT_ONE_SHAPE)]
        scene = painter.scene(2 + len(rows) % 3)
        asked = [q for q in questions(scene, painter.rng, test=True) if q.kind == kind]
        if not asked:
            continue
        q = painter.rng.choice(asked)
        image, mask = f"{len(rows):03}.png", f"{len(rows):03}-mask.png"
        Image.fromarray(scene.pixels).save(args.out / image, optimize=True)
        where = scene.masks[q.about[0]].astype(np.uint8) * 255
        Image.fromarray(where).convert("1").save(args.out / mask, optimize=True)
        rows.append({"image": image, "question": q.question, "answer": q.answer, "mask": mask})
    with (args.out / "images.jsonl").open("w") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
    total = sum(path.stat().st_size for path in args.out.iterdir())
    print(f"{len(rows)} rows, {total} bytes, in {args.out}")


if __name__ == "__main__":
    main()
