"""Writes what Hugging Face transformers computes with the exported model: 20 prompts, from words and files of pictures to the
logits of every token after the last position, in single precision.

    python training/make_goldens.py        # writes tests/goldens/atman-tiny.json
"""

import argparse
import base64
import io
import json
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from facts import Writer
from scene_questions import questions
from scenes import Painter

HERE = Path(__file__).parent
TEXTS = 9
SCENES = 9


def png(pixels: np.ndarray) -> bytes:
    """The file of a picture."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


def prompts(seed: int) -> list[tuple[list[bytes], str]]:
    """Pictures and words: paragraphs, scenes, a picture that must be resized, and two pictures in one prompt."""
    rng = random.Random(seed)
    writer, painter = Writer(rng, test=True), Painter(seed, test=True)
    out: list[tuple[list[bytes], str]] = []
    while len(out) < TEXTS:
        paragraph = writer.paragraph()
        if paragraph.questions:
            out.append(([], f"{paragraph.text} {rng.choice(paragraph.questions).question}"))
    for number in range(SCENES):
        scene = painter.scene(1 + number % 4)
        out.append(([png(scene.pixels)], rng.choice(questions(scene, rng, test=True)).question))
    wide = Image.fromarray(painter.scene(3).pixels).resize((150, 97), Image.Resampling.BICUBIC)
    out.append(([png(np.asarray(wide))], "Describe what you see."))
    out.append(([png(painter.scene(1).pixels), png(painter.scene(2).pixels)], "How many shapes are in the image?"))
    return out


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=HERE.parent / "models" / "atman-tiny")
    parser.add_argument("--out", type=Path, default=HERE.parent / "tests" / "goldens" / "atman-tiny.json")
    args = parser.parse_args()
    model = Idefics3ForConditionalGeneration.from_pretrained(args.model, dtype=torch.float32).eval()
    processor = Idefics3Processor.from_pretrained(args.model)
    cases = []
    for files, text in prompts(seed=4242):
        content = [{"type": "image"} for _ in files] + [{"type": "text", "text": text}]
        prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        images = [Image.open(io.BytesIO(file)).convert("RGB") for file in files] or None
        inputs = processor(text=prompt, images=images, return_tensors="pt")
        with torch.no_grad():
            logits = model(**inputs).logits[0, -1]
        cases.append(
            {
                "images": [base64.b64encode(file).decode() for file in files],
                "text": text,
                "ids": inputs["input_ids"][0].tolist(),
                "logits": [round(value, 5) for value in logits.tolist()],
            }
        )
        print(f"{len(files)} pictures, {len(cases[-1]['ids'])} tokens: {text[-60:]!r}")
    args.out.write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")
    print(f"{args.out}: {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
