"""Trains the model from nothing, in one command; prints its progress and its figures.

Each step takes a batch of paragraphs, one of scenes and one of easy-VQA pictures. Matrices go by Muon, the rest by
AdamW. The rate rises, stays, and falls to nothing over the last part.
"""

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers import AutoTokenizer

import tokenizer as tokenizer_module
from architecture import config
from batches import Batcher, normalise
from evaluate import accuracy, held_out_sets, report, summary
from model import Inside, TinyVlm
from start import look_back, match_contents
from samples import CopySamples, EasyVqaSamples, SceneSamples, TextSamples
from teaching import Teaching
import chat

HERE = Path(__file__).parent
TOKENIZER_SEED = 7
TOKENIZER = "tokenizer"
KEEP_EVERY_STEPS = 100
PATCH_SHARE = 0.2
LINK_SHARE = 0.3
LOOK_SHARE = 0.3
SEEING_STEPS = 2500
SEEING_SCENES = 32
COPYING_UNTIL_STEP = 600
HARD_FROM_STEP = 800
CROWDED_FROM_STEP = 250


def arguments() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5200)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--matrix-rate", type=float, default=2e-3, help="Muon's rate")
    parser.add_argument("--rate", type=float, default=3e-3, help="AdamW's rate, for embeddings, norms and biases")
    parser.add_argument("--paragraphs", type=int, default=12, help="paragraphs a step")
    parser.add_argument("--scenes", type=int, default=10, help="scenes a step")
    parser.add_argument("--easy-vqa", type=int, default=2, help="easy-VQA pictures a step")
    parser.add_argument("--longest", type=int, default=192, help="positions a row")
    parser.add_argument("--check-every", type=int, default=500, help="steps between looks at the held-out sets")
    parser.add_argument("--runs", type=Path, default=HERE / "runs", help="where the checkpoint is kept")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint; with other --steps, the rate falls sooner or later")
    return parser.parse_args()


def rate_at(done: float) -> float:
    """The rate's factor after this share of the run: up over 2 %, level, down over the last 45 %."""
    return min(1.0, done / 0.02, max(0.0, (1.0 - done) / 0.45))


class Trainer:
    """The model, its optimisers and its data, at some step."""

    def __init__(self, args: argparse.Namespace):
        torch.manual_seed(args.seed)
        self.args = args
        # It is kept beside the checkpoint: what it learned depends on the wordings, which may have grown since.
        if args.resume:
            self.tokenizer = AutoTokenizer.from_pretrained(args.runs / TOKENIZER)
        else:
            self.tokenizer = tokenizer_module.build(seed=TOKENIZER_SEED)
            self.tokenizer.save_pretrained(args.runs / TOKENIZER)
        ids = {token: self.tokenizer.convert_tokens_to_ids(token) for token in chat.SPECIAL}
        self.config = config(len(self.tokenizer), ids[chat.IMAGE], ids[chat.END], ids[chat.PAD], ids[chat.START])
        self.model = TinyVlm(self.config)
        look_back(self.model)
        match_contents(self.model)
        self.batcher = Batcher(self.tokenizer, args.longest)
        self.teaching = Teaching(self.config.text_config.hidden_size, self.batcher.word)
        matrices, others = [], list(self.teaching.parameters())
        for name, parameter in self.model.named_parameters():
            (matrices if parameter.dim() == 2 and "embed" not in name else others).append(parameter)
        self.optimisers = [
            torch.optim.Muon(matrices, lr=args.matrix_rate, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self.step = 0
        self.cpu_s = 0.0

    def restore(self, path: Path) -> None:
        """Takes up a checkpoint."""
        kept = torch.load(path, weights_only=True)
        self.model.load_state_dict(kept["model"])
        self.teaching.load_state_dict(kept["teaching"])
        for optimiser, state in zip(self.optimisers, kept["optimisers"]):
            optimiser.load_state_dict(state)
        self.step, self.cpu_s = kept["step"], kept["cpu_s"]

    def keep(self, path: Path) -> None:
        """Writes a checkpoint, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        states = [optimiser.state_dict() for optimiser in self.optimisers]
        new = path.with_suffix(".new")
        modules = {"model": self.model.state_dict(), "teaching": self.teaching.state_dict()}
        torch.save({**modules, "optimisers": states, "step": self.step, "cpu_s": self.cpu_s}, new)
        new.replace(path)

    def loss(self, samples) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean loss of a batch's answers in nats a token, and that of what else is taught with it."""
        batch = self.batcher.batch(samples)
        self.positions += batch.ids.numel()
        with torch.autocast("cpu", torch.bfloat16):
            images = None if batch.pixels is None else self.model.see(batch.pixels)
            inside = Inside()
            hidden = self.model.hidden_with(batch.ids, batch.positions, batch.mask.bfloat16(), images, inside)
            logits = self.model.logits(hidden.flatten(0, 1)[batch.at])
        each = F.cross_entropy(logits.float(), batch.next_ids, reduction="none")
        of_answers = (each * batch.weights).sum() / batch.weights.sum()
        embeddings = self.model.model.text_model.embed_tokens.weight
        taught = torch.zeros(())
        if batch.patches is not None:
            taught = PATCH_SHARE * self.teaching.of_patches(images, batch.patches, embeddings)
        elif batch.link_at.numel():
            taught = LINK_SHARE * self.teaching.of_texts(inside, batch, embeddings)
        if len(batch.looking):
            taught = taught + LOOK_SHARE * self.teaching.of_looking(inside, batch)
        return of_answers, taught

    def set_rates(self, factor: float) -> None:
        """Sets each optimiser's rate to its full one times the factor."""
        for optimiser, rate in zip(self.optimisers, (self.args.matrix_rate, self.args.rate)):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor

    def learn_to_see(self) -> None:
        """First the vision tower alone learns to say what patches show: a picture costs a tenth of what it costs later."""
        scenes = SceneSamples(0)
        losses: list[float] = []
        for step in range(SEEING_STEPS):
            began = time.process_time()
            self.set_rates(min(1.0, step / 30))
            scenes.seed(self.args.seed * 1_000_003 + 500_000 + step)
            samples = [scenes.draw(0, 4) for _ in range(SEEING_SCENES)]
            labels = torch.from_numpy(np.stack([s.patches for s in samples]))
            with torch.autocast("cpu", torch.bfloat16):
                images = self.model.see(normalise(np.stack([s.pixels for s in samples])))
            loss = self.teaching.of_patches(images, labels, self.model.model.text_model.embed_tokens.weight)
            loss.backward()
            for optimiser in self.optimisers:
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
            losses.append(loss.item())
            self.cpu_s += time.process_time() - began
            if step % 100 == 99:
                print(f"seeing, step {step + 1} ({self.cpu_s / 60:.1f} CPU min): {np.mean(losses[-100:]):.3f}", flush=True)

    def run(self) -> None:
        """Trains to the end."""
        args = self.args
        checkpoint = args.runs / "checkpoint.pt"
        texts, copying, scenes, easy = sources = TextSamples(0), CopySamples(0), SceneSamples(0), EasyVqaSamples(0)
        checks = held_out_sets(small=True)
        log: dict[str, list[float]] = defaultdict(list)
        self.positions, since = 0, time.time()
        while self.step < args.steps:
            began = time.process_time()
            self.set_rates(rate_at(self.step / args.steps))
            # The data of a step depend on seed and step alone, so a resumed run sees what an unbroken one would.
            for source in sources:
                source.seed(args.seed * 1_000_003 + self.step)
            # Easy things first: single facts about known names, scenes of one or two shapes.
            texts.writer.hard = min(1.0, self.step / HARD_FROM_STEP)
            texts.writer.made_up_names = 0.3 * texts.writer.hard
            copies = round(args.paragraphs * max(0.0, 0.5 - 0.5 * self.step / COPYING_UNTIL_STEP))
            most = 2 if self.step < CROWDED_FROM_STEP else 4
            parts = {
                "copy": [copying.draw(8) for _ in range(copies)],
                "text": [texts.draw(12) for _ in range(args.paragraphs - copies)],
                "scene": [scenes.draw(9, most) for _ in range(args.scenes)],
                "easy-VQA": [easy.draw(8) for _ in range(args.easy_vqa)],
            }
            share = {"copy": 0.5, "text": 1.0, "scene": 1.0, "easy-VQA": 0.25}
            for name, samples in parts.items():
                if samples:
                    of_answers, taught = self.loss(samples)
                    ((of_answers + taught) * share[name]).backward()
                    log[name].append(of_answers.item())
                    log[f"{name} taught"].append(taught.item())
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            for optimiser in self.optimisers:
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
            self.step += 1
            self.cpu_s += time.process_time() - began
            if self.step % 25 == 0:
                means = ", ".join(f"{name} {np.mean(values[-25:]):.3f}" for name, values in log.items() if any(values))
                speed = self.positions / (time.time() - since)
                print(f"step {self.step} ({self.cpu_s / 60:.1f} CPU min): {means}; {speed:.0f} positions/s", flush=True)
                self.positions, since = 0, time.time()
            if self.step % KEEP_EVERY_STEPS == 0:
                self.keep(checkpoint)
            if self.step % args.check_every == 0:
                for name, rows in checks.items():
                    share_right, kinds, _ = accuracy(self.model, self.tokenizer, rows, fast=True)
                    print(f"  {name}: {summary(share_right, kinds)}", flush=True)
                since = time.time()
        self.keep(checkpoint)


def main() -> None:
    """Trains, evaluates, writes the model."""
    args = arguments()
    torch.set_num_threads(args.threads)
    trainer = Trainer(args)
    print(f"{sum(p.numel() for p in trainer.model.parameters())} parameters, {len(trainer.tokenizer)} tokens", flush=True)
    if args.resume:
        trainer.restore(args.runs / "checkpoint.pt")
    else:
        trainer.learn_to_see()
    trainer.run()
    # As shipped: rounded to half precision, computed in full.
    with torch.no_grad():
        for parameter in trainer.model.parameters():
            parameter.copy_(parameter.half().float())
    print(f"{trainer.step} steps, {trainer.cpu_s / 60:.1f} minutes of processor time", flush=True)
    report(trainer.model, trainer.tokenizer)


if __name__ == "__main__":
    main()
