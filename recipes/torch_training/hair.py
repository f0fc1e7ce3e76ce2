"""Tunes `photo` with mattes and lookalikes, on the cores of a processor (docs/training-log.md, run 19).

    python hair.py DATA HELD --start photo.npz --config hair.toml --out RUN --minutes 62

Samples are the product's own (`standout train` draws the same from the same settings), weights and loss PyTorch's. DATA
and HELD are folders of sets. RUN gets ema.npz, to be averaged and exported by recipes/bundled.py, and state.pt, which
`--resume` goes on from. One core with AMX did 6 images/s at 320 px, where TensorFlow did 4.
"""

import argparse
import dataclasses
import math
import os
import time
from pathlib import Path

import depthwise_cpu
import network
import numpy as np
import torch
import torch.nn.functional as F
from network import Net
from train import Ema, freeze_stages

from standout.workshop.config import load_config
from standout.workshop.data.augment import fit
from standout.workshop.data.labels import open_pair
from standout.workshop.data.loader import batches
from standout.workshop.data.pairs import find_pairs, with_weights
from standout.workshop.data.samples import Samples

HALF = {"dtype": torch.bfloat16}


def to_tensor(pixels):
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255)


def loss_of(z, person, weight, options):
    """As `standout.workshop.model.losses.BCEDice`."""
    per_pixel = F.relu(z) - z * person + torch.log1p(torch.exp(-z.abs()))
    edge = F.max_pool2d(person, 5, 1, 2) + F.max_pool2d(-person, 5, 1, 2)
    axes = (1, 2, 3)
    bce = (per_pixel * weight * (1 + options.edge_weight * edge)).sum(axes) / weight.sum(axes).clamp(min=1)
    p, target = torch.sigmoid(z), (person * weight).sum(axes)
    dice = 2 * (p * person * weight).sum(axes) / ((p * weight).sum(axes) + target).clamp(min=1e-6)
    dice = torch.where(target > 0, dice, torch.ones_like(dice))
    regions = (F.avg_pool2d(per_pixel * weight, 16).square().mean(axes) + 1e-6).sqrt()
    error = (p - person) * weight
    down, right = error[:, :, 1:] - error[:, :, :-1], error[..., 1:] - error[..., :-1]
    alpha = error.abs().mean(axes) + down.abs().mean(axes) + right.abs().mean(axes)
    weighted = options.bce_weight * bce - dice + options.region_weight * regions + options.matte_weight * alpha
    return weighted.mean()


@torch.no_grad()
def scores(model, held):
    """Mean IoU of each set, or the share of photographs with nobody in which somebody was seen."""
    model.eval()
    found = {}
    for first in range(0, len(held), 6):
        part = held[first : first + 6]
        x = to_tensor(np.stack([image for _, image, _ in part])).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", **HALF):
            seen = model(x).float()[:, 0].numpy() > 0
        for (name, _, label), mask in zip(part, seen, strict=True):
            sure = label[..., 1] < 128
            truth, mask = (label[..., 0] > 127) & sure, mask & sure
            iou = (mask & truth).sum() / max(1, (mask | truth).sum())
            found.setdefault(name, []).append(iou if truth.any() else float(mask.mean() > 0.005))
    return {name: round(float(np.mean(values)), 4) for name, values in sorted(found.items())}


def groups(model, options):
    """AdamW's groups: the encoder at its own rate, no decay of what has one dimension."""
    split = {True: [], False: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            split[name.startswith(("c.Conv1", "c.expanded", "c.block"))].append(parameter)
    for slow, parameters in split.items():
        for wide in (True, False):
            chosen = [p for p in parameters if (p.ndim > 1) == wide]
            decay = options.weight_decay if wide else 0.0
            yield {"params": chosen, "weight_decay": decay, "scale": options.encoder_lr if slow else 1.0}


def main():  # noqa: PLR0915 - the run, from its options to its last step
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("held", type=Path, help="sets that are scored and never trained on")
    parser.add_argument("--start", required=True, help="weights as {layer/variable: array} (.npz), without temperature")
    parser.add_argument("--config", type=Path, required=True, help="settings of `standout train`")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--look", type=float, default=900, help="seconds between looks at HELD")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    network.DEPTHWISE = depthwise_cpu.depthwise
    config = load_config(a.config)
    train, data = config.train, config.data
    pairs = with_weights(find_pairs(a.data)[0], data.weights_by_set)
    opened = [(pair.set, open_pair(pair)) for pair in find_pairs(a.held)[0]]
    size = data.val_size or data.size
    held = [(name, *fit(one.frame, one.channels, size)) for name, one in opened if hasattr(one, "frame")]
    model = Net(context=config.model.context_channels, context_blocks=config.model.context_blocks)
    model.load_keras(dict(np.load(a.start)))
    model = freeze_stages(model.to(memory_format=torch.channels_last), train.freeze)
    optimizer = torch.optim.AdamW(list(groups(model, train)), lr=train.lr, betas=(0.9, 0.99), foreach=True)
    ema = Ema(model, train.ema)
    step, before, state = 0, 0.0, a.out / "state.pt"
    a.out.mkdir(parents=True, exist_ok=True)
    if a.resume and state.exists():
        kept = torch.load(state, weights_only=True)
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        ema.m.load_state_dict(kept["ema"])
        step, before, ema.k = kept["step"], kept["seconds"], kept["step"]

    def save(seconds):
        np.savez(a.out / "ema.npz", **ema.m.to_keras())
        whole = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "ema": ema.m.state_dict()}
        torch.save(whole | {"step": step, "seconds": seconds}, a.out / "state.part")
        os.replace(a.out / "state.part", state)

    samples = Samples(pairs, dataclasses.replace(data), train.seed, unchecked=True)
    feed = batches(samples, batch=train.batch, start=step, per_epoch=len(pairs) // train.batch, workers=1)
    print("start", scores(ema.m, held), flush=True)
    model.train()
    start, next_look, losses = time.time(), before + a.look, []
    for images, labels in feed:
        seconds = before + time.time() - start
        share = min(1.0, seconds / (60 * a.minutes))
        if seconds > next_look or share == 1:
            next_look += a.look
            save(seconds)
            print(f"{seconds:.0f} s, {step * train.batch} pictures:", scores(ema.m, held), flush=True)
            model.train()
            if share == 1:
                break
        rate = train.lr * min(1, (step + 1) / train.warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        x = to_tensor(images).contiguous(memory_format=torch.channels_last)
        label = to_tensor(labels)
        with torch.autocast("cpu", **HALF):
            z = model(x, freeze=train.freeze)
        loss = loss_of(z.float(), label[:, :1], 1 - label[:, 1:2], train)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0, foreach=True)
        optimizer.step()
        ema.update(model)
        step += 1
        losses.append(float(loss.detach()))
        if step % 50 == 0:
            print(f"{seconds:.0f} s, step {step}: loss {np.mean(losses[-50:]):.4f}", flush=True)


if __name__ == "__main__":
    main()
