import csv

import cv2
import numpy as np
import pytest

from kits import write_nobody, write_pairs
from standout.errors import DataError, InputError
from standout.workshop.data.check import check_pairs
from standout.workshop.data.labels import read_image, read_mask
from standout.workshop.data.pairs import find, find_pairs, with_weights


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("alpha_masks", [False, True])
def test_a_folder_of_images_and_masks(tmp_path, suffix, alpha_masks):
    write_pairs(tmp_path / "set", 3, suffix=suffix, alpha_masks=alpha_masks)
    pairs, faults = find_pairs(tmp_path / "set")
    checked = check_pairs(pairs, faults=faults)
    assert [pair.stem for pair in checked.good] == ["p00", "p01", "p02"] and not checked.faults
    assert 0.02 < (read_mask(checked.good[0].mask) == 255).mean() < 0.4


def test_sub_folders_with_weights_and_people_free_sets(tmp_path):
    write_pairs(tmp_path / "cafe", 2)
    write_pairs(tmp_path / "street", 2)
    write_nobody(tmp_path / "nobody", 2)
    (tmp_path / "sets.toml").write_text("[street]\nweight = 0.5\n")
    pairs, _ = find_pairs(tmp_path)
    assert {pair.set: pair.weight for pair in pairs} == {"cafe": 1.0, "nobody": 1.0, "street": 0.5}
    assert all((pair.mask is None) == (pair.set == "nobody") for pair in pairs)
    assert {pair.weight for pair in with_weights(pairs, {"cafe": 3})} == {3, 1.0, 0.5}
    with pytest.raises(DataError, match="street"):
        with_weights(pairs, {"streets": 3})


def test_a_csv_of_pairs(tmp_path):
    write_pairs(tmp_path / "set", 3)
    with (tmp_path / "all.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "mask", "group"])
        writer.writerows(
            [[f"set/images/p{i:02d}.png", f"set/masks/p{i:02d}.png" if i else "", "anna"] for i in range(3)]
        )
    pairs, _ = find_pairs(tmp_path / "all.csv")
    assert [pair.group for pair in pairs] == ["anna"] * 3
    assert pairs[0].mask is None and len(check_pairs(pairs).good) == 3
    (tmp_path / "bad.csv").write_text("photo,mask\n")
    with pytest.raises(DataError, match="image,mask"):
        find_pairs(tmp_path / "bad.csv")


def test_every_bad_pair_is_named_and_the_rest_goes_on(tmp_path):
    folder = tmp_path / "set"
    write_pairs(folder, 8)
    (folder / "images" / "p00.png").write_bytes(b"no picture")
    (folder / "images" / "p01.png").write_bytes(b"")
    cv2.imwrite(str(folder / "masks" / "p02.png"), np.zeros((32, 64), np.uint8))
    cv2.imwrite(str(folder / "masks" / "p03.png"), np.zeros((64, 64), np.uint8))
    ramp = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
    cv2.imwrite(str(folder / "masks" / "p04.png"), ramp)
    (folder / "masks" / "p05.png").unlink()
    (folder / "images" / "p06.png").unlink()
    pairs, faults = find_pairs(folder)
    checked = check_pairs(pairs, faults=faults)
    assert [pair.stem for pair in checked.good] == ["p07"]
    assert {fault.pair.stem: fault.kind for fault in checked.faults} == {
        "p00": "unreadable", "p01": "unreadable", "p02": "sizes differ", "p03": "mask empty",
        "p04": "mask not two-valued", "p05": "no mask", "p06": "no image",
    }  # fmt: skip
    assert all(fault.pair.stem in fault.text for fault in checked.faults)


def test_the_hash_follows_the_content(tmp_path):
    write_pairs(tmp_path / "set", 2)
    first = check_pairs(find_pairs(tmp_path / "set")[0]).data_hash
    assert check_pairs(find_pairs(tmp_path / "set")[0]).data_hash == first
    mask = tmp_path / "set" / "masks" / "p00.png"
    cv2.imwrite(str(mask), 255 - cv2.imread(str(mask), 0))
    assert check_pairs(find_pairs(tmp_path / "set")[0]).data_hash != first


def test_masks_of_zero_and_one_count_as_white(tmp_path):
    cv2.imwrite(str(tmp_path / "m.png"), np.eye(8, dtype=np.uint8))
    assert set(np.unique(read_mask(tmp_path / "m.png"))) == {0, 255}


def test_nothing_to_find(tmp_path):
    with pytest.raises(DataError, match="neither"):
        find_pairs(tmp_path / "missing")
    with pytest.raises(DataError, match="No pictures"):
        find_pairs(tmp_path)
    with pytest.raises(InputError, match="no file"):
        read_image(tmp_path / "none.jpg")


def test_images_are_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / "red.png"), np.full((4, 4, 3), (0, 0, 255), np.uint8))
    assert read_image(tmp_path / "red.png")[0, 0].tolist() == [255, 0, 0]


def test_parts_that_hold_sets_are_found_and_kept_apart(tmp_path):
    for part in ("train", "val", "unlabeled"):
        write_pairs(tmp_path / part / "street", 2)
    write_nobody(tmp_path / "val" / "rooms", 1)
    found = find(tmp_path)
    assert {(pair.set, pair.split) for pair in found.pairs} == {
        ("train/street", ""), ("val/street", "val"), ("val/rooms", "val"),
    }  # fmt: skip
    assert any("unlabeled" in note for note in found.notes)
    assert {pair.split for pair in find(tmp_path / "val").pairs} == {""}, "by itself it is a set like any other"
