"""Tunes `photo` at 256 px for `live`, on the cores of a processor (docs/training-log.md, run 17: not bundled yet).

    python live.py --data labelled.pkl unlabelled.pkl --start photo.npz --out live.npz

On from `photo`'s weights (without their temperature: `--gain`), taught by `photo` itself at 512 px; the stages up to
stride 8 stay as they are. `pack.py` writes the .pkl files. Needs PyTorch, NumPy, OpenCV, and Standout for the teacher.
A checkpoint is written every ten minutes and at a SIGTERM. Two cores without AVX-512 did 4 … 7 images/s.
"""

import argparse
import json
import math
import pickle
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import photographs
import torch
from network import Net

import train
from train import Ema, evaluate, freeze_stages, loss_fn, relabel, renorm, show

#: Photographs are kept at so many pixels: the network sees 256.
photographs.SIDE = 352
#: Sets that the teacher looks at: nobody is in the others, or they are only pasted.
TAUGHT = {
    "coco", "street", "everyday", "classroom", "portraits", "webcam",
    "judged_portraits", "judged_close", "judged_mixed", "judged_coco",
}  # fmt: skip


def taught(store, files, cache):
    """The teacher's alpha of each photograph, (h, w) of the store; kept in a file, because it takes minutes."""
    known = pickle.loads(cache.read_bytes()) if cache.exists() else {}
    items = [item for file in files for item in pickle.loads(Path(file).read_bytes())]
    missing = [item for item in items if item[0] in TAUGHT and item[:2] not in known]
    if missing:
        import standout

        model = standout.load("photo")
        for kind, stem, image, _ in missing:
            frame = cv2.cvtColor(cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            alpha = model.alpha(frame)
            scale = min(1, photographs.SIDE / max(alpha.shape))
            size = round(alpha.shape[1] * scale), round(alpha.shape[0] * scale)
            small = np.rint(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)
            known[kind, stem] = cv2.imencode(".png", small)[1].tobytes()
        cache.write_bytes(pickle.dumps(known))
    store.tea = store.per.clone()
    for i, key in enumerate(zip(store.set, store.stem, strict=True)):
        if key in known:
            h, w = store.hw_np[i].astype(int)
            alpha = cv2.imdecode(np.frombuffer(known[key], np.uint8), cv2.IMREAD_GRAYSCALE)
            alpha = alpha if alpha.shape == (h, w) else cv2.resize(alpha, (int(w), int(h)))
            store.tea[i].zero_()
            store.tea[i, :h, :w] = torch.from_numpy(alpha)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--start", required=True, help="photo's weights as {layer/variable: array} (.npz)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, default=Path("teacher.pkl"), help="where the teacher's alphas are kept")
    parser.add_argument("--gain", type=float, default=3.0, help="the temperature that is in the start's logits")
    parser.add_argument("--minutes", type=float, default=66.0)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument(
        "--sizes", type=int, nargs=2, default=(224, 256), help="pixels: of the first 40 %% of the time, then"
    )
    parser.add_argument("--limit", type=int, default=0, help="so many photographs only")
    for name, value in dict(lr=2.5e-4, enc=0.4, wd=1e-4, edge=1.0, region=0.7, distill=1.0, ema=0.998).items():
        parser.add_argument("--" + name, type=float, default=value)
    a = parser.parse_args()
    torch.manual_seed(3)
    photographs.FINE.update(train.EDGE)
    store = photographs.Store(a.data, "cpu", a.limit)
    taught(store, a.data, a.teacher)
    relabel(store, "cpu")

    fit(start_model(a), store, a)


def start_model(a):
    """`photo`'s weights without their temperature, the first stages frozen."""
    model = Net(context=192, context_blocks=3)
    model.load_keras(dict(np.load(a.start)))
    for p in model.c["logits"].parameters():
        p.data /= a.gain
    return freeze_stages(model.to(memory_format=torch.channels_last), 3).train()


def fit(model, store, a):
    """Trains until the minutes are over or a SIGTERM comes; writes the averaged weights."""
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    groups = [
        dict(
            params=[p for n, p in named if (p.ndim > 1) == matrix and n.startswith("c.block") == encoder],
            weight_decay=a.wd if matrix else 0.0,
            scale=a.enc if encoder else 1.0,
        )
        for matrix in (True, False)
        for encoder in (True, False)
    ]
    optimizer = torch.optim.AdamW(groups, lr=a.lr, betas=(0.9, 0.99), foreach=True)
    sampler = photographs.Sampler(store, train.W_LIVE, 7)
    average = Ema(model, a.ema)
    stop, history, losses = [], [], []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    budget, start = a.minutes * 60, time.time()
    saved, step = start, 0
    while not stop and (done := (time.time() - start) / budget) < 1:
        x, person, weight, teacher = sampler.batch(a.batch, a.sizes[0] if done < 0.4 else a.sizes[1], tea=True)
        lr = a.lr * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimizer.param_groups:
            group["lr"] = lr * group["scale"]
        logits = model(x.contiguous(memory_format=torch.channels_last), freeze=3)
        loss = loss_fn(logits, person, weight, teacher, a, sampler.fine)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in named], 2.0, foreach=True)
        optimizer.step()
        average.update(model)
        step += 1
        losses.append(float(loss.detach()))
        if step % 50 == 0:
            seen = step * a.batch
            history.append((step, seen, time.time() - start, float(np.mean(losses[-50:]))))
            print(
                f"step {step} seen {seen} loss {history[-1][3]:.4f} {seen / (time.time() - start):.1f} images/s",
                flush=True,
            )
        if time.time() - saved > 600:
            saved = time.time()
            np.savez(a.out, **average.m.to_keras())
            print(show(evaluate(average.m, store, a.sizes[1], "cpu")), flush=True)
    renorm(average.m, sampler, a.sizes[1], 32, 30, "cpu")
    np.savez(a.out, **average.m.to_keras())
    held = evaluate(average.m, store, a.sizes[1], "cpu")
    print(f"end: {step * a.batch} samples in {step} steps; held out {show(held)}")
    a.out.with_suffix(".json").write_text(json.dumps({"history": history, "held": held}))


if __name__ == "__main__":
    main()
