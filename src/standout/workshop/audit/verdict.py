"""The judgment on a data set, in plain sentences with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["stop", "warn", "good"]
Summary = dict[str, Any]

#: Fewer usable pairs with people than this teach nothing; from about the other a network is of use.
MIN_PAIRS, GOOD_PAIRS = 10, 500
#: Shares: of faulty files, of masks of one ruinous kind, of held-out photographs in training, above which to stop.
BAD_FILES, RUINED_MASKS, LEAKED = 0.3, 0.2, 0.02

#: Kind of fault -> what to do.
_MASK_ADVICE = {
    "mask values": "Say with `person` which value or color is person; the list names what was found.",
    "mask not turned": "Turn these masks as EXIF turns their photographs, or save both upright.",
    "mask offset": "Look at the contact sheet: were photos resized or cropped after they were labeled?",
    "mask fits no edge": "Look at the contact sheet: do masks belong to other pictures?",
    "mask inverted": "Person must be white: invert these masks.",
    "mask not two-valued": "Save masks as PNG with 0 and 255 alone, soft only along the edge.",
    "mask empty": "Move photographs with nobody into a set with images/ alone.",
    "mask full": "A mask that is all person teaches nothing about edges; check that it was drawn.",
    "mask ragged": "Draw these again or smooth them; a ragged mask teaches a ragged edge.",
    "pinholes": "Fill them: the network learns holes.",
    "specks": "Remove them: the network learns specks.",
}
_RUINOUS = ("mask offset", "mask fits no edge", "mask inverted", "mask values", "mask not turned")


@dataclass(frozen=True)
class Finding:
    """One judgment: `stop` where training would be wasted, `warn` what costs quality, `good` what is well."""

    level: Level
    text: str
    advice: str = ""


def judge(summary: Summary) -> list[Finding]:
    """The verdict on `audit`'s summary, the worst first."""
    rules = (_amount, _files, _masks, _labels, _held_out, _nobody, _backgrounds, _gaps)
    sentences = [sentence for rule in rules for sentence in rule(summary, summary["training"])]
    return sorted(sentences, key=lambda s: ("stop", "warn", "good").index(s.level))


def _amount(_: Summary, training: Summary) -> Iterator[Finding]:
    people = training["with_people"]
    text = f"{people} usable pictures with a person to train on."
    if people < MIN_PAIRS:
        yield Finding("stop", f"Only {text}", f"{MIN_PAIRS} are needed to train at all, {GOOD_PAIRS} to be of use.")
    elif people < GOOD_PAIRS:
        yield Finding("warn", text, "Enough to fine-tune the bundled model, too few to start from nothing.")
    else:
        yield Finding("good", text)


def _files(summary: Summary, training: Summary) -> Iterator[Finding]:
    alone, total = summary["pairs_without_partner"], training["photos"]
    bad = total - training["usable"]
    if alone:
        yield Finding("warn", f"{alone} file(s) have no partner of the same stem, or aren't understood.",
                      "Give image and mask the same name, or remove them.")  # fmt: skip
    if total and bad + alone > BAD_FILES * (total + alone):
        yield Finding("stop", f"{bad + alone} of {total + alone} training files are faulty.",
                      "Mend or remove what the list names before training; so many faults have one cause.")  # fmt: skip
    elif bad:
        yield Finding("warn", f"{bad} of {total} training pairs are faulty.", "Mend or remove what the list names.")
    elif total:
        yield Finding("good", "Every training pair can be read and fits together.")
    if count := summary["duplicates"]:
        yield Finding("warn", f"{count} pictures are there more than once, the same or nearly.",
                      "Keep one of each; twins count double.")  # fmt: skip


def _masks(_: Summary, training: Summary) -> Iterator[Finding]:
    labeled = max(1, training["photos"] - training["nobody"] - training["unlabeled"])
    for kind, advice in _MASK_ADVICE.items():
        if count := training["faulty"].get(kind, 0):
            ruined = kind in _RUINOUS and count > RUINED_MASKS * labeled
            yield Finding("stop" if ruined else "warn", f"{kind.capitalize()}: {count} of {labeled} masks.", advice)
    if agreement := training["edge_agreement"]:
        good = agreement[2] >= 1.4
        text = f"median edge agreement {agreement[2]:.2f} (1 is chance, over 1.4 good)"
        advice = "" if good else "The network's edges will be no better than these; refine the masks."
        how = "on" if good else "loosely on"
        yield Finding("good" if good else "warn", f"Masks lie {how} the pictures' edges: {text}.", advice)


def _labels(summary: Summary, training: Summary) -> Iterator[Finding]:
    yield from (Finding("good", note) for note in summary["notes"])
    if told := summary["mask_rules"]:
        more = "; …" if len(told) > 4 else "."
        yield Finding("good", f"Labels with values of their own: {'; '.join(told[:4])}{more}",
                      "Say with `person` which is person if this isn't what you mean.")  # fmt: skip
    if boxes := training["boxes_alone"]:
        yield Finding("good", f"{boxes} pictures have boxes alone: outside is background, inside nothing is learned.")


def _held_out(summary: Summary, _: Summary) -> Iterator[Finding]:
    if not (held := summary["held_out"]):
        return
    leaked, photos = summary["leaks"]["held_out_photos"], held["photos"]
    if not leaked:
        yield Finding("good", f"None of the {photos} held-out photographs appears in training.")
        return
    yield Finding(
        "stop" if leaked > LEAKED * photos else "warn",
        f"{leaked} of {photos} held-out photographs are in training too, the same or nearly: their score is worthless.",
        "Remove each of them from one side; split by group, so that pictures of one series stay together.",
    )


def _nobody(_: Summary, training: Summary) -> Iterator[Finding]:
    nobody = training["nobody"]
    share = nobody / max(1, nobody + training["with_people"])
    advice = "Add photographs of rooms, streets, animals and things as a set with images/ alone, 10 to 40 % of all."
    if not nobody:
        yield Finding("warn", "No photograph without people: somebody will be found in every picture.", advice)
    else:
        few = share < 0.05
        text = f"{share:.1%} of the photographs show nobody ({nobody})."
        yield Finding("warn" if few else "good", text, advice if few else "")


def _backgrounds(_: Summary, training: Summary) -> Iterator[Finding]:
    seen, different = training["backgrounds_seen"], training["different_backgrounds"]
    if seen < 2:
        return
    share = training["plain_backgrounds"] / seen
    figures = f"worth {different:.1f} wholly different backgrounds, {share:.0%} plain, of {seen}"
    if different >= min(6.0, 0.35 * seen) and share <= 0.7:
        yield Finding("good", f"Backgrounds are varied ({figures}).")
        return
    # People-free photographs can still teach what is no person; without them nothing does.
    yield Finding(
        "stop" if training["nobody"] == 0 and seen >= MIN_PAIRS else "warn",
        f"Backgrounds are empty or alike ({figures}): such a set teaches that every object is a person.",
        "Add pictures taken elsewhere and photographs with nobody; let synthesis paste people on these.",
    )


def _gaps(_: Summary, training: Summary) -> Iterator[Finding]:
    """What a network will fail on because the set hardly shows it."""
    people, photos = training["with_people"], training["photos"]
    framing, figures, sizes = training["framing"], training["figures"], training["sizes"]
    rare = {
        "full-length people": framing["full body"],
        "faces and half-length people": framing["face"] + framing["half body"],
        "pictures of several people": figures["2"] + figures["3 and more"],
        "small people (under 5 % of the picture)": sizes["under 1 %"] + sizes["1-5 %"],
    }
    for name, count in rare.items():
        if people >= MIN_PAIRS and count < 0.05 * people:
            yield Finding("warn", f"Few {name}: {count} of {people}.", "Add some, or the network will fail on them.")
    if photos >= MIN_PAIRS and training["dark"] < 0.02 * photos:
        yield Finding("warn", f"Few dark pictures (mean brightness under 0.2): {training['dark']} of {photos}.",
                      "Augmentation darkens some; real low light with its noise is better.")  # fmt: skip
