"""Every photo gets a name of its own, the same each time."""

from __future__ import annotations

import unicodedata

from standout.work.output_names import OutputNames

# ---------------------------------------------------------------- names


def test_no_two_photos_share_a_name_on_any_system() -> None:
    photos = [
        "a.jpg",
        "a.png",
        "a.PNG",
        "A.jpg",
        "a-png.jpg",
        "a-png.png",
        "b/a.jpg",
        "B/a.jpg",
        "straße.jpg",
        "STRASSE.jpg",
    ]
    photos += [unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD")]
    names = OutputNames(".png")
    given = [names.of("in", photo) for photo in photos]
    assert given[0] == "a.png" and given[6] == "b/a.png"
    as_others_see_them = {unicodedata.normalize("NFC", name).casefold() for name in given}
    assert len(as_others_see_them) == len(photos)
    assert [names.of("in", photo) for photo in photos] == given
    again = OutputNames(".png")
    assert [again.of("in", photo) for photo in photos] == given


def test_a_name_that_was_given_stays_with_its_photo() -> None:
    held = [(("in", "a.png"), "a.png"), (("other card", "b.jpg"), "b.png")]
    names = OutputNames(".png", held)
    assert names.of("in", "a.jpg") == "a-jpg.png"  # would have been first
    assert names.of("in", "a.png") == "a.png"
    assert names.of("in", "b.jpg") == "b-jpg.png"
    # Of another format, everything is named anew.
    assert OutputNames(".webp", held).of("in", "a.png") == "a.webp"


def test_a_photo_doesnt_take_the_name_of_a_folder() -> None:
    names = OutputNames(".png")
    names.reserve_folders(["a.png/b.jpg", "a.jpg"])
    assert names.of("in", "a.jpg") == "a-jpg.png"
    assert names.of("in", "a.png/b.jpg") == "a.png/b.png"
