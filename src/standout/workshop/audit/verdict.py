"""The judgement on a data set, in plain sentences with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["stop", "warn", "good"]

#: Fewer usable pairs with people than this teach nothing.
MIN_PAIRS = 10
#: A network of this kind starts to be of use from about this many.
GOOD_PAIRS = 500


@dataclass(frozen=True)
class Finding:
    """One judgement: `stop` where training would be wasted, `warn` what costs quality, `good` what is well."""

    level: Level
    text: str
    advice: str = ""


def judge(summary: dict[str, Any]) -> list[Finding]:
    """The verdict on `audit`'s summary, the worst first."""
    rules = (
        _amount,
        _bad_files,
        _masks,
        _label_rules,
        _sizes,
        _leaks,
        _duplicates,
        _nobody,
        _backgrounds,
        _people,
        _light,
    )
    sentences = [sentence for rule in rules for sentence in rule(summary)]
    return sorted(sentences, key=lambda s: ("stop", "warn", "good").index(s.level))


def _amount(summary: dict[str, Any]) -> Iterator[Finding]:
    people = summary["training"]["with_people"]
    if people < MIN_PAIRS:
        yield Finding(
            "stop",
            f"Only {people} usable pictures with a person to train on.",
            f"At least {MIN_PAIRS} are needed to train at all, {GOOD_PAIRS} for a network that is of use.",
        )
    elif people < GOOD_PAIRS:
        yield Finding(
            "warn",
            f"{people} usable pictures with a person: enough to fine-tune, too few to start from nothing.",
            "Fine-tune the bundled model, and let synthesis and augmentation do their part.",
        )
    else:
        yield Finding("good", f"{people} usable pictures with a person to train on.")


def _bad_files(summary: dict[str, Any]) -> Iterator[Finding]:
    training = summary["training"]
    alone = summary["pairs_without_partner"]
    bad, total = training["photos"] - training["usable"], training["photos"]
    if alone:
        yield Finding(
            "warn",
            f"{alone} file(s) have no partner of the same stem.",
            "Give image and mask the same name, or remove them.",
        )
    if total and (bad + alone) > 0.3 * (total + alone):
        yield Finding(
            "stop",
            f"{bad + alone} of {total + alone} training files are faulty.",
            "Mend or remove what the list names before training; so many faults have one cause.",
        )
    elif bad:
        yield Finding(
            "warn", f"{bad} of {total} training pairs are faulty.", "Mend or remove the files that the list names."
        )
    else:
        yield Finding("good", "Every training pair can be read and fits together.")


_MASK_ADVICE = {
    "mask values": "Say with `person` which value or color is person; the list names what was found.",
    "mask not turned": "Turn these masks as EXIF turns their photographs, or save both upright.",
    "mask offset": "Look at the contact sheet: were photos resized or cropped after they were labelled?",
    "mask fits no edge": "Look at the contact sheet: are stems mixed up, so that masks belong to other pictures?",
    "mask inverted": "Person must be white: invert these masks.",
    "mask not two-valued": "Save masks as PNG with 0 and 255 alone, soft only along the edge.",
    "mask empty": "Move photographs with nobody into a set without masks/.",
    "mask full": "A mask that is all person teaches nothing about edges; check that it was drawn.",
    "mask ragged": "Draw these again or smooth them; a ragged mask teaches a ragged edge.",
    "pinholes": "Fill them: the network learns holes.",
    "specks": "Remove them: the network learns specks.",
}


_RUINOUS = ("mask offset", "mask fits no edge", "mask inverted", "mask values", "mask not turned")


def _masks(summary: dict[str, Any]) -> Iterator[Finding]:
    training = summary["training"]
    labelled = max(1, training["photos"] - training["nobody"] - training["unlabelled"])
    for kind, advice in _MASK_ADVICE.items():
        count = training["faulty"].get(kind, 0)
        if not count:
            continue
        ruinous = kind in _RUINOUS and count > 0.2 * labelled
        yield Finding("stop" if ruinous else "warn", f"{kind.capitalize()}: {count} of {labelled} masks.", advice)
    agreement = training["edge_agreement"]
    if agreement and agreement[2] >= 1.4:
        yield Finding(
            "good",
            f"Masks lie on the pictures' edges: median edge agreement {agreement[2]:.2f} (1 is chance, over 1.4 good).",
        )
    elif agreement:
        yield Finding(
            "warn",
            f"Masks lie loosely on the pictures' edges: median edge agreement {agreement[2]:.2f} (1 is chance).",
            "The network's edges will be no better than these; refine the masks.",
        )


def _label_rules(summary: dict[str, Any]) -> Iterator[Finding]:
    yield from (Finding("good", note) for note in summary["notes"])
    sentences = summary["mask_rules"]
    if sentences:
        yield Finding(
            "warn" if _mixed(sentences) else "good",
            "Label pictures with values of their own: "
            + "; ".join(sentences[:4])
            + ("; …" if len(sentences) > 4 else "."),
            "Say with `person` which value is person if this isn't what you mean.",
        )
    if boxes := summary["training"]["boxes_alone"]:
        yield Finding(
            "good", f"{boxes} pictures have boxes alone: outside of them is background, inside nothing is learned."
        )


def _mixed(sentences: list[str]) -> bool:
    """Whether one set is read by several values of person."""
    readings: dict[str, set[str]] = {}
    for sentence in sentences:
        name, _, rule = sentence.partition(": ")
        person = rule.rpartition(" is person")[0].rpartition(" ")[2]
        if person:
            readings.setdefault(name, set()).add(person)
    return any(len(found) > 1 for found in readings.values())


def _sizes(summary: dict[str, Any]) -> Iterator[Finding]:
    training = summary["training"]
    if training["width"] and (
        training["width"][0] != training["width"][4] or training["height"][0] != training["height"][4]
    ):
        yield Finding(
            "good",
            f"Photographs of mixed sizes ({training['width'][0]:g}×{training['height'][0]:g} … "
            f"{training['width'][4]:g}×{training['height'][4]:g}): each is brought to the training size.",
        )


def _leaks(summary: dict[str, Any]) -> Iterator[Finding]:
    held = summary["held_out"]
    if not held:
        return
    leaked, photos = summary["leaks"]["held_out_photos"], held["photos"]
    if not leaked:
        yield Finding("good", f"None of the {photos} held-out photographs appears in training.")
        return
    yield Finding(
        "stop" if leaked > 0.02 * photos else "warn",
        f"{leaked} of {photos} held-out photographs are in training too, the same or nearly: their score is worthless.",
        "Remove each of them from one side; split by group, so that pictures of one series stay together.",
    )


def _duplicates(summary: dict[str, Any]) -> Iterator[Finding]:
    if count := summary["duplicates"]:
        yield Finding(
            "warn",
            f"{count} pictures are there more than once, the same or nearly.",
            "Keep one of each; twins count double.",
        )


def _nobody(summary: dict[str, Any]) -> Iterator[Finding]:
    training = summary["training"]
    share = training["nobody"] / max(1, training["nobody"] + training["with_people"])
    if not training["nobody"]:
        yield Finding(
            "warn",
            "No photograph without people: the network will find somebody in every picture.",
            "Add photographs of rooms, streets, animals and things as a set without masks/, 10 to 40 % of all.",
        )
    elif share < 0.05:
        yield Finding(
            "warn",
            f"Only {share:.1%} of the photographs show nobody.",
            "Add rooms, streets, animals and things: 10 to 40 %.",
        )
    else:
        yield Finding("good", f"{share:.0%} of the photographs show nobody ({training['nobody']}).")


def _backgrounds(summary: dict[str, Any]) -> Iterator[Finding]:
    training = summary["training"]
    seen, plain = training["backgrounds_seen"], training["plain_backgrounds"]
    if seen < 2:
        return
    different, share = training["different_backgrounds"], plain / seen
    figures = f"worth {different:.1f} wholly different backgrounds, {share:.0%} plain, of {seen}"
    alike = different < min(6.0, 0.35 * seen)
    if alike or share > 0.7:
        # People-free photographs can still teach what is no person; without them nothing does.
        wasted = training["nobody"] == 0 and seen >= MIN_PAIRS
        yield Finding(
            "stop" if wasted else "warn",
            f"Backgrounds are empty or alike ({figures}): such a set teaches that every object is a person.",
            "Add pictures taken elsewhere and photographs with nobody; let synthesis paste people on these.",
        )
    else:
        yield Finding("good", f"Backgrounds are varied ({figures}).")


def _people(summary: dict[str, Any]) -> Iterator[Finding]:
    training = summary["training"]
    people = training["with_people"]
    if people < MIN_PAIRS:
        return
    wanted = {
        "full body": (training["framing"]["full body"], "full-length people"),
        "face": (training["framing"]["face"] + training["framing"]["half body"], "faces and half-length people"),
        "several": (training["figures"]["2"] + training["figures"]["3 and more"], "pictures of several people"),
        "small": (
            training["sizes"]["under 1 %"] + training["sizes"]["1-5 %"],
            "small people (under 5 % of the picture)",
        ),
    }
    for count, name in wanted.values():
        if count < 0.05 * people:
            yield Finding("warn", f"Few {name}: {count} of {people}.", "Add some, or the network will fail on them.")


def _light(summary: dict[str, Any]) -> Iterator[Finding]:
    training = summary["training"]
    if training["photos"] >= MIN_PAIRS and training["dark"] < 0.02 * training["photos"]:
        yield Finding(
            "warn",
            f"Few dark pictures: {training['dark']} of {training['photos']} have a mean brightness under 0.2.",
            "Augmentation darkens some; real low light with its noise is better.",
        )
