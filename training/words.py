"""The words that the made-up facts are about, and which pairings of them only the tests may use."""

import hashlib
import random

WOMEN = (
    "Ann Mary Lucy Emma Sara Nina Eva Clara Rosa Julia Maria Laura Alice Helen Jane Kate Lily Mia Nora Olga Paula Rita "
    "Sofia Tina Vera Wendy Zoe Anna Beth Carla Diana Ella Fiona Grace Hanna Ida Joan Karen Linda Mona"
).split()
MEN = (
    "Tom Ben Max Leo Paul John Peter Mark Luke Adam Carl David Eric Frank Hugo Ivan Jack Karl Liam Noah Oscar Omar Rob "
    "Sam Tim Victor Will Alex Bob Dan Emil Fred George Henry Jim Kurt Lars Martin Nick Otto"
).split()
CITIES = (
    "Oslo Rome Paris London Berlin Madrid Vienna Lisbon Athens Dublin Prague Warsaw Cairo Tokyo Lima Quito Boston Denver "
    "Dallas Milan Turin Venice Munich Hamburg Geneva Zurich Bergen Malaga Seville Porto Naples Kyoto Delhi Mumbai Sydney "
    "Perth Toronto Havana Bogota Nairobi"
).split()
JOBS = (
    "baker teacher doctor nurse farmer driver painter singer lawyer pilot cook writer dentist tailor miner judge sailor "
    "gardener plumber waiter"
).split()
PETS = "cat dog rabbit horse parrot goat hamster turtle snake duck mouse fish pony goose lizard".split()
FOODS = "tea milk bread rice soup cheese honey coffee fish pasta cake apples pears grapes plums nuts juice salad corn beans".split()
SPORTS = "tennis chess golf football hockey cricket rugby cards darts polo".split()
INSTRUMENTS = "piano violin guitar flute drums harp cello trumpet organ banjo".split()
CLOTHES = "hat coat scarf shirt dress jacket sweater cap tie belt skirt suit vest robe hood crown mask uniform cloak ribbon".split()
THINGS = "key ball book pen cup lamp coin ring map spoon letter phone watch knife doll candle brush ticket stone rope".split()
CONTAINERS = "box bag drawer basket chest crate bucket jar case trunk".split()
ROOMS = "kitchen garden garage attic cellar hall office library bedroom bathroom shed studio".split()
KIN = "sister brother mother father friend boss neighbor teacher cousin uncle aunt".split()

_ONSETS = "b d f g h j k l m n p r s t v w z br dr gr kr tr st sh ch".split()
_VOWELS = "a e i o u ai ee o a".split()
_CODAS = ["", "n", "r", "l", "s", "m", "k", "t", "x", "nd"]

HELD_OUT_TENTHS = 1


def made_up_word(rng: random.Random) -> str:
    """A name that no list holds, so that the model must copy letters and not know words. Two or three syllables."""
    syllables = [rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice((2, 2, 3)))]
    return ("".join(syllables) + rng.choice(_CODAS)).capitalize()


def held_out(*parts: str) -> bool:
    """Whether these parts together belong to the tests alone: a tenth of all, by hash, whatever the seed."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return digest[0] % 10 < HELD_OUT_TENTHS
