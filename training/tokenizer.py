"""The tokenizer: byte-level BPE as SmolLM2's, learned from the training texts, with all 256 bytes so that any text has tokens."""

import random

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import chat
import easy_vqa_set
import words
from facts import Writer
from scene_questions import questions
from scenes import Painter

VOCABULARY = 1536


def training_texts(seed: int) -> list[str]:
    """A sample of the training texts, and the lists of words, each several times over."""
    rng = random.Random(seed)
    texts = []
    writer = Writer(rng, test=False, made_up_names=0.0)
    for _ in range(6000):
        paragraph = writer.paragraph()
        texts.append(paragraph.text)
        texts += [f" {q.question}\n {q.answer}" for q in paragraph.questions[:6]]
    painter = Painter(seed, test=False)
    for _ in range(600):
        texts += [f"{q.question}\n {q.answer}" for q in questions(painter.scene(rng.randint(1, 4)), rng, test=False)]
    for asked in easy_vqa_set.load(test=False).questions[:500]:
        texts += [f"{question}\n {answer}" for question, answer in asked]
    names = words.WOMEN + words.MEN + words.CITIES
    made_up = [words.made_up_word(rng) for _ in range(3000)]
    # A name opens a sentence in one place and stands within it in another: it needs a token for each.
    texts += [f"{name}\n {name}" for name in names for _ in range(60)]
    texts += [f"{name}\n {name}" for name in made_up]
    texts += ["User: text\n", "Assistant: text\n"] * 1500
    return texts


def build(seed: int) -> PreTrainedTokenizerFast:
    """Learns the tokenizer. The same seed gives the same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[AddedToken(token, normalized=False, special=True) for token in chat.SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(training_texts(seed), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=chat.START,
        eos_token=chat.END,
        pad_token=chat.PAD,
        unk_token=chat.UNKNOWN,
        additional_special_tokens=[chat.AROUND_IMAGE, chat.IMAGE, chat.GLOBAL_IMAGE, chat.END],
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
    )
    fast.chat_template = chat.TEMPLATE
    return fast
