"""Shows that nothing of the tests occurs in training. Exits with 1 if something does.

It draws training data just as `train.py` does, and looks for the tests' wordings, pairings, whole prompts, scenes and
pictures among them. Wordings are compared as templates, so no choice of names can hide one.

    python training/check_leaks.py --samples 20000
"""

import argparse
import hashlib
import random
import sys

import easy_vqa_set
import facts
import wording
from facts import Writer
from scene_questions import ASK, questions
from scenes import Painter, key


def digest(pixels) -> str:
    """A name for a picture's exact pixels."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def template_pairs() -> dict[str, tuple[list[str], list[str]]]:
    """Every pair of wording lists, training first, by name."""
    pairs = {f"picture, {name}": lists for name, lists in ASK.items()}
    for relation in wording.RELATIONS:
        for part in ("say", "deny", "ask_value", "ask_who", "ask_if"):
            pairs[f"{relation.name}, {part}"] = getattr(relation, part)
    for name in ("CONTAINER_SAY", "ROOM_SAY", "CONTAINER_ASK_ROOM", "CONTAINER_ASK_STEP", "KIN_SAY", "KIN_ASK", "WITH_SAY"):
        pairs[name] = getattr(wording, name)
    return pairs


def leaks(samples: int, seed: int) -> list[str]:
    """What was found on both sides, in words."""
    found = []
    for name, (train, test) in template_pairs().items():
        for template in {t.casefold() for t in train} & {t.casefold() for t in test}:
            found.append(f"wording {template!r} of {name} is on both sides")

    def ask_templates(index: int) -> set[str]:
        asks = {t for name, lists in template_pairs().items() if "ask" in name.lower() or "picture" in name for t in lists[index]}
        # "Who does not live in Oslo?" is made of the wording that denies.
        denials = {t for relation in wording.RELATIONS for t in relation.deny[index] if t.startswith("{x} ")}
        return asks | {facts.who_not(t) for t in denials}

    held_out = ask_templates(1)
    rng = random.Random(seed)
    writer, painter = Writer(rng, test=False), Painter(seed, test=False)
    train_texts, train_pairings, train_scenes, train_pictures = set(), set(), set(), set()
    for _ in range(samples):
        paragraph = writer.paragraph()
        for q in paragraph.questions + paragraph.cloze:
            train_texts.add(f"{paragraph.text} {q.question}")
            train_pairings.add(q.pairing)
            if q.template in held_out:
                found.append(f"held-out wording {q.template!r} in training")
    for _ in range(samples):
        scene = painter.scene(rng.randint(1, 4))
        train_scenes.add(key(scene.shapes))
        train_pictures.add(digest(scene.pixels))
        for q in questions(scene, rng, test=False):
            if q.template in held_out:
                found.append(f"held-out wording {q.template!r} in training")

    test_writer, test_painter = Writer(random.Random(seed + 1), test=True), Painter(seed + 1, test=True)
    asked = 0
    for _ in range(samples // 4):
        paragraph = test_writer.paragraph()
        for q in paragraph.questions + paragraph.cloze:
            asked += 1
            if q.pairing in train_pairings:
                found.append(f"pairing {q.pairing} is on both sides")
            if f"{paragraph.text} {q.question}" in train_texts:
                found.append(f"the prompt {paragraph.text!r} is on both sides")
            if q.kind != "cloze" and q.template not in held_out:
                found.append(f"a test asks in a training wording: {q.template!r}")
        scene = test_painter.scene(rng.randint(1, 4))
        if key(scene.shapes) in train_scenes or digest(scene.pixels) in train_pictures:
            found.append(f"the scene {key(scene.shapes)} is on both sides")

    train, test = easy_vqa_set.load(test=False), easy_vqa_set.load(test=True)
    common = {digest(p) for p in train.pixels} & {digest(p) for p in test.pixels}
    print(f"{len(train_texts)} training and {asked} test questions about texts, {len(train_pairings)} training pairings")
    print(f"{len(train_scenes)} training scenes and {samples // 4} test scenes")
    print(f"easy-VQA: {len(train.pixels)} training and {len(test.pixels)} test pictures, {len(common)} the same to the pixel")
    return sorted(set(found))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=20)
    args = parser.parse_args()
    found = leaks(args.samples, args.seed)
    for line in found[:20]:
        print(line)
    print("no leak" if not found else f"{len(found)} leaks")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
