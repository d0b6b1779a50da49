"""The shape of the model: a SmolVLM of about three million parameters."""

from transformers import Idefics3Config

IMAGE_SIDE_PX = 64
PATCH_SIDE_PX = 8
IMAGE_POSITIONS = (IMAGE_SIDE_PX // PATCH_SIDE_PX) ** 2


def config(vocab_size: int, image_id: int, end_id: int, pad_id: int, bos_id: int) -> Idefics3Config:
    """The configuration, with the ids that the tokenizer gave its special tokens."""
    return Idefics3Config(
        image_token_id=image_id,
        pad_token_id=pad_id,
        tie_word_embeddings=True,
        scale_factor=1,
        vision_config={
            "hidden_size": 128,
            "intermediate_size": 512,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "image_size": IMAGE_SIDE_PX,
            "patch_size": PATCH_SIDE_PX,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": vocab_size,
            "hidden_size": 192,
            "intermediate_size": 512,
            "num_hidden_layers": 5,
            "num_attention_heads": 6,
            "num_key_value_heads": 6,
            "head_dim": 32,
            "max_position_embeddings": 1024,
            # Heads compare contents in the slow frequencies alone, those that hardly turn within a prompt. A small
            # theta leaves too few of them in 32 dimensions, and looking things up is then learned far more slowly.
            "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
            "rms_norm_eps": 1e-5,
            "tie_word_embeddings": True,
            "bos_token_id": bos_id,
            "eos_token_id": end_id,
            "pad_token_id": pad_id,
        },
    )
