"""The model as it is trained: the maths of `Idefics3ForConditionalGeneration`, and its tensor names, in a lean module.

It differs from the module of transformers in two ways that only training needs. A row may hold several questions
about one picture or paragraph (branches; see `batches.py`), so the mask and the positions are inputs. And the
language-model head runs only where there is a loss. `test_model.py` holds the two to the same logits.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn


def attend(q, k, v, mask=None):
    """Attention of [B, H, T, head_dim], written out: for rows this short it is twice as fast as torch's fused one."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask
    return scores.softmax(-1).to(v.dtype) @ v


class VisionAttention(nn.Module):
    """Self-attention over all patches, without a mask. [B, P, d_vision] -> [B, P, d_vision]."""

    def __init__(self, d_vision: int, n_heads: int):
        super().__init__()
        self.n_heads = n_heads
        self.q_proj = nn.Linear(d_vision, d_vision)
        self.k_proj = nn.Linear(d_vision, d_vision)
        self.v_proj = nn.Linear(d_vision, d_vision)
        self.out_proj = nn.Linear(d_vision, d_vision)

    def forward(self, x):
        b, p, d = x.shape
        q, k, v = (proj(x).view(b, p, self.n_heads, -1).transpose(1, 2) for proj in (self.q_proj, self.k_proj, self.v_proj))
        out = attend(q, k, v)
        return self.out_proj(out.transpose(1, 2).reshape(b, p, d))


class VisionMlp(nn.Module):
    """Two linear maps with the tanh form of GELU between."""

    def __init__(self, d_vision: int, d_ff: int):
        super().__init__()
        self.fc1 = nn.Linear(d_vision, d_ff)
        self.fc2 = nn.Linear(d_ff, d_vision)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class VisionLayer(nn.Module):
    """One pre-norm encoder layer of the vision tower."""

    def __init__(self, cfg):
        super().__init__()
        self.self_attn = VisionAttention(cfg.hidden_size, cfg.num_attention_heads)
        self.layer_norm1 = nn.LayerNorm(cfg.hidden_size, eps=cfg.layer_norm_eps)
        self.mlp = VisionMlp(cfg.hidden_size, cfg.intermediate_size)
        self.layer_norm2 = nn.LayerNorm(cfg.hidden_size, eps=cfg.layer_norm_eps)

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class VisionEmbeddings(nn.Module):
    """Patches and their places. [B, 3, 64, 64] -> [B, 64, d_vision], patches row by row."""

    def __init__(self, cfg):
        super().__init__()
        self.patch_size = cfg.patch_size
        self.patch_embedding = nn.Conv2d(3, cfg.hidden_size, kernel_size=cfg.patch_size, stride=cfg.patch_size)
        self.position_embedding = nn.Embedding((cfg.image_size // cfg.patch_size) ** 2, cfg.hidden_size)

    def forward(self, pixels):
        # As a matrix product: on a CPU it is several times faster than the convolution it equals.
        patches = F.unfold(pixels, self.patch_size, stride=self.patch_size).transpose(1, 2)
        x = F.linear(patches, self.patch_embedding.weight.flatten(1), self.patch_embedding.bias)
        return x + self.position_embedding.weight


class VisionEncoder(nn.Module):
    """The layers of the vision tower."""

    def __init__(self, cfg):
        super().__init__()
        self.layers = nn.ModuleList(VisionLayer(cfg) for _ in range(cfg.num_hidden_layers))


class VisionTower(nn.Module):
    """Pixels to patch vectors. [B, 3, 64, 64] -> [B, 64, d_vision]."""

    def __init__(self, cfg):
        super().__init__()
        self.embeddings = VisionEmbeddings(cfg)
        self.encoder = VisionEncoder(cfg)
        self.post_layernorm = nn.LayerNorm(cfg.hidden_size, eps=cfg.layer_norm_eps)

    def forward(self, pixels):
        x = self.embeddings(pixels)
        for layer in self.encoder.layers:
            x = layer(x)
        return self.post_layernorm(x)


class Projection(nn.Module):
    """Patch vectors into the decoder's space. [B, P, d_vision] -> [B, P, d_model]."""

    def __init__(self, d_vision: int, d_model: int):
        super().__init__()
        self.proj = nn.Linear(d_vision, d_model, bias=False)

    def forward(self, x):
        return self.proj(x)


class Connector(nn.Module):
    """The connector for a pixel-shuffle factor of one, where the shuffle changes nothing."""

    def __init__(self, cfg):
        super().__init__()
        if cfg.scale_factor != 1:
            raise ValueError("the lean module has no pixel shuffle; scale_factor must be 1")
        self.modality_projection = Projection(cfg.vision_config.hidden_size, cfg.text_config.hidden_size)

    def forward(self, x):
        return self.modality_projection(x)


def rotate(x, cos, sin):
    """Rotary embedding of [B, H, T, head_dim] by [B, 1, T, head_dim] cosines and sines."""
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), dim=-1) * sin


@dataclass
class Inside:
    """What each decoder layer computed: rotated queries and keys [B, H, T, head_dim], and the hidden states it left [B, T, d_model]."""

    queries: list[torch.Tensor] = field(default_factory=list)
    keys: list[torch.Tensor] = field(default_factory=list)
    hidden: list[torch.Tensor] = field(default_factory=list)


class TextAttention(nn.Module):
    """Causal attention under a mask that is given. [B, T, d_model] -> [B, T, d_model]."""

    def __init__(self, cfg):
        super().__init__()
        self.head_dim = cfg.head_dim
        self.n_rep = cfg.num_attention_heads // cfg.num_key_value_heads
        d_q, d_kv = cfg.num_attention_heads * cfg.head_dim, cfg.num_key_value_heads * cfg.head_dim
        self.q_proj = nn.Linear(cfg.hidden_size, d_q, bias=False)
        self.k_proj = nn.Linear(cfg.hidden_size, d_kv, bias=False)
        self.v_proj = nn.Linear(cfg.hidden_size, d_kv, bias=False)
        self.o_proj = nn.Linear(d_q, cfg.hidden_size, bias=False)

    def forward(self, x, cos, sin, mask, inside=None):
        b, t, _ = x.shape
        q, k, v = (proj(x).view(b, t, -1, self.head_dim).transpose(1, 2) for proj in (self.q_proj, self.k_proj, self.v_proj))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if inside is not None:
            inside.queries.append(q)
            inside.keys.append(k)
        if self.n_rep > 1:
            k, v = k.repeat_interleave(self.n_rep, dim=1), v.repeat_interleave(self.n_rep, dim=1)
        out = attend(q, k, v, mask)
        return self.o_proj(out.transpose(1, 2).reshape(b, t, -1))


class TextMlp(nn.Module):
    """The gated feed-forward map of Llama."""

    def __init__(self, cfg):
        super().__init__()
        self.gate_proj = nn.Linear(cfg.hidden_size, cfg.intermediate_size, bias=False)
        self.up_proj = nn.Linear(cfg.hidden_size, cfg.intermediate_size, bias=False)
        self.down_proj = nn.Linear(cfg.intermediate_size, cfg.hidden_size, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class TextLayer(nn.Module):
    """One decoder layer of Llama."""

    def __init__(self, cfg):
        super().__init__()
        self.self_attn = TextAttention(cfg)
        self.mlp = TextMlp(cfg)
        self.input_layernorm = nn.RMSNorm(cfg.hidden_size, eps=cfg.rms_norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(cfg.hidden_size, eps=cfg.rms_norm_eps)

    def forward(self, x, cos, sin, mask, inside=None):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask, inside)
        return x + self.mlp(self.post_attention_layernorm(x))


class TextModel(nn.Module):
    """The decoder, from input embeddings to normalised hidden states. [B, T, d_model] -> [B, T, d_model]."""

    def __init__(self, cfg):
        super().__init__()
        self.embed_tokens = nn.Embedding(cfg.vocab_size, cfg.hidden_size)
        self.layers = nn.ModuleList(TextLayer(cfg) for _ in range(cfg.num_hidden_layers))
        self.norm = nn.RMSNorm(cfg.hidden_size, eps=cfg.rms_norm_eps)
        exponents = torch.arange(0, cfg.head_dim, 2, dtype=torch.float32) / cfg.head_dim
        inverse = 1.0 / cfg.rope_parameters["rope_theta"] ** exponents
        self.register_buffer("rope_inverse", inverse, persistent=False)

    def forward(self, x, positions, mask, inside: Inside | None = None):
        angles = positions[:, None, :, None].float() * self.rope_inverse
        angles = torch.cat((angles, angles), dim=-1)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        for layer in self.layers:
            x = layer(x, cos, sin, mask, inside)
            if inside is not None:
                inside.hidden.append(x)
        return self.norm(x)


class Inner(nn.Module):
    """The part that transformers calls `model`."""

    def __init__(self, cfg):
        super().__init__()
        self.vision_model = VisionTower(cfg.vision_config)
        self.connector = Connector(cfg)
        self.text_model = TextModel(cfg.text_config)


class TinyVlm(nn.Module):
    """The whole model; its output embedding is its input embedding."""

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.model = Inner(cfg)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() > 1:
                nn.init.normal_(parameter, std=parameter.flatten(1).shape[1] ** -0.5)
            if name.endswith(("o_proj.weight", "down_proj.weight", "out_proj.weight", "fc2.weight")):
                # Each layer starts as the identity, which lets the rate be high from the start.
                nn.init.zeros_(parameter)
        # Embeddings as large as what layers add to them, or else the first layers drown which token stood where. The
        # last norm makes up for it, for the same embeddings give the logits.
        nn.init.normal_(self.model.text_model.embed_tokens.weight, std=0.25)
        nn.init.normal_(self.model.vision_model.embeddings.position_embedding.weight, std=0.3)
        nn.init.constant_(self.model.text_model.norm.weight, 0.06)

    def hidden(self, ids, positions, mask, pixels=None):
        """Hidden states [B, T, d_model] of ids [B, T]; pixels [images, 3, 64, 64] fill the image positions in order."""
        return self.hidden_with(ids, positions, mask, None if pixels is None else self.see(pixels))

    def hidden_with(self, ids, positions, mask, images=None, inside: Inside | None = None):
        """The same with the image positions' embeddings [images, 64, d_model] at hand; `inside` is filled in."""
        x = self.model.text_model.embed_tokens(ids)
        if images is not None:
            at = (ids == self.cfg.image_token_id).unsqueeze(-1).expand_as(x)
            x = x.masked_scatter(at, images.to(x.dtype))
        return self.model.text_model(x, positions, mask, inside)

    def see(self, pixels):
        """Embeddings [images, 64, d_model] of pixels [images, 3, 64, 64]."""
        return self.model.connector(self.model.vision_model(pixels))

    def logits(self, hidden):
        """Logits [.., vocab] of hidden states [.., d_model]."""
        return F.linear(hidden, self.model.text_model.embed_tokens.weight)
