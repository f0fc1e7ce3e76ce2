"""Tunes `photo` at 256 px for `live`, on the cores of a processor (docs/training-log.md, runs 17 and 18).

    python live.py --data labeled.pkl unlabeled.pkl --start photo.npz --out live.npz

On from `photo`'s weights (without their temperature: `--gain`), taught by `photo` itself at 512 px; the stages up to
stride 8 stay as they are. `pack.py` writes the .pkl files. Needs PyTorch, NumPy, OpenCV, and Standout for the teacher.
The weights are written at each look at what is held out, every ten minutes. Two cores without AVX-512 did 4 … 7
images/s.
"""

import argparse
import pickle
import time
from pathlib import Path

import cv2
import numpy as np
import photographs
import torch
import train
from network import Net
from train import fit, freeze_stages, relabel

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
    for name, value in dict(
        lr=2.5e-4, enc=0.4, wd=1e-4, edge=1.0, region=0.7, distill=1.0, ema=0.998, warmup=100, freeze=3,
        eval_every=600.0, max_steps=0, renorm=20,
    ).items():  # fmt: skip
        parser.add_argument("--" + name, type=type(value), default=value)
    a = parser.parse_args()
    torch.manual_seed(3)
    photographs.FINE.update(train.EDGE)
    store = photographs.Store(a.data, "cpu", a.limit)
    taught(store, a.data, a.teacher)
    relabel(store, "cpu")
    stages = [(0.4, a.sizes[0], a.batch), (9, a.sizes[1], a.batch)]
    fit(
        start_model(a), store, train.W_LIVE, stages, a, "cpu", a.out.parent, a.out.stem, a.minutes * 60, time.time(),
        tea=True, seed=7,
    )  # fmt: skip


def start_model(a):
    """`photo`'s weights without their temperature, the first stages frozen."""
    model = Net(context=192, context_blocks=3)
    model.load_keras(dict(np.load(a.start)))
    for p in model.c["logits"].parameters():
        p.data /= a.gain
    return freeze_stages(model.to(memory_format=torch.channels_last), a.freeze)


if __name__ == "__main__":
    main()
