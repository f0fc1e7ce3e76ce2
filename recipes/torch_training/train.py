"""Training of the bundled networks on one GPU (docs/training-log.md, runs 14 and 15).

    python train.py --data labeled.pkl unlabeled.pkl --start photo.npz --photo 340 --live 180 --out OUT

PyTorch 2.8 or newer with a GPU, NumPy and OpenCV; nothing of Standout. `pack.py` writes the .pkl files, and
recipes/bundled.py averages and exports what comes out (--trained OUT/photo.npz). All photographs lie on the GPU, and
samples are warped, composed and lit there: photographs.py. Seconds are budgets by the clock; a checkpoint is written at
each look at the photographs held out. One H100 did 870 images/s at 320 px, 770 at 416, 700 at 512 and 1,200 at 256 px
(`live`).
"""

import argparse
import copy
import json
import math
import os
import sys
import time

import network
import numpy as np
import photographs
import torch
import torch.nn.functional as F
from network import Net
from photographs import Sampler, Store

W_PHOTO = dict(
    portraits=5,
    street=1.3,
    streetmen=0.4,
    everyday=2.4,
    coco=2.2,
    classroom=1.5,
    cutouts=0,
    nobody=1.4,
    rooms=3,
    webcam=4,
    judged_portraits=0.35,
    judged_close=0.4,
    judged_mixed=0.35,
    judged_coco=0.8,
)
W_LIVE = dict(
    portraits=5,
    street=1.0,
    streetmen=0.4,
    everyday=1.8,
    coco=1.8,
    classroom=2,
    cutouts=0,
    nobody=1.3,
    rooms=4,
    webcam=6,
    judged_portraits=0.5,
    judged_close=0.8,
    judged_mixed=0.5,
    judged_coco=0.8,
)

EDGE = dict(
    portraits=1,
    street=1,
    streetmen=0.6,
    everyday=1,
    classroom=1,
    nobody=1,
    rooms=1,
    coco=-0.4,
    webcam=-0.45,
    judged_portraits=-0.5,
    judged_close=-0.5,
    judged_mixed=-0.5,
    judged_coco=-0.5,
)  # times a.edge: masks drawn coarsely teach no edge

photographs.FINE.update(EDGE)


def half(dev):
    """bfloat16 where it is faster: on a GPU."""
    return torch.autocast(dev, dtype=torch.bfloat16, enabled=dev == "cuda")


def loss_fn(z, per, wt, tea, a, fine=1.0):
    z = z.float()
    bce = F.relu(z) - z * per + torch.log1p(torch.exp(-z.abs()))
    edge = F.max_pool2d(per, 5, 1, 2) + F.max_pool2d(-per, 5, 1, 2)
    w = wt * (1 + a.edge * edge * fine).clamp(min=0.1)
    n = wt.sum((1, 2, 3)).clamp(min=1)
    l_bce = (bce * w).sum((1, 2, 3)) / n
    p = torch.sigmoid(z)
    t = (per * wt).sum((1, 2, 3))
    dice = torch.where(
        t > 0, 2 * (p * per * wt).sum((1, 2, 3)) / ((p * wt).sum((1, 2, 3)) + t).clamp(min=1e-6), torch.ones_like(t)
    )
    # regions: what is wrong together is a hole, or a ghost; the worst regions count most
    reg = F.avg_pool2d(bce * wt, 16)
    l_reg = (reg.square().mean((1, 2, 3)) + 1e-6).sqrt()
    loss = 2 * l_bce - dice + a.region * l_reg
    if tea is not None:
        l_t = F.relu(z) - z * tea + torch.log1p(torch.exp(-z.abs()))
        # a label that is sure weighs more than the teacher; where it is unsure only the teacher speaks
        loss = loss + a.distill * (l_t * (1.6 - wt)).mean((1, 2, 3))
    return loss.mean()


def freeze_stages(model, stages):
    """No gradients for the encoder's first stages: 2 up to stride 4, 3 up to stride 8."""
    blocks = {0: [], 1: [], 2: [1, 2], 3: [1, 2, 3, 4, 5]}[stages]
    names = ("c.Conv1", "c.expanded", *(f"c.block_{i}_" for i in blocks))
    for name, p in model.named_parameters():
        if blocks and name.startswith(names):
            p.requires_grad_(False)
    return model


class Ema:
    def __init__(s, m, decay):
        s.m = copy.deepcopy(m).eval()
        s.d = decay
        s.k = 0

    @torch.no_grad()
    def update(s, m):
        s.k += 1
        d = min(s.d, (1 + s.k) / (20 + s.k))
        ps, qs = [], []
        for p, q in zip(s.m.parameters(), m.parameters(), strict=False):
            ps.append(p.data)
            qs.append(q.data)
        for p, q in zip(s.m.buffers(), m.buffers(), strict=False):
            if p.is_floating_point():
                ps.append(p)
                qs.append(q)
        torch._foreach_lerp_(ps, qs, 1 - d)


def grids(store, idx, S, dev):
    """Whole photographs, letterboxed at the center into S x S: image, person, unsure, inside."""
    hw = store.hw[idx]
    m = hw.max(1).values
    g = (torch.arange(S, device=dev, dtype=torch.float32) + 0.5) / S * 2 - 1
    gy, gx = torch.meshgrid(g, g, indexing="ij")
    X = gx[None] * m.view(-1, 1, 1) / 2 + hw[:, 1].view(-1, 1, 1) / 2
    Y = gy[None] * m.view(-1, 1, 1) / 2 + hw[:, 0].view(-1, 1, 1) / 2
    H, W = hw[:, 0].view(-1, 1, 1), hw[:, 1].view(-1, 1, 1)
    inside = ((X >= 0) & (X <= W) & (Y >= 0) & (Y <= H)).float()[:, None]
    return torch.stack(
        [torch.minimum(X.clamp(min=0.5), W - 0.5), torch.minimum(Y.clamp(min=0.5), H - 0.5)], -1
    ) / photographs.SIDE * 2 - 1, inside


@torch.no_grad()
def evaluate(model, store, S, dev, idx=None):
    res = {}
    held = np.flatnonzero(store.held) if idx is None else idx
    for s in sorted(set(store.set[held])):
        ids = held[store.set[held] == s]
        rows = []
        for c in range(0, len(ids), 16):
            it = torch.as_tensor(ids[c : c + 16], device=dev)
            grid, inside = grids(store, it, S, dev)
            x = (
                torch.cat(
                    [
                        store.img[it].permute(0, 3, 1, 2).float(),
                        store.per[it][:, None].float(),
                        store.uns[it][:, None].float(),
                    ],
                    1,
                )
                / 255
            )
            x = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
            img = x[:, :3] * inside + 127 / 255 * (1 - inside)
            img = img.contiguous(memory_format=torch.channels_last)
            with half(dev):
                a = torch.sigmoid(model(img).float()) * inside
            per, w = (x[:, 3:4] > 0.5).float() * inside, (x[:, 4:5] < 0.5).float() * inside
            k = max(1, round(6 * S / 512))
            core = -F.max_pool2d(-per, 2 * k + 1, 1, k) * w
            far = (1 - F.max_pool2d(torch.maximum(per, 1 - w), 4 * k + 1, 1, 2 * k)) * inside

            def sm(v):
                return v.sum((1, 2, 3))

            b = (a > 0.5).float()
            iou = sm(b * per * w) / sm(torch.maximum(b, per) * w).clamp(min=1)
            rows.append(
                torch.stack(
                    [
                        iou,
                        sm(core * (a < 0.9)) / sm(core).clamp(min=1),
                        sm(far * (a > 0.1)) / sm(inside),
                        sm(b) / sm(inside),
                        sm(core),
                    ],
                    1,
                )
            )
        r = torch.cat(rows).cpu().numpy()
        if s in ("nobody", "rooms"):
            res[s] = dict(false=float((r[:, 3] > 0.005).mean()), n=len(r))
        else:
            ok = r[:, 4] > 50
            res[s] = dict(
                iou=float(r[:, 0].mean()),
                lost=float(r[ok, 1].mean()),
                holes=float((r[ok, 1] > 0.05).mean()),
                haze=float((r[:, 2] > 0.01).mean()),
                n=len(r),
            )
    return res


def show(r):
    return "  ".join(
        f"{k[:10]} "
        + (
            f"F{v['false']:.3f}"
            if "false" in v
            else f"{v['iou']:.3f}/{v['lost'] * 100:.1f}/{v['holes'] * 100:.0f}/{v['haze'] * 100:.0f}"
        )
        for k, v in r.items()
    )


@torch.no_grad()
def renorm(model, sampler, S, B, n, dev):
    """Batch-norm statistics of the averaged weights, taken anew at the size of use (arXiv 2203.05482's practice)."""
    bns = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for m in bns:
        m.reset_running_stats()
        m.momentum = None
        m.train()
    for _ in range(n):
        img = sampler.batch(B, S)[0].contiguous(memory_format=torch.channels_last)
        with half(dev):
            model(img)
    for m in bns:
        m.eval()
        m.momentum = 0.05


@torch.no_grad()
def teach(model, store, dev, sizes=(512, 640)):
    """Each photograph's alpha by the mean logit over sizes and the mirror; kept at the photographs' own pixels."""
    model.eval()
    store.tea = torch.zeros_like(store.per)
    S0 = 512
    for c in range(0, store.n, 32):
        it = torch.arange(c, min(store.n, c + 32), device=dev)
        z = 0
        hw = store.hw[it]
        m = hw.max(1).values
        for S in sizes:
            grid, inside = grids(store, it, S, dev)
            img = F.grid_sample(
                store.img[it].permute(0, 3, 1, 2).float() / 255,
                grid,
                mode="bilinear",
                padding_mode="border",
                align_corners=False,
            )
            img = (img * inside + 127 / 255 * (1 - inside)).contiguous(memory_format=torch.channels_last)
            with half(dev):
                y = model(img).float() + model(img.flip(3).contiguous(memory_format=torch.channels_last)).float().flip(
                    3
                )
            z = z + F.interpolate(y, size=(S0, S0), mode="bilinear", align_corners=False)
        a = torch.sigmoid(z / (2 * len(sizes)) * 1.3)
        # back from the letterbox to the canvas (photograph at the top left)
        g = torch.arange(512, device=dev, dtype=torch.float32) + 0.5
        gy, gx = torch.meshgrid(g, g, indexing="ij")
        X = (gx[None] - hw[:, 1].view(-1, 1, 1) / 2) / m.view(-1, 1, 1) * 2
        Y = (gy[None] - hw[:, 0].view(-1, 1, 1) / 2) / m.view(-1, 1, 1) * 2
        a = F.grid_sample(a, torch.stack([X, Y], -1), mode="bilinear", padding_mode="border", align_corners=False)
        store.tea[it] = (a[:, 0] * 255 + 0.5).to(torch.uint8)


def relabel(store, dev):
    """Where judges were unsure of an unlabeled photograph and the new network is sure, its word counts."""
    ids = np.flatnonzero(
        np.isin(store.set, ["webcam", "judged_portraits", "judged_close", "judged_mixed", "judged_coco"])
    )
    for c in range(0, len(ids), 64):
        it = torch.as_tensor(ids[c : c + 64], device=dev)
        t, u, p = store.tea[it], store.uns[it], store.per[it]
        unsure = u > 127
        hi, lo = unsure & (t > 235), unsure & (t < 20)
        coco = torch.from_numpy(store.set[ids[c : c + 64]] == "judged_coco").to(dev).view(-1, 1, 1)
        lo = lo & ~coco  # a box says that somebody is there, whom the network may miss
        p = torch.where(hi, torch.full_like(p, 255), torch.where(lo, torch.zeros_like(p), p))
        u = torch.where(hi | lo, torch.zeros_like(u), u)
        store.per[it], store.uns[it] = p, u


def fit(model, store, weights, stages, a, dev, out, name, T, t0, tea=False, seed=0):  # noqa: PLR0915
    """stages: [(until share of T, S, B)]; time-based cosine."""
    sampler = Sampler(store, weights, seed)
    enc = [
        p for n, p in model.named_parameters() if n.startswith(("c.Conv1", "c.expanded", "c.block")) and p.requires_grad
    ]
    ids = {id(p) for p in enc}
    head = [p for p in model.parameters() if id(p) not in ids and p.requires_grad]

    def wd(ps):
        return [
            dict(params=[p for p in ps if p.ndim > 1], weight_decay=a.wd),
            dict(params=[p for p in ps if p.ndim == 1], weight_decay=0.0),
        ]

    groups = [dict(g, scale=a.enc) for g in wd(enc)] + [dict(g, scale=1.0) for g in wd(head)]
    opt = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), fused=(dev == "cuda"))
    ema = Ema(model, a.ema)
    model.train()
    step = 0
    seen = 0
    log = []
    start = time.time()
    next_eval = a.eval_every
    while True:
        el = time.time() - start
        if el > T or (a.max_steps and step >= a.max_steps):
            break
        S, B = next((S, B) for until, S, B in stages if el / T < until)
        x, per, wt, t = sampler.batch(B, S, tea=tea)
        x = x.contiguous(memory_format=torch.channels_last)
        lr = a.lr * min(1, (step + 1) / a.warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, el / T))))
        for g in opt.param_groups:
            g["lr"] = lr * g["scale"]
        with half(dev):
            z = model(x, freeze=a.freeze)
        loss = loss_fn(z, per, wt, t, a, sampler.fine)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(head + enc, 2.0, foreach=True)
        opt.step()
        ema.update(model)
        step += 1
        seen += B
        if step % 25 == 0:
            log.append((step, seen, el, float(loss.detach())))
            if step % 200 == 0 or step == 25:
                recent = np.mean([entry[3] for entry in log[-8:] if entry[0] != "eval"] or [0])
                rate = seen / (time.time() - start)
                print(
                    f"{name} {time.time() - t0:.0f}s step {step} S{S} seen {seen} loss {recent:.4f} {rate:.0f} img/s",
                    flush=True,
                )
        if el > next_eval:
            next_eval += a.eval_every
            r = evaluate(ema.m, store, stages[-1][1], dev)
            print(f"{name} {el:.0f}s seen {seen}: {show(r)}", flush=True)
            log.append(("eval", seen, el, r))
            np.savez(f"{out}/{name}.npz", **ema.m.to_keras())
    S, B = stages[-1][1:]
    renorm(ema.m, sampler, S, min(B, 48), a.renorm, dev)
    r = evaluate(ema.m, store, S, dev)
    print(f"{name} END seen {seen} steps {step}: {show(r)}", flush=True)
    log.append(("end", seen, time.time() - start, r))
    np.savez(f"{out}/{name}.npz", **ema.m.to_keras())
    json.dump(log, open(f"{out}/{name}.json", "w"))
    return ema.m


def bench(dev):

    for impl in ("cudnn", "native"):
        for C, S, st, d in ((144, 128, 1, 1), (192, 64, 1, 1), (576, 32, 1, 1), (960, 32, 1, 2), (176, 128, 1, 1)):
            x = (
                torch.randn(64, C, S, S, device=dev, dtype=torch.bfloat16)
                .contiguous(memory_format=torch.channels_last if impl == "cudnn" else torch.contiguous_format)
                .requires_grad_()
            )
            w = torch.randn(C, 1, 3, 3, device=dev, dtype=torch.bfloat16, requires_grad=True)
            with torch.backends.cudnn.flags(enabled=impl == "cudnn", benchmark=True):
                for i in range(4):
                    if i == 1:
                        torch.cuda.synchronize()
                        t = time.time()
                    y = F.conv2d(x, w, None, st, d, d, C)
                    y.backward(y)
                torch.cuda.synchronize()
            print(
                impl,
                C,
                S,
                d,
                f"{(time.time() - t) / 3 * 1e3:.2f} ms; ideal {x.numel() * 2 * 6 / 3e12 * 1e3:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    for k, v in dict(
        lr=1e-3,
        enc=0.4,
        wd=1e-4,
        edge=1.5,
        region=0.7,
        distill=1.0,
        ema=0.998,
        warmup=150,
        freeze=2,
        eval_every=60.0,
        max_steps=0,
        renorm=40,
        limit=0,
        photo=300.0,
        live=180.0,
        seed=0,
    ).items():
        ap.add_argument("--" + k, type=type(v), default=v)
    ap.add_argument("--out", default=os.environ.get("OUT", "out"))
    ap.add_argument("--data", nargs="*", default=[])
    ap.add_argument("--tiny", action="store_true")
    ap.add_argument("--bench", action="store_true")
    ap.add_argument("--start", default="photo_keras.npz")
    ap.add_argument("--live-start", default="")
    a = ap.parse_args()
    t0 = time.time()
    os.makedirs(a.out, exist_ok=True)
    dev = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.manual_seed(a.seed)
    store = Store(a.data, dev, a.limit)
    print(
        f"{store.n} photographs on {dev} in {time.time() - t0:.0f}s",
        {s: int((store.set == s).sum()) for s in set(store.set)},
        flush=True,
    )

    def cl(m):
        return m.to(dev).to(memory_format=torch.channels_last)

    def frozen(m):
        return freeze_stages(m, a.freeze)

    if dev == "cuda":
        import depthwise

        network.DEPTHWISE = depthwise.depthwise
    d = dict(np.load(a.start)) if os.path.exists(a.start) else {}
    photo = frozen(Net(context=192, context_blocks=3))
    print("new:", len(photo.load_keras(d)))
    photo = cl(photo)
    live = (
        Net(**LIVE)
        if (
            LIVE := dict(
                output_stride=32,
                rates=(6, 12),
                aspp=96,
                low=24,
                dec=64,
                refine=16,
                refine_sep=True,
                middle=64,
                context=96,
                context_blocks=2,
            )
        )
        else None
    )
    if a.bench:
        if dev == "cuda":
            bench(dev)
        for m, nm, Ss in ((photo, "photo", ((320, 96), (512, 40))), (cl(frozen(live)), "live", ((256, 128),))):
            sm = Sampler(store, W_PHOTO)
            if not len(sm.empty):
                sm.empty = np.arange(store.n)
            for S, B in Ss:
                m.train()
                ts = []
                for _i in range(14):
                    if dev == "cuda":
                        torch.cuda.synchronize()
                    t = time.time()
                    x, per, wt, _ = sm.batch(B, S)
                    x = x.contiguous(memory_format=torch.channels_last)
                    if dev == "cuda":
                        torch.cuda.synchronize()
                    t1 = time.time()
                    with half(dev):
                        z = m(x, freeze=a.freeze)
                    loss_fn(z, per, wt, None, a).backward()
                    if dev == "cuda":
                        torch.cuda.synchronize()
                    ts.append((t1 - t, time.time() - t1))
                ts = np.array(ts[4:])
                print(
                    nm,
                    S,
                    B,
                    "data ms",
                    ts[:, 0].mean() * 1e3,
                    "step ms",
                    ts[:, 1].mean() * 1e3,
                    f"{B / ts.sum(1).mean():.0f} img/s",
                    f"{torch.cuda.max_memory_allocated() / 1e9 if dev == 'cuda' else 0:.1f} GB",
                    flush=True,
                )
        if dev == "cuda":
            from torch.profiler import ProfilerActivity, profile

            with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as pr:
                x, per, wt, _ = sm.batch(96, 320)
                x = x.contiguous(memory_format=torch.channels_last)
                with half(dev):
                    z = photo(x, freeze=a.freeze)
                loss_fn(z, per, wt, None, a).backward()
            print(pr.key_averages().table(sort_by="cuda_time_total", row_limit=22, max_name_column_width=60)[:6000])
        sys.exit()
    P = [(0.5, 320, 96), (0.82, 416, 64), (9, 512, 40)]
    L = [(0.5, 256, 160), (0.8, 288, 128), (9, 256, 160)]
    if a.tiny:
        P = [(0.5, 64, 4), (9, 96, 4)]
        L = [(9, 64, 4)]
    r = evaluate(cl(photo).eval(), store, P[-1][1], dev)
    print("start:", show(r), flush=True)
    if a.photo > 0:
        photo = fit(photo, store, W_PHOTO, P, a, dev, a.out, "photo", a.photo, t0, seed=a.seed)
    if a.photo > 0:
        np.savez("photo_now.npz", **photo.to_keras())
    if a.live > 0:
        t = time.time()
        teach(photo, store, dev, (96,) if a.tiny else (512, 640))
        relabel(store, dev)
        print(f"taught in {time.time() - t:.0f}s", flush=True)
        live = Net(**LIVE)
        print(
            "live new:",
            len(
                live.load_keras(
                    {
                        k: v
                        for k, v in photo.to_keras().items()
                        if k.startswith(("Conv1", "bn_Conv1", "expanded", "block_"))
                    }
                )
            ),
        )
        if a.live_start:
            live.load_keras(dict(np.load(a.live_start)))
        b = copy.copy(a)
        b.lr = a.lr * 1.6
        b.enc = 0.5
        b.edge = 1.0
        fit(cl(frozen(live)), store, W_LIVE, L, b, dev, a.out, "live", a.live, t0, tea=True, seed=a.seed + 1)
    print(f"all in {time.time() - t0:.0f}s")
