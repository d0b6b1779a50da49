"""The prompt format: SmolVLM's special tokens and chat template."""

from architecture import IMAGE_POSITIONS

START = "<|im_start|>"
END = "<end_of_utterance>"
PAD = "<|im_end|>"
UNKNOWN = "<|endoftext|>"
IMAGE = "<image>"
AROUND_IMAGE = "<fake_token_around_image>"
GLOBAL_IMAGE = "<global-img>"
SPECIAL = [UNKNOWN, START, PAD, AROUND_IMAGE, IMAGE, GLOBAL_IMAGE, END]

# SmolVLM's template. It also takes content that is plain text, which chat programs often send.
TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'] is string %}{{ ': ' + message['content'] }}"
    "{% else %}"
    "{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
    "{% for line in message['content'] %}"
    "{% if line['type'] == 'text' %}{{ line['text'] }}{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}"
    "{% endfor %}"
    "{% endif %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)

# What the family's processor puts in place of `<image>` for a picture that is not tiled.
ONE_IMAGE = AROUND_IMAGE + GLOBAL_IMAGE + IMAGE * IMAGE_POSITIONS + AROUND_IMAGE

TEXT_TURN = f"{START}User: "
IMAGE_TURN = f"{START}User:{ONE_IMAGE}"
ANSWER_TURN = f"{END}\nAssistant:"
