"""Short paragraphs of made-up facts, and questions about them with their answers."""

import random
from dataclasses import dataclass, field, replace

import words
import wording
from wording import Relation


@dataclass(frozen=True)
class Question:
    """One question and its answer, with what a leak check needs to know of it.

    `about` is the word that it asks about; `steps` are the pairs of words that must be looked up, one after the other.
    """

    kind: str
    template: str
    question: str
    answer: str
    pairing: tuple[str, ...]
    about: str = ""
    steps: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class Sentence:
    """A sentence that links two words: the one that comes second, and the first, which a pronoun may stand for."""

    text: str
    second: str
    first: str


@dataclass
class Paragraph:
    """A paragraph and everything that can be asked about it; `cloze` holds (start of a sentence, its end).

    `links` says for places in the text, as the character after a sentence's second word, which word came first, and which
    this is. `denied` are persons and values that the text says do not go together.
    """

    text: str
    questions: list[Question]
    cloze: list[Question]
    templates: set[str] = field(default_factory=set)
    links: list[tuple[int, str, str]] = field(default_factory=list)
    denied: list[tuple[str, str]] = field(default_factory=list)

    def places(self, pair: frozenset[str]) -> list[int]:
        """Where two words are linked, as the characters after the second of them."""
        return [at for at, first, second in self.links if pair == {first, second}]


@dataclass(frozen=True)
class Fact:
    """That a relation holds, or does not hold, between a person and a value."""

    relation: Relation
    person: str
    value: str
    holds: bool


def values_of(relation: Relation, rng: random.Random) -> str:
    """One value at random that the relation can have."""
    if relation.name == "lives":
        return words.made_up_word(rng) if rng.random() < 0.1 else rng.choice(words.CITIES)
    if relation.name == "plays":
        return rng.choice(words.SPORTS + [f"the {i}" for i in words.INSTRUMENTS])
    pools = {"works": words.JOBS, "likes": words.FOODS, "pet": words.PETS, "place": words.ROOMS, "wears": words.CLOTHES}
    return rng.choice(pools[relation.name])


def linked(template: str, x: str, v: str, **fill: str) -> Sentence:
    """The sentence of a template about `x` and `v`. `{c}` and `{y}` stand for `{v}` where a template has them."""
    template = template.replace("{c}", "{v}").replace("{y}", "{v}") if "{x}" in template else template.replace("{c}", "{x}")
    text = template.format(x=x, v=v, **fill).replace(" a orange", " an orange")
    is_x_first = template.index("{x}") < template.index("{v}")
    first, second = (x, v) if is_x_first else (v, x)
    return Sentence(text, second, first.split()[-1])


def who_not(denial: str) -> str:
    """`{x} has no {v}.` as `Who has no {v}?`."""
    return "Who" + denial[3:-1] + "?"


class Writer:
    """Writes paragraphs for one side of the split: pairings and wordings of the other side never come up.

    Training sees no held-out pairing and no held-out wording. A test asks in held-out wording about held-out
    pairings; what surrounds them may be worded in either way.
    """

    def __init__(self, rng: random.Random, test: bool, made_up_names: float = 0.25, hard: float = 1.0):
        self.rng = rng
        self.test = test
        self.made_up_names = made_up_names
        self.hard = hard

    def pick(self, lists: tuple[list[str], list[str]], asks: bool = False) -> str:
        """A wording; the tests' questions come from the held-out ones alone."""
        if self.test and (asks or self.rng.random() < 0.5):
            return self.rng.choice(lists[1])
        return self.rng.choice(lists[0])

    def value(self, relation: Relation, person: str, taken: set[str]) -> tuple[str, bool]:
        """A value for a person that nobody else has, and whether it may be asked about."""
        for _ in range(200):
            value = values_of(relation, self.rng)
            if value not in taken and words.held_out(relation.name, person, value) == self.test:
                return value, True
        for _ in range(200):
            value = values_of(relation, self.rng)
            if value not in taken:
                return value, False
        raise ValueError(f"too few values for {relation.name}")

    def people(self, count: int) -> list[tuple[str, str]]:
        """Names with their pronouns, all different."""
        people: dict[str, str] = {}
        while len(people) < count:
            woman = self.rng.random() < 0.5
            made_up = self.rng.random() < self.made_up_names
            name = words.made_up_word(self.rng) if made_up else self.rng.choice(words.WOMEN if woman else words.MEN)
            people[name] = "She" if woman else "He"
        return list(people.items())

    def paragraph(self) -> Paragraph:
        """One paragraph with all that can be asked about it."""
        paragraph = Paragraph("", [], [])
        blocks: list[list[Sentence]] = []
        kind = self.rng.random()
        if kind < 0.2 * self.hard:
            blocks += self.containers(paragraph)
        else:
            blocks += self.persons(paragraph, chain=self.rng.random() < 0.4 * self.hard)
        self.rng.shuffle(blocks)
        for sentence in (sentence for block in blocks for sentence in block):
            paragraph.text += (" " if paragraph.text else "") + sentence.text
            begin = len(paragraph.text) - len(sentence.text)
            paragraph.links.append((begin + sentence.text.rindex(sentence.second) + len(sentence.second), sentence.first, sentence.second.split()[-1]))
        return paragraph

    def persons(self, paragraph: Paragraph, chain: bool) -> list[list[Sentence]]:
        """Facts about two to four people, as blocks of sentences that must stay together."""
        rng = self.rng
        people = self.people(rng.choice((2, 2, 3, 3, 4) if self.hard > 0.5 else (2, 2, 3)))
        relations = rng.sample(wording.RELATIONS, rng.choice((1, 2, 2)) if len(people) > 2 else rng.choice((1, 2, 3)))
        facts: list[Fact] = []
        askable: set[tuple[str, str, str]] = set()
        for relation in relations:
            taken: set[str] = set()
            for person, _ in people:
                if len(relations) > 1 and rng.random() < 0.15:
                    continue
                value, may_ask = self.value(relation, person, taken)
                taken.add(value)
                facts.append(Fact(relation, person, value, holds=rng.random() > 0.12 * self.hard))
                if may_ask:
                    askable.add((relation.name, person, value))
        blocks = []
        for person, pronoun in people:
            own = [fact for fact in facts if fact.person == person]
            rng.shuffle(own)
            sentences: list[Sentence] = []
            for fact in own:
                said = self.say(fact, facts, paragraph)
                for sentence in said:
                    sentences.append(self.with_pronoun(sentence, person, pronoun) if sentences else sentence)
            if sentences:
                blocks.append(sentences)
        self.ask(facts, askable, paragraph)
        if chain and len(people) > 1:
            blocks.append(self.chain(people, facts, askable, paragraph))
        return blocks

    def with_pronoun(self, sentence: Sentence, person: str, pronoun: str) -> Sentence:
        """The sentence with a pronoun in place of the name, three times in five, where it starts with the name."""
        text = sentence.text
        if self.rng.random() < 0.6:
            if text.startswith(f"{person}'s "):
                text = ("Her" if pronoun == "She" else "His") + text[len(person) + 2 :]
            elif text.startswith(f"{person} "):
                text = pronoun + text[len(person) :]
        return replace(sentence, text=text)

    def say(self, fact: Fact, facts: list[Fact], paragraph: Paragraph) -> list[Sentence]:
        """The sentences for a fact. A fact that holds is now and then said after denying another value."""
        sentences = []
        if not fact.holds:
            paragraph.denied.append((fact.person, fact.value))
        others = [f.value for f in facts if f.relation is fact.relation and f.person != fact.person]
        lists = fact.relation.say if fact.holds else fact.relation.deny
        template = self.pick(lists)
        paragraph.templates.add(template)
        if fact.holds and others and self.rng.random() < 0.12 * self.hard:
            denial = self.pick(fact.relation.deny)
            paragraph.templates.add(denial)
            other = self.rng.choice(others)
            paragraph.denied.append((fact.person, other))
            sentences.append(linked(denial, fact.person, other))
        sentences.append(linked(template, fact.person, fact.value))
        return sentences

    @staticmethod
    def article(sentence: str) -> str:
        """`a orange hat` as `an orange hat`."""
        return sentence.replace(" a orange", " an orange")

    def add(self, paragraph: Paragraph, kind: str, template: str, answer: str, pairing: tuple[str, ...], *steps: tuple[str, str], **fill: str):
        """Notes a question."""
        question = self.article(template.format(**fill))
        about = fill.get("about") or fill.get("x") or fill["v"]
        opener = self.rng.choice(wording.OPENERS)
        pairs = tuple(frozenset(word.split()[-1] for word in step) for step in steps)
        paragraph.questions.append(
            Question(kind, template, opener + question, self.article(answer), pairing, about.split()[-1], pairs)
        )

    def ask(self, facts: list[Fact], askable: set[tuple[str, str, str]], paragraph: Paragraph) -> None:
        """Every one-step question that the facts answer."""
        for fact in facts:
            relation, x, v = fact.relation, fact.person, fact.value
            pairing = (relation.name, x, v)
            if pairing not in askable:
                continue
            if fact.holds:
                self.add(paragraph, "value", self.pick(relation.ask_value, True), relation.value_answer.format(v=v), pairing, (x, v), x=x)
                self.add(paragraph, "who", self.pick(relation.ask_who, True), f"{x}.", pairing, (x, v), v=v)
                self.add(paragraph, "yes", self.pick(relation.ask_if, True), "yes.", pairing, (x, v), x=x, v=v)
                template = self.rng.choice(relation.cloze)
                start, end = template.format(x=x, v="\x1f").split("\x1f")
                start = self.article(start + v)[: -len(v)].rstrip()
                paragraph.cloze.append(Question("cloze", template, start, v + end, pairing))
                others = [f.value for f in facts if f.relation is relation and f.person != x]
                if others:
                    self.add(paragraph, "no", self.pick(relation.ask_if, True), "no.", pairing, (x, v), x=x, v=self.rng.choice(others))
            else:
                train, test = ([t for t in side if t.startswith("{x} ")] for side in relation.deny)
                template = self.pick((train, test), True)
                if len({person for person, value in paragraph.denied if value == v}) == 1:
                    self.add(paragraph, "who not", who_not(template), f"{x}.", pairing, (x, v), v=v)
                self.add(paragraph, "no", self.pick(relation.ask_if, True), "no.", pairing, (x, v), x=x, v=v)

    def chain(self, people, facts: list[Fact], askable, paragraph: Paragraph) -> list[Sentence]:
        """A second step: somebody who is kin to, or is with, one of the people."""
        rng = self.rng
        known = [fact for fact in facts if fact.holds and (fact.relation.name, fact.person, fact.value) in askable]
        if not known:
            return []
        fact = rng.choice(known)
        y = fact.person
        names = {name for name, _ in people}
        x = y
        while x in names or words.held_out("kin", x, y) != self.test:
            x = self.people(1)[0][0]
        if fact.relation is wording.PLACE and rng.random() < 0.6:
            template = self.pick(wording.WITH_SAY)
            paragraph.templates.add(template)
            ask = self.pick(fact.relation.ask_value, True)
            self.add(paragraph, "two steps", ask, fact.relation.value_answer.format(v=fact.value), ("place", y, fact.value), (x, y), (y, fact.value), x=x)
            return [linked(template, x, y)]
        k = rng.choice(words.KIN)
        template = self.pick(wording.KIN_SAY)
        paragraph.templates.add(template)
        for other in known:
            if other.person == y:
                owner = f"{x}'s {k}" if rng.random() < 0.7 else f"the {k} of {x}"
                ask = self.pick((other.relation.ask_value[0], other.relation.ask_value[1]), True)
                if ask.startswith("{x}"):
                    owner = owner[0].upper() + owner[1:]
                answer = other.relation.value_answer.format(v=other.value)
                self.add(paragraph, "two steps", ask, answer, (other.relation.name, y, other.value), (x, y), (y, other.value), x=owner, about=x)
        self.add(paragraph, "kin", self.pick(wording.KIN_ASK, True), f"{y}.", ("kin", x, y), (x, y), x=x, k=k)
        return [linked(template, x, y, k=k)]

    def containers(self, paragraph: Paragraph) -> list[list[Sentence]]:
        """Things in containers in rooms."""
        rng = self.rng
        count = rng.choice((1, 2, 2, 3))
        blocks: list[list[Sentence]] = []
        used: set[str] = set()
        for _ in range(count):
            for _ in range(500):
                x, c, v = rng.choice(words.THINGS), rng.choice(words.CONTAINERS), rng.choice(words.ROOMS)
                if not used & {x, c, v} and words.held_out("container", x, c) == words.held_out("room", x, v) == self.test:
                    break
            else:
                continue
            used |= {x, c, v}
            say, room = self.pick(wording.CONTAINER_SAY), self.pick(wording.ROOM_SAY)
            paragraph.templates |= {say, room}
            blocks += [[linked(say, x, c)], [linked(room, c, v)]]
            self.add(paragraph, "two steps", self.pick(wording.CONTAINER_ASK_ROOM, True), f"the {v}.", ("room", x, v), (x, c), (c, v), x=x)
            self.add(paragraph, "value", self.pick(wording.CONTAINER_ASK_STEP, True), f"the {c}.", ("container", x, c), (x, c), x=x)
        return blocks
