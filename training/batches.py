"""Samples as tensors: several questions about one picture or paragraph share its positions.

A row is a prefix and branches one after the other. A branch sees the prefix and itself, and its positions go on from
the prefix's end, so each question is computed just as if it alone followed the prefix, at a fraction of the cost.
"""

from dataclasses import dataclass

import numpy as np
import torch

import chat
from samples import Sample

PLAIN_WEIGHT = 0.1
FORBIDDEN = -1e4


@dataclass
class Batch:
    """`ids`, `positions` [B, T]; `mask` [B, 1, T, T], added to scores; `pixels` [images, 3, 64, 64] or none.

    `at` [N] are flat indices of the positions whose next token counts, `next_ids` and `weights` [N] that token and how much.
    `patches` [images, 7, 64] are what patches show, or none. `link_at` and `link_ids` [L] are flat indices of positions that
    should know a word from before, and that word's token; `about_at` and `about_ids` [A] the same for the ends of questions. `looking` [Q, 2] are rows and positions of
    ends of questions and of words in answers, `looked_at` [Q, 2, T] whether a position is to be looked at first, and then.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor
    pixels: torch.Tensor | None
    at: torch.Tensor
    next_ids: torch.Tensor
    weights: torch.Tensor
    patches: torch.Tensor | None
    link_at: torch.Tensor
    link_ids: torch.Tensor
    about_at: torch.Tensor
    about_ids: torch.Tensor
    looking: torch.Tensor
    looked_at: torch.Tensor


def normalise(pixels: np.ndarray) -> torch.Tensor:
    """[n, 64, 64, 3] bytes to [n, 3, 64, 64] between -1 and 1, as `preprocessor_config.json` says."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1.0


class Batcher:
    """Turns samples into batches of rows of at most `longest` positions."""

    def __init__(self, tokenizer, longest: int):
        self.encoder = tokenizer.backend_tokenizer
        self.pad_id = tokenizer.pad_token_id
        self.image_id = tokenizer.convert_tokens_to_ids(chat.IMAGE)
        self.longest = longest
        self.words: dict[str, int | None] = {}

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Token ids of texts, special tokens read as such."""
        return [e.ids for e in self.encoder.encode_batch(texts, add_special_tokens=False)]

    def word(self, word: str) -> int | None:
        """The token of a word within a sentence, or none where it is not one token."""
        if word not in self.words:
            ids = self.encode([f" {word}"])[0]
            self.words[word] = ids[0] if len(ids) == 1 else None
        return self.words[word]

    def batch(self, samples: list[Sample]) -> Batch:
        """One batch. Questions that no longer fit into a row are left out."""
        texts = [s.prefix for s in samples] + [t for s in samples for b in s.branches for t in b]
        encodings = self.encoder.encode_batch(texts, add_special_tokens=False)
        encoded = iter(encodings[len(samples) :])
        rows = []
        for sample, encoding in zip(samples, encodings):
            prefix = encoding.ids
            ends = {end: index for index, (_, end) in enumerate(encoding.offsets)} if sample.links else {}
            links = [(ends.get(end), self.word(first)) for end, first in sample.links]
            about, looks = [], []
            if sample.pixels is not None:
                first_patch = prefix.index(self.image_id)
                place = lambda patch: first_patch + patch
            else:
                place = ends.get
            ids, branch, positions = list(prefix), [0] * len(prefix), list(range(len(prefix)))
            at, next_ids, weights = [], [], []
            if sample.plain:
                at, next_ids = list(range(len(prefix) - 1)), prefix[1:]
                weights = [PLAIN_WEIGHT] * len(at)
            for number, _ in enumerate(sample.branches, 1):
                asked, answered = next(encoded), next(encoded)
                asked, answer = asked.ids, answered.ids
                # The answer's last token is only ever predicted, never read.
                whole = asked + answer[:-1]
                if len(ids) + len(whole) > self.longest:
                    continue
                first = len(ids) + len(asked) - 1
                if number <= len(sample.about):
                    about.append((first, self.word(sample.about[number - 1])))
                if number <= len(sample.looks):
                    places = [[p for p in map(place, step) if p is not None] for step in sample.looks[number - 1]]
                    if all(places):
                        looks.append((first, places))
                if number <= len(sample.answer_looks):
                    answer_ends = {end: index for index, (_, end) in enumerate(answered.offsets)}
                    for end, places in sample.answer_looks[number - 1]:
                        if end in answer_ends:
                            there = [place(p) for p in places]
                            looks.append((first + 1 + answer_ends[end], [there, there]))
                at += range(first, first + len(answer))
                next_ids += answer
                weights += [1.0] * len(answer)
                ids += whole
                branch += [number] * len(whole)
                positions += range(len(prefix), len(prefix) + len(whole))
            rows.append((ids, branch, positions, at, next_ids, weights, links, about, looks))
        return self.tensors(rows, samples)

    def tensors(self, rows, samples: list[Sample]) -> Batch:
        """Pads rows to the longest of them."""
        count, length = len(rows), max(len(row[0]) for row in rows)
        ids = np.full((count, length), self.pad_id, dtype=np.int64)
        branch = np.full((count, length), -1, dtype=np.int64)
        positions = np.zeros((count, length), dtype=np.int64)
        at, next_ids, weights = [], [], []
        links: list[tuple[int, int]] = []
        about: list[tuple[int, int]] = []
        looking, looked_at = [], []
        for i, row in enumerate(rows):
            used = len(row[0])
            ids[i, :used], branch[i, :used], positions[i, :used] = row[0], row[1], row[2]
            at += [i * length + p for p in row[3]]
            next_ids += row[4]
            weights += row[5]
            for all_of_kind, of_row in ((links, row[6]), (about, row[7])):
                all_of_kind += [(i * length + p, word) for p, word in of_row if p is not None and word is not None]
            for position, steps in row[8]:
                looking.append((i, position))
                where = np.zeros((2, length), dtype=bool)
                for step, places in zip(where, steps):
                    step[places] = True
                looked_at.append(where)
        own = torch.from_numpy(branch)
        seen = (own[:, None, :] == 0) | (own[:, None, :] == own[:, :, None])
        seen &= torch.ones(length, length, dtype=torch.bool).tril()
        mask = torch.where(seen, 0.0, FORBIDDEN)[:, None]
        pixels = [s.pixels for s in samples if s.pixels is not None]
        patches = [s.patches for s in samples if s.patches is not None]
        return Batch(
            torch.from_numpy(ids),
            torch.from_numpy(positions),
            mask,
            normalise(np.stack(pixels)) if pixels else None,
            torch.tensor(at),
            torch.tensor(next_ids),
            torch.tensor(weights),
            torch.from_numpy(np.stack(patches)) if patches else None,
            *(torch.tensor(part, dtype=torch.long) for pairs in (links, about) for part in (list(zip(*pairs)) or [(), ()])),
            torch.tensor(looking, dtype=torch.long).reshape(-1, 2),
            torch.from_numpy(np.array(looked_at, dtype=bool).reshape(-1, 2, length)),
        )
