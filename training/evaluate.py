"""Accuracy on the held-out sets.

An answer counts as right if greedy writing gives it to the letter, its end included. That is so exactly if each of its
tokens is the likeliest after those before it, which one forward pass tells.

    python training/evaluate.py --model models/atman-tiny
"""

import argparse
import random
from collections import defaultdict
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoTokenizer

import chat
import easy_vqa_set
from batches import Batcher
from facts import Writer
from model import TinyVlm
from samples import Sample, answered
from scene_questions import questions
from scenes import Painter


def text_set(seed: int, count: int, made_up_names: float = 0.0) -> list[tuple[str, Sample]]:
    """`count` questions in held-out wording about held-out pairings, one of each kind in turn, with their kinds."""
    rng = random.Random(seed)
    writer = Writer(rng, test=True, made_up_names=made_up_names)
    out: list[tuple[str, Sample]] = []
    kinds = ["value", "who", "two steps", "who not", "yes", "no", "kin", "cloze"]
    while len(out) < count:
        paragraph = writer.paragraph()
        kind = kinds[len(out) % len(kinds)]
        asked = [q for q in paragraph.questions + paragraph.cloze if q.kind == kind]
        if not asked:
            continue
        q = rng.choice(asked)
        if kind == "cloze":
            sample = Sample(paragraph.text, [(f" {q.question}", answered(q.answer))], plain=True)
        else:
            sample = Sample(chat.TEXT_TURN + paragraph.text, [(f" {q.question}{chat.ANSWER_TURN}", answered(q.answer))])
        out.append((kind, sample))
    return out


def scene_set(seed: int, count: int, fewest: int, most: int) -> list[tuple[str, Sample]]:
    """`count` questions in held-out wording, one about each of as many held-out scenes, with their kinds."""
    painter = Painter(seed, test=True)
    out = []
    for _ in range(count):
        scene = painter.scene(painter.rng.randint(fewest, most))
        asked = questions(scene, painter.rng, test=True)
        kind = painter.rng.choice(sorted({q.kind for q in asked}))
        q = painter.rng.choice([q for q in asked if q.kind == kind])
        sample = Sample(chat.IMAGE_TURN, [(f"{q.question}{chat.ANSWER_TURN}", answered(q.answer))], pixels=scene.pixels)
        out.append((kind, sample))
    return out


def easy_vqa_test(images: int) -> list[tuple[str, Sample]]:
    """The test split of easy-VQA, word for word; each row is a picture with all its questions."""
    data = easy_vqa_set.load(test=True)
    out = []
    for pixels, asked in list(zip(data.pixels, data.questions))[:images]:
        branches = [(f"{question}{chat.ANSWER_TURN}", answered(answer)) for question, answer in asked]
        out.append(("easy-VQA", Sample(chat.IMAGE_TURN, branches, pixels=pixels)))
    return out


@torch.no_grad()
def accuracy(model, tokenizer, rows: list[tuple[str, Sample]], fast: bool = False) -> tuple[float, dict[str, tuple[int, int]], list[str]]:
    """The share of right answers, (right, all) by kind, and some wrong ones. `fast` computes in bfloat16."""
    model.eval()
    batcher = Batcher(tokenizer, longest=1024)
    by_kind: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    wrong = []
    rows = sorted(rows, key=lambda row: len(row[1].prefix))
    for start in range(0, len(rows), 32):
        part = rows[start : start + 32]
        batch = batcher.batch([Sample(s.prefix, s.branches, s.pixels) for _, s in part])
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            hidden = model.hidden(batch.ids, batch.positions, batch.mask, batch.pixels)
            best = model.logits(hidden.flatten(0, 1)[batch.at]).argmax(-1)
        hits = iter((best == batch.next_ids).tolist())
        said = iter(best.tolist())
        for kind, sample in part:
            for (asked, answer), ids in zip(sample.branches, batcher.encode([a for _, a in sample.branches])):
                right = all([next(hits) for _ in ids])
                answer_said = tokenizer.decode([next(said) for _ in ids])
                by_kind[kind][0] += right
                by_kind[kind][1] += 1
                if not right and len(wrong) < 200:
                    context = "" if sample.pixels is not None else sample.prefix
                    wrong.append(f"{kind}: {context}{asked} -> {answer_said!r}, not {answer!r}".replace(chat.ANSWER_TURN, ""))
    model.train()
    right, total = (sum(v[i] for v in by_kind.values()) for i in (0, 1))
    return right / max(1, total), {k: (v[0], v[1]) for k, v in sorted(by_kind.items())}, wrong


def summary(share: float, by_kind: dict[str, tuple[int, int]]) -> str:
    """`97.5 % (kin 98 %, ...)`."""
    kinds = ", ".join(f"{kind} {100 * right / total:.0f} %" for kind, (right, total) in by_kind.items())
    return f"{100 * share:.1f} % ({kinds})"


def held_out_sets(small: bool) -> dict[str, list[tuple[str, Sample]]]:
    """The held-out sets by name: small to look at while training, or whole. The two come from different seeds."""
    n, seed = (160, 501) if small else (2000, 9001)
    return {
        "text, held-out wording and pairings": text_set(seed, n),
        "the same, names never seen": text_set(seed + 1, n, made_up_names=1.0),
        "one shape, held-out wording and scenes": scene_set(seed + 2, n, 1, 1),
        "two to four shapes, held-out wording and scenes": scene_set(seed + 3, n, 2, 4),
        "easy-VQA, its test split": easy_vqa_test(20 if small else easy_vqa_set.TEST_IMAGES),
    }


def report(model, tokenizer) -> None:
    """Prints the figures on the whole held-out sets, with some wrong answers."""
    for name, rows in held_out_sets(small=False).items():
        share, kinds, wrong = accuracy(model, tokenizer, rows)
        print(f"{name}: {summary(share, kinds)}", flush=True)
        for line in wrong[:8]:
            print(f"    {line}", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path(__file__).parent.parent / "models" / "atman-tiny")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = TinyVlm(AutoConfig.from_pretrained(args.model))
    model.load_state_dict({name: tensor.float() for name, tensor in load_file(args.model / "model.safetensors").items()})
    report(model, AutoTokenizer.from_pretrained(args.model))


if __name__ == "__main__":
    main()
