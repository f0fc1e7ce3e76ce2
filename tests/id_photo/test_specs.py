"""Specifications: the bundled ones keep the form and name their sources; a user's own is as good as they are."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from standout.errors import ConfigError
from standout.id_photo.spec import DOCUMENTS, Spec
from standout.id_photo.spec_parser import parse_spec
from standout.id_photo.specs import FOLDER_VARIABLE, list_specs, load_spec, spec_text

ALL = list_specs()

OWN = """
title = "Club card"
document = "other"
[size]
width_mm = 30
height_mm = 40
source = "club"
[head]
min_mm = 20
max_mm = 26
source = "club"
[sources.club]
title = "The club's leaflet"
checked = 2026-01-31
"""


def raw(**changes: Any) -> dict[str, Any]:
    """A valid file's content with tables or keys replaced; None removes."""
    content: dict[str, Any] = {
        "title": "Club card",
        "document": "other",
        "size": {"width_mm": 30, "height_mm": 40, "source": "club"},
        "head": {"min_mm": 20, "max_mm": 26, "source": "club"},
        "sources": {"club": {"title": "The club's leaflet", "checked": datetime.date(2026, 1, 31)}},
    }
    content.update(changes)
    return {key: value for key, value in content.items() if value is not None}


def test_the_most_asked_for_are_there() -> None:
    assert len(ALL) >= 25
    assert {spec.document for spec in ALL} >= set(DOCUMENTS) - {"residence permit"}
    countries = {spec.country for spec in ALL}
    assert countries >= {"US", "EU", "GB", "RU", "CN", "IN", "CA", "JP", "BR", "KZ"}
    russia = load_spec("ru-passport")
    assert (russia.width_mm, russia.height_mm) == (35, 45)


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_every_number_has_a_source_and_a_date(spec: Spec) -> None:
    # `parse_spec` refuses a table without a known source; what it can't know is whether that source is findable.
    for key in spec.table_sources.values():
        source = spec.sources[key]
        assert source.url.startswith(("https://", "http://")) and source.how, source
        assert datetime.date(2026, 1, 1) <= source.checked <= datetime.date(2026, 12, 31)
    assert set(spec.sources) == set(spec.table_sources.values()), "a source that nothing refers to"
    assert set(spec.bands) <= set(spec.table_sources)


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_every_specification_can_be_met_by_some_head(spec: Spec) -> None:
    height, width, dpi = spec.pixels()
    assert 100 <= width <= 5000 and 100 <= height <= 5000 and 150 <= dpi <= 1200
    if spec.width_mm and spec.height_mm:
        assert abs(width / dpi * 25.4 - spec.width_mm) < 0.15 and abs(height / dpi * 25.4 - spec.height_mm) < 0.15
    bounds = {name: spec.band_px(name, height) for name in spec.bands}
    least = sum(bounds.get(name, (0, 0))[0] or 0 for name in ("crown", "head", "chin"))
    assert least <= height
    if "eyes" in bounds and "crown" in bounds:
        assert (bounds["eyes"][0] or 0) + (bounds["crown"][0] or 0) < height


def test_own_file_own_folder_and_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "club.toml").write_text(OWN)
    by_path = load_spec(tmp_path / "club.toml")
    assert (by_path.name, by_path.width_mm, by_path.bands["head"].high) == ("club", 30, 26)
    assert load_spec("club", folder=tmp_path) == by_path
    assert "club" in [spec.name for spec in list_specs(folder=tmp_path)]
    with pytest.raises(ConfigError, match="There is no specification 'club'"):
        load_spec("club")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert load_spec("club") == by_path
    assert spec_text("club") == OWN


def test_own_file_hides_the_bundled_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "us-passport.toml").write_text(OWN)
    assert load_spec("us-passport", folder=tmp_path).title == "Club card"
    assert len(list_specs(folder=tmp_path)) == len(ALL)


def test_a_bundled_file_is_something_to_start_from(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(spec_text("jp-passport"), "utf-8")
    assert load_spec(tmp_path / "mine.toml").bands == load_spec("jp-passport").bands


def test_a_misspelt_name_is_answered_with_near_ones() -> None:
    with pytest.raises(ConfigError, match="did you mean `us-passport`"):
        load_spec("us-pasport")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": None}, "`title` is missing"),
        ({"sources": None}, "`sources` is missing"),
        ({"titel": "x"}, "`titel` is unknown; allowed are title,"),
        ({"document": "club card"}, "`document` must be one of passport, visa"),
        ({"size": {"width_mm": 30, "source": "club"}}, "needs both width_mm and height_mm"),
        ({"size": {"source": "club"}}, "needs width and height in mm or px"),
        ({"size": {"width_mm": "30", "height_mm": 40, "source": "club"}}, "`size.width_mm` must be a number"),
        ({"size": {"width_mm": -3, "height_mm": 40, "source": "club"}}, "`size.width_mm` must be above 0"),
        ({"size": {"width_mm": 30, "height_mm": 4000, "source": "club"}}, "> 500 mm"),
        ({"size": {"width_px": 300.5, "height_px": 400, "source": "club"}}, "must be a whole number"),
        (
            {"size": {"width_mm": 30, "height_mm": 40, "width_px": 400, "height_px": 400, "source": "club"}},
            "has other proportions in mm than in pixels",
        ),
        ({"head": {"min_mm": 20}}, "`head.source` must be one of club"),
        ({"head": {"min_mm": 20, "source": "clubb"}}, "`head.source` must be one of club"),
        ({"head": {"min_mm": 26, "max_mm": 20, "source": "club"}}, "needs min below max; received 26 and 20"),
        ({"head": {"min_mm": 20, "max_share": 0.8, "source": "club"}}, "mixes units"),
        ({"head": {"min_px": 20, "source": "club"}}, "needs px for px"),
        ({"head": {"max_share": 80, "source": "club"}}, "must be below 1"),
        ({"head": {"min_mm": 20, "hair": "long", "source": "club"}}, "`head.hair` must be included or excluded"),
        ({"background": {"color": "whyte", "source": "club"}}, "did you mean `white`"),
        ({"editing": {"background": "no", "source": "club"}}, "must be forbidden or allowed"),
        ({"sources": {"club": {"title": "x"}}}, "`sources.club.checked` is missing"),
        ({"sources": {"club": {"title": "x", "checked": "today"}}}, "`sources.club.checked` must be a date"),
    ],
)
def test_a_faulty_file_is_named_with_the_key_and_the_rule(changes: dict[str, Any], message: str) -> None:
    parse_spec(raw(), "club")
    with pytest.raises(ConfigError) as caught:
        parse_spec(raw(**changes), "club")
    assert message in str(caught.value) and "`club`" in str(caught.value)


def test_what_is_no_toml_is_said(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("title = ")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load_spec(tmp_path / "broken.toml")
    with pytest.raises(ConfigError, match="there is no such file"):
        load_spec(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="There is no folder of specifications"):
        list_specs(folder=tmp_path / "absent")


def test_pixels_follow_the_resolution_unless_they_are_fixed() -> None:
    assert load_spec("nl-passport").pixels() == (709, 551, 400), "the source asks for 400 dpi"
    assert load_spec("jp-passport").pixels(600) == (1063, 827, 600)
    assert load_spec("us-dv-lottery").pixels(96) == (600, 600, 96), "no size in print, so any dpi goes"
    with pytest.raises(ConfigError, match="fixes both the size and the pixels, which is 300 dpi"):
        load_spec("us-visa").pixels(600)
