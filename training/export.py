"""Writes the trained model as Hugging Face transformers loads it: half-precision weights and everything about them.

    python training/export.py --runs training/runs --out models/atman-tiny
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoTokenizer, GenerationConfig, Idefics3ImageProcessor, Idefics3Processor

import chat
from architecture import IMAGE_POSITIONS, IMAGE_SIDE_PX, config
from train import TOKENIZER

HERE = Path(__file__).parent


def config_for(tokenizer):
    """The model's configuration for a tokenizer."""
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in chat.SPECIAL}
    return config(len(tokenizer), ids[chat.IMAGE], ids[chat.END], ids[chat.PAD], ids[chat.START])


def processor_for(tokenizer) -> Idefics3Processor:
    """The processor: one picture is squeezed to 64x64 pixels and never tiled."""
    images = Idefics3ImageProcessor(
        do_image_splitting=False,
        size={"longest_edge": IMAGE_SIDE_PX},
        max_image_size={"longest_edge": IMAGE_SIDE_PX},
    )
    return Idefics3Processor(images, tokenizer, image_seq_len=IMAGE_POSITIONS, chat_template=chat.TEMPLATE)


def write(weights: dict[str, torch.Tensor], tokenizer, out: Path) -> None:
    """Writes the folder. The weights become half precision; the tied output embedding is not written."""
    out.mkdir(parents=True, exist_ok=True)
    cfg = config_for(tokenizer)
    cfg.architectures = ["Idefics3ForConditionalGeneration"]
    cfg.dtype = "float16"
    cfg.save_pretrained(out)
    end, pad, start = (tokenizer.convert_tokens_to_ids(t) for t in (chat.END, chat.PAD, chat.START))
    GenerationConfig(bos_token_id=start, eos_token_id=end, pad_token_id=pad, do_sample=False).save_pretrained(out)
    processor = processor_for(tokenizer)
    processor.save_pretrained(out)
    processor.image_processor.save_pretrained(out)
    # The engine and older readers look for the template in the tokenizer's configuration.
    path = out / "tokenizer_config.json"
    described = json.loads(path.read_text())
    described["chat_template"] = chat.TEMPLATE
    path.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n")
    halves = {name: tensor.detach().half().contiguous() for name, tensor in sorted(weights.items())}
    save_file(halves, out / "model.safetensors", metadata={"format": "pt"})
    (out / "model.safetensors").chmod(0o644)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=HERE / "runs")
    parser.add_argument("--out", type=Path, default=HERE.parent / "models" / "atman-tiny")
    args = parser.parse_args()
    kept = torch.load(args.runs / "checkpoint.pt", weights_only=True)
    write(kept["model"], AutoTokenizer.from_pretrained(args.runs / TOKENIZER), args.out)
    size = (args.out / "model.safetensors").stat().st_size
    print(f"{args.out}: {size} bytes of weights, after {kept['step']} steps")


if __name__ == "__main__":
    main()
