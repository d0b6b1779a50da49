"""How facts are said and asked, and which of these wordings only the tests use.

`{x}` is a person or thing, `{v}` what is said of it. In each pair of lists the first is for training and, in part of
the test paragraphs, for distractors; the second is for tests alone. `check_leaks.py` holds them apart.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """One kind of fact: its wordings, training first, tests second; the answers as `{v}` or `{x}` templates."""

    name: str
    say: tuple[list[str], list[str]]
    deny: tuple[list[str], list[str]]
    ask_value: tuple[list[str], list[str]]
    ask_who: tuple[list[str], list[str]]
    ask_if: tuple[list[str], list[str]]
    value_answer: str
    cloze: list[str]


LIVES = Relation(
    "lives",
    (
        ["{x} lives in {v}.", "{x}'s home is in {v}.", "{x} has a house in {v}.", "The home of {x} is in {v}.",
         "{v} is where {x} lives.", "{x} now lives in {v}.", "{x} lives in the city of {v}."],
        ["{x} has a home in {v}.", "The house of {x} is in {v}."],
    ),
    (
        ["{x} does not live in {v}.", "{x} has no home in {v}.", "{x} doesn't live in {v}."],
        ["{x} has no house in {v}.", "{x} does not now live in {v}."],
    ),
    (
        ["Where does {x} live?", "In which city does {x} live?", "Where is {x}'s home?", "{x} lives where?",
         "Tell me where {x} lives.", "Can you say where {x} lives?", "What city does {x} live in?", "Where is the house of {x}?",
         "What is the city where {x} lives?", "Which city is {x}'s home in?"],
        ["Which city does {x} live in?", "Where is the home of {x}?", "Where does {x} have a home?", "Say where {x} lives."],
    ),
    (
        ["Who lives in {v}?", "Who has a home in {v}?", "Whose home is in {v}?", "Tell me who lives in {v}.",
         "Which person has a house in {v}?", "Whose house is in {v}?"],
        ["Which person lives in {v}?", "Who has a house in {v}?", "Say who lives in {v}."],
    ),
    (
        ["Does {x} live in {v}?", "Is {x}'s home in {v}?", "Is it true that {x} lives in {v}?"],
        ["Does {x} have a home in {v}?", "Is the home of {x} in {v}?"],
    ),
    "{v}.",
    ["{x} lives in {v}.", "{x}'s home is in {v}.", "The home of {x} is in {v}."],
)

WORKS = Relation(
    "works",
    (
        ["{x} is a {v}.", "{x} works as a {v}.", "{x}'s job is {v}.", "The job of {x} is {v}.", "{x} became a {v}.",
         "{x} earns money as a {v}."],
        ["{x} has a job as a {v}.", "{x} now works as a {v}."],
    ),
    (
        ["{x} is not a {v}.", "{x} doesn't work as a {v}.", "{x}'s job is not {v}.", "{x} isn't a {v}."],
        ["{x} does not work as a {v}.", "{x} has no job as a {v}."],
    ),
    (
        ["What is {x}'s job?", "What does {x} work as?", "What job does {x} have?", "Tell me {x}'s job.", "Can you say what {x}'s job is?",
         "What does {x} do for work?", "What work does {x} do?", "Which job does {x} have?", "{x} works as what?"],
        ["What is the job of {x}?", "What job is {x}'s?", "Say what {x} works as.", "Which work does {x} do?"],
    ),
    (
        ["Who is a {v}?", "Who works as a {v}?", "Whose job is {v}?", "Tell me who is a {v}.", "Which person is a {v}?"],
        ["Which person works as a {v}?", "Who has a job as a {v}?", "Say who is a {v}."],
    ),
    (
        ["Is {x} a {v}?", "Does {x} work as a {v}?", "Is it true that {x} is a {v}?"],
        ["Is {x}'s job {v}?", "Is it true that {x} works as a {v}?"],
    ),
    "{v}.",
    ["{x} is a {v}.", "{x} works as a {v}.", "The job of {x} is {v}."],
)

LIKES = Relation(
    "likes",
    (
        ["{x} likes {v}.", "{x} is fond of {v}.", "{x} enjoys {v}.", "{x} is happy with {v}.", "{x} really likes {v}.",
         "{x} likes to have {v}."],
        ["{x} likes {v} a lot.", "{x} is very fond of {v}."],
    ),
    (
        ["{x} does not like {v}.", "{x} is not fond of {v}.", "{x} does not enjoy {v}.", "{x} dislikes {v}.", "{x} doesn't like {v}."],
        ["{x} doesn't enjoy {v}.", "{x} does not really like {v}."],
    ),
    (
        ["What does {x} like?", "What is {x} fond of?", "What does {x} enjoy?", "Tell me what {x} likes.", "Can you say what {x} likes?",
         "Which thing does {x} like?", "{x} likes what?", "What does {x} really like?"],
        ["What is it that {x} likes?", "Which thing does {x} enjoy?", "Say what {x} likes.", "What does {x} like to have?"],
    ),
    (
        ["Who likes {v}?", "Who is fond of {v}?", "Who enjoys {v}?", "Tell me who likes {v}.", "Which person is fond of {v}?"],
        ["Which person likes {v}?", "Who really likes {v}?", "Say who likes {v}."],
    ),
    (
        ["Does {x} like {v}?", "Is {x} fond of {v}?", "Is it true that {x} likes {v}?"],
        ["Does {x} enjoy {v}?", "Is it true that {x} is fond of {v}?"],
    ),
    "{v}.",
    ["{x} likes {v}.", "{x} is fond of {v}.", "{x} enjoys {v}."],
)

PET = Relation(
    "pet",
    (
        ["{x} has a {v}.", "{x} owns a {v}.", "{x}'s pet is a {v}.", "{x} keeps a {v}.", "The pet of {x} is a {v}.",
         "{x} has a {v} as a pet."],
        ["{x} has a pet {v}.", "{x} keeps a {v} as a pet."],
    ),
    (
        ["{x} does not have a {v}.", "{x} does not own a {v}.", "{x} has no {v}.", "{x}'s pet is not a {v}.", "{x} doesn't keep a {v}."],
        ["{x} doesn't have a {v}.", "{x} does not keep a {v}."],
    ),
    (
        ["What pet does {x} have?", "Which animal does {x} own?", "What is {x}'s pet?", "Tell me what pet {x} has.", "Say what animal {x} has.",
         "What animal does {x} keep?", "Which pet does {x} keep?", "What animal does {x} have?"],
        ["Which pet does {x} have?", "What is the pet of {x}?", "What animal does {x} own?", "Say what pet {x} has."],
    ),
    (
        ["Who has a {v}?", "Who owns a {v}?", "Whose pet is a {v}?", "Tell me who has a {v}.", "Say who owns a {v}.", "Which person owns a {v}?"],
        ["Which person has a {v}?", "Who keeps a {v}?", "Say who has a {v}."],
    ),
    (
        ["Does {x} have a {v}?", "Does {x} own a {v}?", "Is it true that {x} has a {v}?"],
        ["Is {x}'s pet a {v}?", "Does {x} keep a {v}?"],
    ),
    "{v}.",
    ["{x} has a {v}.", "{x} owns a {v}.", "{x}'s pet is a {v}."],
)

PLAYS = Relation(
    "plays",
    (
        ["{x} plays {v}.", "{x} is good at {v}.", "{x} often plays {v}.", "{x} learned to play {v}.", "{x}'s game is {v}."],
        ["{x} likes to play {v}.", "{x} plays {v} every day."],
    ),
    (
        ["{x} does not play {v}.", "{x} never plays {v}.", "{x} is not good at {v}.", "{x} didn't learn to play {v}."],
        ["{x} doesn't play {v}.", "{x} did not learn to play {v}."],
    ),
    (
        ["What does {x} play?", "What is {x} good at?", "Tell me what {x} plays.", "Say what {x} is good at.", "Which game does {x} play?",
         "{x} plays what?", "What did {x} learn to play?", "What does {x} often play?"],
        ["What game does {x} play?", "What is it that {x} plays?", "Say what {x} plays.", "Which game is {x} good at?"],
    ),
    (
        ["Who plays {v}?", "Who is good at {v}?", "Tell me who plays {v}.", "Which person is good at {v}?", "Who often plays {v}?"],
        ["Which person plays {v}?", "Who learned to play {v}?", "Say who plays {v}."],
    ),
    (
        ["Does {x} play {v}?", "Is {x} good at {v}?", "Is it true that {x} plays {v}?"],
        ["Does {x} often play {v}?", "Is it true that {x} is good at {v}?"],
    ),
    "{v}.",
    ["{x} plays {v}.", "{x} is good at {v}.", "{x} often plays {v}."],
)

WEARS = Relation(
    "wears",
    (
        ["{x} wears a {v}.", "{x} is wearing a {v}.", "{x} has on a {v}.", "{x} put on a {v}.", "{x} is dressed in a {v}."],
        ["{x} now wears a {v}.", "{x} is in a {v}."],
    ),
    (
        ["{x} does not wear a {v}.", "{x} isn't wearing a {v}.", "{x} did not put on a {v}."],
        ["{x} is not wearing a {v}.", "{x} is not dressed in a {v}."],
    ),
    (
        ["What does {x} wear?", "What is {x} wearing?", "Tell me what {x} wears.", "What is it that {x} has on?", "What did {x} put on?", "{x} wears what?",
         "What does {x} have on?"],
        ["What is it that {x} wears?", "What is {x} dressed in?", "Say what {x} wears."],
    ),
    (
        ["Who wears a {v}?", "Who is wearing a {v}?", "Tell me who wears a {v}.", "Who put on a {v}?", "Which person is wearing a {v}?"],
        ["Which person wears a {v}?", "Who has on a {v}?", "Say who wears a {v}."],
    ),
    (
        ["Does {x} wear a {v}?", "Is {x} wearing a {v}?", "Is it true that {x} wears a {v}?"],
        ["Is it true that {x} is wearing a {v}?", "Is {x} dressed in a {v}?"],
    ),
    "a {v}.",
    ["{x} wears a {v}.", "{x} is wearing a {v}.", "{x} put on a {v}."],
)

PLACE = Relation(
    "place",
    (
        ["{x} is in the {v}.", "{x} went to the {v}.", "{x} walked to the {v}.", "{x} waits in the {v}.", "{x} sits in the {v}.",
         "In the {v} sits {x}."],
        ["{x} is now in the {v}.", "{x} walked into the {v}."],
    ),
    (
        ["{x} is not in the {v}.", "{x} did not go to the {v}.", "{x} doesn't sit in the {v}."],
        ["{x} isn't in the {v}.", "{x} did not walk to the {v}."],
    ),
    (
        ["Where is {x}?", "In which room is {x}?", "Tell me where {x} is.", "Can you say where {x} is?", "Which room is {x} in?", "Where can one find {x}?",
         "Where did {x} go?"],
        ["What room is {x} in?", "In what room is {x}?", "Say where {x} is.", "Where is {x} now?"],
    ),
    (
        ["Who is in the {v}?", "Who went to the {v}?", "Tell me who is in the {v}.", "Which person went to the {v}?",
         "Who sits in the {v}?"],
        ["Which person is in the {v}?", "Who walked to the {v}?", "Say who is in the {v}."],
    ),
    (
        ["Is {x} in the {v}?", "Did {x} go to the {v}?", "Is it true that {x} is in the {v}?"],
        ["Is {x} now in the {v}?", "Is it true that {x} went to the {v}?"],
    ),
    "in the {v}.",
    ["{x} is in the {v}.", "{x} went to the {v}.", "{x} sits in the {v}."],
)

RELATIONS = [LIVES, WORKS, LIKES, PET, PLAYS, WEARS, PLACE]

# Two-step look-ups. `{c}` is the step between.
CONTAINER_SAY = (
    ["The {x} is in the {c}.", "The {x} lies in the {c}.", "In the {c} is the {x}.", "Someone put the {x} in the {c}.",
     "The {c} holds the {x}.", "The {x} was left in the {c}."],
    ["The {x} was put in the {c}.", "In the {c} lies the {x}."],
)
ROOM_SAY = (
    ["The {c} is in the {v}.", "The {c} stands in the {v}.", "In the {v} is the {c}.", "Someone left the {c} in the {v}.", "The {c} was put in the {v}."],
    ["The {c} was left in the {v}.", "In the {v} stands the {c}."],
)
CONTAINER_ASK_ROOM = (
    ["In which room is the {x}?", "Which room is the {x} in?", "Tell me which room the {x} is in.", "What room holds the {x}?",
     "The {x} is in which room?"],
    ["What room is the {x} in?", "Say which room the {x} is in."],
)
CONTAINER_ASK_STEP = (
    ["What is the {x} in?", "What holds the {x}?", "What does the {x} lie in?", "Tell me what the {x} is in."],
    ["Say what the {x} is in.", "What is it that the {x} lies in?"],
)
KIN_SAY = (
    ["{x}'s {k} is {y}.", "{y} is {x}'s {k}.", "The {k} of {x} is {y}.", "{y} is the {k} of {x}.", "{x} has a {k}, {y}.", "The {k} of {x} is named {y}."],
    ["{x} has a {k} named {y}.", "{x}'s {k} is named {y}."],
)
KIN_ASK = (
    ["Who is {x}'s {k}?", "Who is the {k} of {x}?", "Tell me who {x}'s {k} is.", "What is the name of {x}'s {k}?", "What is the {k} of {x} named?"],
    ["Say who {x}'s {k} is.", "What is {x}'s {k} named?"],
)
WITH_SAY = (
    ["{x} is with {y}.", "{x} went with {y}.", "{x} stays with {y}.", "{x} sits next to {y}.", "{x} is together with {y}."],
    ["{x} is next to {y}.", "{x} stays together with {y}."],
)

# What may stand before a question, also in tests.
OPENERS = ["", "", "", "", "", "", "Question: ", "Please answer: ", "Now, a question. "]
