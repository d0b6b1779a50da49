"""Losses beside that of the answers. They teach where things are found, and are no part of the model.

A patch's embedding is to look like the words for what it shows, so that a word finds its thing by likeness, and to say where
its shape's centre is. A sentence's second word is to know the first after two layers, and the end of a question what it asks
about. One head of a layer after these is to look from there to where the answer's first step is found, and one of the next
layer to where the last is. These are the steps that every answer takes, which answers alone teach far more slowly.
"""

import torch
import torch.nn.functional as F
from torch import nn

from architecture import IMAGE_SIDE_PX, PATCH_SIDE_PX
from samples import CENTRE_STEP_PX, IGNORED
from scenes import COLORS, KINDS

KNOWN_AFTER_LAYER = 2
LOOKING_HEAD = 4
LOOKING_LAYERS = (2, 3)
SHARPNESS = 8.0
SIDE = IMAGE_SIDE_PX // PATCH_SIDE_PX
STEPS = IMAGE_SIDE_PX // CENTRE_STEP_PX


class Teaching(nn.Module):
    """Small heads upon patches' embeddings and hidden states."""

    def __init__(self, d_model: int, word_ids):
        super().__init__()
        self.register_buffer("color_ids", torch.tensor([word_ids(color) for color in COLORS]))
        self.register_buffer("kind_ids", torch.tensor([word_ids(kind) for kind in KINDS]))
        self.ground = nn.Parameter(torch.zeros(2))
        self.places = nn.Linear(d_model, 2 * SIDE + 2 * STEPS + 2)
        self.links = nn.Linear(d_model, d_model, bias=False)
        self.about = nn.Linear(d_model, d_model, bias=False)
        for linear in (self.links, self.about):
            nn.init.eye_(linear.weight)

    def of_patches(self, images, labels, embeddings):
        """The loss in nats of saying what patches show. images [n, 64, d_model], labels [n, 7, 64], embeddings [vocab, d_model]."""
        images = images.float()
        places = self.places(images).split((SIDE, SIDE, STEPS, STEPS, 2), dim=-1)
        named = [
            torch.cat((self.ground[i].expand(*images.shape[:2], 1), self.likeness(images, embeddings[ids])), dim=-1)
            for i, ids in enumerate((self.color_ids, self.kind_ids))
        ]
        parts = zip([*named, *places], labels.unbind(1))
        return sum(F.cross_entropy(part.transpose(1, 2), label, ignore_index=IGNORED) for part, label in parts)

    @staticmethod
    def likeness(vectors, words):
        """Logits of words [w, d_model] for vectors [.., d_model]: SHARPNESS for a vector that is the word's embedding."""
        words = words.detach().float()
        return SHARPNESS * vectors @ (words / words.square().sum(-1, keepdim=True)).T

    @staticmethod
    def of_looking(inside, batch):
        """The loss in nats of looking, from the ends of questions, to where their answers are found."""
        rows, positions = batch.looking.unbind(1)
        total = 0.0
        for step, layer in enumerate(LOOKING_LAYERS):
            queries = inside.queries[layer][rows, LOOKING_HEAD, positions].float()
            keys = inside.keys[layer][rows, LOOKING_HEAD].float()
            scores = torch.einsum("qd,qtd->qt", queries, keys) * queries.shape[-1] ** -0.5 + batch.mask[rows, 0, positions]
            right = scores.masked_fill(~batch.looked_at[:, step], -1e4).logsumexp(-1)
            total = total + (scores.logsumexp(-1) - right).mean()
        return total

    def of_texts(self, inside, batch, embeddings):
        """The loss in nats of knowing the first word of a sentence at its second, and what a question asks about at its end."""
        flat = inside.hidden[KNOWN_AFTER_LAYER - 1].flatten(0, 1)
        total = 0.0
        for head, at, ids in ((self.links, batch.link_at, batch.link_ids), (self.about, batch.about_at, batch.about_ids)):
            if at.numel():
                vectors = F.rms_norm(flat[at].float(), flat.shape[-1:]) * embeddings.detach().float().std()
                total = total + F.cross_entropy(self.likeness(head(vectors), embeddings), ids)
        return total
