"""Scores of a network in training: its averaged weights on the held-out pictures, and a sheet of some of them."""

from __future__ import annotations

import cv2
import keras
import numpy as np

from standout.imaging.contact_sheet import mark_errors
from standout.workshop.score.counts import FALSE_SHARE, count, person_iou
from standout.workshop.score.solidity import solidity

#: Below any quality that there is: IoU 0, all lost, all haze.
WORST_QUALITY = -3.0


class Averaged:
    """Within `with Averaged(model):` the model computes with the moving average of its weights."""

    def __init__(self, model: keras.Model):
        self.model = model

    def __enter__(self) -> None:
        self.raw = [np.asarray(v) for v in self.model.trainable_variables]
        for variable, average in zip(self.model.trainable_variables, self.model.optimizer.averages(), strict=False):
            variable.assign(average)

    def __exit__(self, *exc: object) -> None:
        for variable, raw in zip(self.model.trainable_variables, self.raw, strict=True):
            variable.assign(raw)


class Validation:
    """Scores the averaged weights on the validation pictures and draws a preview sheet."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, sets: list[str], batch: int):
        self.images, self.labels, self.sets, self.batch = images, labels, np.array(sets), batch
        # The preview shows pictures from all over the list, the same each time.
        self.shown = np.unique(np.linspace(0, len(images) - 1, 16).astype(int))

    def __call__(self, model: keras.Model) -> tuple[dict[str, float], np.ndarray]:
        """Returns the scores and the sheet, uint8 RGB.

        Scores: `iou`, mean person IoU over the pictures with people; `iou_<set>`; `lost` and `haze`, mean shares of
        their core that is see-through and of their far background that isn't clear (`score.solidity`); `quality`,
        IoU − lost − haze, by which the best weights are chosen: IoU alone is blind to holes; `false_people`, the share
        of photographs with nobody in which more than 0.5 % of the pixels became person.
        """
        alphas = self._alphas(model)
        masks = alphas >= 0.5
        target, sure = self.labels[..., 0] > 127, self.labels[..., 1] <= 127
        people = target.any((1, 2))
        iou = np.array([person_iou(count(t[s], m[s])) for t, m, s in zip(target, masks, sure, strict=True)])
        scores = {"iou": float(iou[people].mean()) if people.any() else 0.0}
        solid = [solidity(a, t & s, ~s) for a, t, s in zip(alphas, target, sure, strict=True) if (t & s).any()]
        for key in ("lost", "haze"):
            shares = [share for one in solid if (share := getattr(one, key)) is not None]
            scores[key] = float(np.mean(shares)) if shares else 0.0
        scores["quality"] = scores["iou"] - scores["lost"] - scores["haze"]
        for name in np.unique(self.sets[people]):
            scores[f"iou_{name}"] = float(iou[people & (self.sets == name)].mean())
        if (~people).any():
            scores["false_people"] = float(((masks & sure)[~people].mean((1, 2)) > FALSE_SHARE).mean())
        return scores, self._sheet(masks)

    def _alphas(self, model: keras.Model) -> np.ndarray:
        """float32 (N, size, size). Some pictures at a time: all as float32 would be five times the set's memory."""
        alphas = []
        step = self.batch * 16
        for first in range(0, len(self.images), step):
            images = self.images[first : first + step].astype(np.float32) / 255
            logits = model.predict(images, batch_size=self.batch, verbose=0)
            alphas.append(1 / (1 + np.exp(-logits[..., 0].astype(np.float32))))
        return np.concatenate(alphas)

    def _sheet(self, masks: np.ndarray) -> np.ndarray:
        tiles = []
        for i in self.shown:
            image = cv2.resize(self.images[i], (160, 160), interpolation=cv2.INTER_AREA)
            mask = cv2.resize(masks[i].astype(np.uint8), (160, 160), interpolation=cv2.INTER_NEAREST).astype(bool)
            truth = cv2.resize(self.labels[i, ..., 0], (160, 160), interpolation=cv2.INTER_AREA) > 127
            tiles.append(np.vstack([image, mark_errors(image, truth, mask)]))
        while len(tiles) % 8:
            tiles.append(np.zeros_like(tiles[0]))
        return np.vstack([np.hstack(tiles[i : i + 8]) for i in range(0, len(tiles), 8)])
