import itertools

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("albumentations")

from kits import disc, write_nobody, write_pairs
from standout.errors import StandoutError
from standout.workshop.config import DataOptions
from standout.workshop.data.augment import augment, fit
from standout.workshop.data.loader import batches
from standout.workshop.data.pair import Pair
from standout.workshop.data.pairs import find_pairs
from standout.workshop.data.samples import Samples
from standout.workshop.data.synthesize import crop_person, paste_people


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> list[Pair]:
    root = tmp_path_factory.mktemp("data")
    write_pairs(root / "people", 6)
    write_nobody(root / "nobody", 3)
    return find_pairs(root)[0]


def test_a_sample_is_a_function_of_seed_epoch_and_index(pairs):
    config = DataOptions(size=64)
    first = [Samples(pairs, config).draw(0, i) for i in range(6)]
    again = [Samples(pairs, config).draw(0, i) for i in reversed(range(6))][::-1]
    assert all((a[0] == b[0]).all() and (a[1] == b[1]).all() for a, b in zip(first, again, strict=True))
    others = [Samples(pairs, config).draw(1, i) for i in range(6)] + [
        Samples(pairs, config, 1).draw(0, i) for i in range(6)
    ]
    distinct = {image.tobytes() for image, _ in first + others}
    # albumentations alone would repeat itself in every epoch. (Now and then a sample is a photograph as it is.)
    assert len(distinct) >= 16


def test_image_and_mask_move_together(pairs):
    # The people are the bright pixels, so after any geometry the mask must still cover them.
    config = DataOptions(size=64, paste_fraction=0, negative_fraction=0)
    from standout.workshop.data.samples import read_pair

    samples = Samples(pairs, config)
    overlaps = []
    for i in range(40):
        rng = np.random.default_rng(i)
        image = np.zeros((64, 64, 3), np.uint8)
        mask = disc(64, (30, 28), 18)
        image[mask] = 255
        label = np.dstack([mask.astype(np.uint8) * 255, np.zeros_like(mask, np.uint8)])
        out, out_label = augment(image, label, 64, rng, zoom_out=0.35)
        bright, person = out.mean(2) > 140, out_label[..., 0] > 127
        if person.sum() > 40:
            overlaps.append((bright & person).sum() / (bright | person).sum())
    assert np.median(overlaps) > 0.9
    assert samples.draw(0, 0)[0].dtype == np.uint8 and read_pair(pairs[-1])[1].shape == (64, 64, 2)


def test_people_free_photographs_have_empty_masks(pairs):
    samples = Samples(pairs, DataOptions(size=64, negative_fraction=1.0, paste_fraction=0))
    assert all(samples.draw(0, i)[1][..., 0].max() == 0 for i in range(5))


def test_pasted_people_have_soft_edges_and_every_size():
    ground = np.full((100, 100, 3), 40, np.uint8)
    mask = disc(64, (32, 32), 26)
    frame = np.where(mask[..., None], np.uint8(250), np.uint8(0)).repeat(3, 2)
    person = crop_person(frame, mask.astype(np.uint8) * 255)
    assert person is not None and not any(person.on_edge)
    shares = []
    for seed in range(30):
        _, label = paste_people(ground, [person], np.random.default_rng(seed))
        assert label[..., 1].max() == 0
        shares.append((label[..., 0] > 127).mean())
        if shares[-1] > 0.01:
            assert ((label[..., 0] > 20) & (label[..., 0] < 235)).any()
    assert min(shares) < 0.03 and max(shares) > 0.3
    assert crop_person(frame, np.zeros((64, 64), np.uint8)) is None


def hairy() -> tuple[np.ndarray, np.ndarray]:
    """A red disc with thin strands around, its transparent pixels green; and its alpha, uint8."""
    y, x = np.mgrid[:200, :200] - 100
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    strands = (radius < 90) & (np.sin(angle * 40) > 0.6)
    alpha = np.where(radius < 60, 255, np.where(strands, 110, 0)).astype(np.uint8)
    return np.where(alpha[..., None] > 0, np.uint8([220, 30, 30]), np.uint8([0, 255, 0])), alpha


def test_a_matte_keeps_its_strands_and_no_color_of_what_is_transparent():
    frame, alpha = hairy()
    ground = np.full((240, 240, 3), 90, np.uint8)
    person = crop_person(frame, alpha, matte=True)
    hard = crop_person(frame, alpha)
    assert person is not None and hard is not None and person.alpha.shape > hard.alpha.shape  # strands belong to it
    for seed in range(6):
        image, label = paste_people(ground, [person], np.random.default_rng(seed))
        soft = (label[..., 0] > 60) & (label[..., 0] < 200)
        assert soft.sum() > 0.15 * (label[..., 0] >= 200).sum()  # of a mask, strands of 110 would be gone
        assert int((image[..., 1].astype(int) - image[..., 0]).max()) < 30  # nothing is greener than the ground


def test_cut_outs_with_their_own_transparency_are_laid_on_photographs_with_nobody(tmp_path):
    frame, alpha = hairy()
    (tmp_path / "mattes" / "images").mkdir(parents=True)
    Image.fromarray(np.dstack([frame, alpha])).save(tmp_path / "mattes" / "images" / "one.png")
    write_nobody(tmp_path / "nobody", 2)
    config = DataOptions(size=96, negative_fraction=0, paste_fraction=0, augment=False)
    samples = Samples(find_pairs(tmp_path)[0], config)
    drawn = [samples.draw(0, i) for i in range(4)]
    assert all(((label[..., 0] > 60) & (label[..., 0] < 200)).mean() > 0.01 for _, label in drawn)
    assert all(int((image[..., 1].astype(int) - image[..., 0]).max()) < 120 for image, _ in drawn)


def test_without_augmentation_the_product_s_letterbox_is_used(pairs):
    image = np.full((30, 60, 3), 9, np.uint8)
    framed, label = fit(image, np.full((30, 60, 2), 255, np.uint8), 64)
    assert framed.shape == (64, 64, 3) and framed[0, 0].tolist() == [127] * 3
    assert label[0, 0].tolist() == [0, 0] and label[32, 32].tolist() == [255, 255]


@pytest.mark.slow
def test_workers_give_the_same_batches_in_order(pairs):
    samples = Samples(pairs, DataOptions(size=64))
    alone = list(itertools.islice(batches(samples, batch=2, start=3, per_epoch=5, workers=0), 4))
    together = list(itertools.islice(batches(samples, batch=2, start=3, per_epoch=5, workers=2), 4))
    for a, b in zip(alone, together, strict=True):
        assert (a[0] == b[0]).all() and (a[1] == b[1]).all()


@pytest.mark.slow
def test_a_worker_s_error_arrives_with_the_file_s_name(pairs, tmp_path):
    broken = Pair(tmp_path / "gone.jpg", tmp_path / "gone.png", "s", "g")
    with pytest.raises(StandoutError, match=r"gone\.jpg"):
        next(batches(Samples([broken], DataOptions(size=64)), batch=2, per_epoch=5, workers=1))
