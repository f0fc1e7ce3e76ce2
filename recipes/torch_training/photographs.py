"""All photographs on the device; a batch is sampled, warped, composed, re-lit there."""

import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch
import torch.nn.functional as F

SIDE = 512
CLEAN = {"portraits", "street", "classroom", "everyday", "coco"}  # masks good enough to change the background by
FULL = {"cutouts", "street", "streetmen"}  # whole people: may be pasted anywhere
EMPTY = {"nobody", "rooms"}
FINE = {}


def decode(item):
    s, stem, img, lab = item
    im = cv2.imdecode(np.frombuffer(img, np.uint8), 1)[..., ::-1]
    h, w = im.shape[:2]
    if max(h, w) > SIDE:
        k = SIDE / max(h, w)
        h, w = round(h * k), round(w * k)
        im = cv2.resize(im, (w, h), interpolation=cv2.INTER_AREA)
    c = np.zeros((SIDE, SIDE, 3), np.uint8)
    c[:h, :w] = im
    p = np.zeros((SIDE, SIDE), np.uint8)
    u = np.zeros((SIDE, SIDE), np.uint8)
    if lab is not None:
        m = cv2.imdecode(np.frombuffer(lab, np.uint8), 0)
        if s in ("portraits", "cutouts"):
            p[:h, :w] = cv2.resize(m, (w, h), interpolation=cv2.INTER_LINEAR)
        else:
            p[:h, :w] = cv2.resize(np.where(m > 192, 255, 0).astype(np.uint8), (w, h), interpolation=cv2.INTER_LINEAR)
            u[:h, :w] = cv2.resize(
                np.where((m > 64) & (m < 192), 255, 0).astype(np.uint8), (w, h), interpolation=cv2.INTER_LINEAR
            )
    on = np.argwhere((p > 127) | (u > 127)) if lab is not None else np.zeros((0, 2))
    box = (on[:, 0].min(), on[:, 0].max() + 1, on[:, 1].min(), on[:, 1].max() + 1) if len(on) else (0, h, 0, w)
    return s, stem, c, p, u, (h, w), box


class Store:
    def __init__(self, files, dev, limit=0):
        items = []
        for f in files:
            items += pickle.load(open(f, "rb"))
        if limit:
            items = items[:: max(1, len(items) // limit)]
        n = len(items)
        self.n, self.dev = n, dev
        self.img = np.empty((n, SIDE, SIDE, 3), np.uint8)
        self.per = np.empty((n, SIDE, SIDE), np.uint8)
        self.uns = np.empty((n, SIDE, SIDE), np.uint8)
        self.set, self.stem = [None] * n, [None] * n
        hw = np.zeros((n, 2), np.float32)
        box = np.zeros((n, 4), np.float32)

        def put(i):
            s, st, c, p, u, (h, w), b = decode(items[i])
            self.img[i], self.per[i], self.uns[i] = c, p, u
            self.set[i], self.stem[i] = s, st
            hw[i] = h, w
            box[i] = b

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(put, range(n)))

        def t(a):
            return torch.from_numpy(a).to(dev)

        self.img, self.per, self.uns, self.hw, self.box = t(self.img), t(self.per), t(self.uns), t(hw), t(box)
        self.hw_np, self.box_np = hw, box
        self.set = np.array(self.set)
        self.tea = None
        self.held = np.zeros(n, bool)
        rng = np.random.default_rng(5)
        for s in sorted(set(self.set)):
            if s == "cutouts":
                continue
            idx = np.flatnonzero(self.set == s)
            if s == "webcam":  # by person and room
                who = np.array([self.stem[i].split("_")[0] for i in idx])
                ws = sorted(set(who))
                pick = set(rng.choice(ws, max(1, len(ws) // 12), replace=False))
                self.held[idx[[w in pick for w in who]]] = True
            elif s in ("judged_portraits", "judged_close", "judged_mixed", "judged_coco"):
                pass
            else:
                self.held[rng.choice(idx, max(1, int(len(idx) * 0.06)), replace=False)] = True


class Sampler:
    def __init__(self, store, weights, seed=0):
        self.s = store
        self.rng = np.random.default_rng(seed)
        w = np.array([weights.get(s, 1.0) for s in store.set]) * ~store.held
        self.p = w / w.sum()

        def pick(sets):
            return np.flatnonzero(np.isin(store.set, list(sets)) & ~store.held)

        self.empty, self.full = pick(EMPTY), pick(FULL)
        self.finest = np.array([FINE.get(s, 1.0) for s in store.set], np.float32)
        self.clean = np.isin(store.set, list(CLEAN))
        self.hasp = ~np.isin(store.set, list(EMPTY))

    def warp(self, idx, S, zoom=None, tea=False):
        """(image in [0,1] (B,3,S,S), person, weight, teacher or None) of photographs idx under random affine maps."""
        r, st, dev = self.rng, self.s, self.s.dev
        B = len(idx)
        hw = st.hw_np[idx]
        box = st.box_np[idx]
        m = hw.max(1)
        whole = r.random(B) < (0.38 if zoom is None else zoom)
        side = np.where(whole, m * r.uniform(0.98, 1.12, B), m * np.exp(r.uniform(np.log(0.33), np.log(1.0), B)))
        far = r.random(B) < 0.06
        side = np.where(far, m * r.uniform(1.2, 2.0, B), side)
        cy = r.uniform(box[:, 0], box[:, 1])
        cx = r.uniform(box[:, 2], box[:, 3])
        # keep the crop inside the photograph where it fits, else center the photograph
        half = side / 2

        def fit(c, n):
            return np.where(
                side >= n,
                n / 2 + r.uniform(-0.02, 0.02, B) * n,
                np.clip(c, np.minimum(half, n / 2), np.maximum(n - half, n / 2)),
            )

        cy, cx = fit(cy, hw[:, 0]), fit(cx, hw[:, 1])
        ang = np.where(r.random(B) < 0.5, 0, r.normal(0, 6, B))
        ang = np.where(r.random(B) < 0.04, r.uniform(-40, 40, B), ang) * math.pi / 180
        asp = np.exp(np.where(r.random(B) < 0.6, 0, r.normal(0, 0.12, B)))
        flip = np.where(r.random(B) < 0.5, -1.0, 1.0)
        sx, sy = half * np.sqrt(asp) * flip, half / np.sqrt(asp)
        A = np.stack([np.cos(ang) * sx, -np.sin(ang) * sy, cx, np.sin(ang) * sx, np.cos(ang) * sy, cy], 1).astype(
            np.float32
        )
        if dev == "cpu":
            return self._warp_cpu(A, idx, S, tea)
        A = torch.from_numpy(A).to(dev).view(B, 2, 3)
        k = 2 if float(np.median(side)) / S > 1.15 else 1
        g = (torch.arange(S * k, device=dev, dtype=torch.float32) + 0.5) / (S * k) * 2 - 1
        gy, gx = torch.meshgrid(g, g, indexing="ij")
        xy = torch.stack([gx, gy, torch.ones_like(gx)], -1).view(1, -1, 3) @ A.transpose(
            1, 2
        )  # pixels of the photograph
        X, Y = xy[..., 0].view(B, S * k, S * k), xy[..., 1].view(B, S * k, S * k)
        H, W = st.hw[idx][:, 0].view(B, 1, 1), st.hw[idx][:, 1].view(B, 1, 1)
        inside = ((X >= 0) & (X <= W) & (Y >= 0) & (Y <= H)).float()[:, None]
        X, Y = torch.minimum(X.clamp(min=0.5), W - 0.5), torch.minimum(Y.clamp(min=0.5), H - 0.5)
        grid = torch.stack([X, Y], -1) / SIDE * 2 - 1
        it = torch.as_tensor(idx, device=dev)
        planes = [st.img[it].permute(0, 3, 1, 2).float(), st.per[it][:, None].float(), st.uns[it][:, None].float()]
        if tea:
            planes.append(st.tea[it][:, None].float())
        x = F.grid_sample(torch.cat(planes, 1) / 255, grid, mode="bilinear", padding_mode="border", align_corners=False)
        fillv = 127 / 255
        img = x[:, :3] * inside + fillv * (1 - inside)
        per = x[:, 3:4] * inside
        wt = (1 - x[:, 4:5]) * inside
        t = x[:, 5:6] * inside if tea else None
        if k == 2:
            img, per, wt, inside = (F.avg_pool2d(v, 2) for v in (img, per, wt, inside))
            t = F.avg_pool2d(t, 2) if tea else None
        return img, per, wt, t, inside

    def _warp_cpu(self, A, idx, S, tea):
        """The same by OpenCV, which takes a tenth of grid_sample's time on a processor; no smaller steps in between, so
        the photographs should be kept at not much more than S pixels (SIDE)."""
        st, s = self.s, 2 / S
        o = s / 2 - 1
        how = dict(dsize=(S, S), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT)
        samples = []
        for a, i in zip(A, idx, strict=True):
            M = a.reshape(2, 3).astype(np.float64)
            M = np.stack([M[:, 0] * s, M[:, 1] * s, (M[:, 0] + M[:, 1]) * o + M[:, 2] - 0.5], 1)
            h, w = st.hw_np[i].astype(int)
            planes = [st.per[i], st.uns[i], (st.tea if tea else st.per)[i]]
            planes = np.dstack([p.numpy()[:h, :w] for p in planes] + [np.full((h, w), 255, np.uint8)])
            image = cv2.warpAffine(st.img[i].numpy()[:h, :w], M, borderValue=(127, 127, 127), **how)
            samples.append(np.dstack([image, cv2.warpAffine(planes, M, borderValue=0, **how)]))
        x = torch.from_numpy(np.stack(samples)).permute(0, 3, 1, 2).float() / 255
        inside = (x[:, 6:7] > 0.5).float()
        img = x[:, :3] * inside + 127 / 255 * (1 - inside)
        return img, x[:, 3:4] * inside, (1 - x[:, 4:5]) * inside, x[:, 5:6] * inside if tea else None, inside

    def noise(self, B, n, S):
        z = torch.randn(B, 1, n, n, device=self.s.dev)
        return F.interpolate(z, size=(S, S), mode="bicubic", align_corners=False)

    def batch(self, B, S, tea=False):  # noqa: PLR0915 - one change of the scene after the other
        r, st, dev = self.rng, self.s, self.s.dev
        idx = r.choice(st.n, B, p=self.p)
        img, per, wt, t, inside = self.warp(idx, S, tea=tea)
        self.fine = torch.from_numpy(self.finest[idx]).to(dev).view(B, 1, 1, 1)

        def u(lo, hi, *sh):
            return torch.empty(B, *(sh or (1, 1, 1)), device=dev).uniform_(lo, hi)

        def coin(p):
            return (torch.rand(B, 1, 1, 1, device=dev) < p).float()

        hasp = torch.from_numpy(self.hasp[idx]).to(dev).view(B, 1, 1, 1).float()
        clean = (
            torch.from_numpy(self.clean[idx]).to(dev).view(B, 1, 1, 1).float()
            * (wt.sum((1, 2, 3), keepdim=True) >= 0.985 * inside.sum((1, 2, 3), keepdim=True)).float()
        )
        # ---- textures: crops of any photographs
        tex, *_ = self.warp(r.choice(st.n, B), S, zoom=0.0)
        # ---- another background behind the person
        bg, _, _, _, bin_ = self.warp(r.choice(self.empty, B), S, zoom=0.1)
        soft = F.avg_pool2d(F.pad(per, (1, 1, 1, 1), mode="replicate"), 3, 1)
        soft = (soft * 1.6 - 0.6).clamp(0, 1) * (per > 0.02)  # the edge drawn in: no halo of the old background
        sel = coin(0.22) * clean * hasp * (bin_.mean((1, 2, 3), keepdim=True) > 0.98)
        comp = img * soft * u(0.8, 1.2) + bg * (1 - soft)
        img = torch.where((sel > 0) & (inside > 0.5), comp.clamp(0, 1), img)
        per = torch.where(sel > 0, soft, per)
        if tea:
            t = torch.where(sel > 0, torch.minimum(t, (soft * 1.5).clamp(0, 1)), t)
        # ---- more people (and people on nobody's pictures)
        pimg, pper, _, pt, _ = self.warp(r.choice(self.full, B), S, zoom=0.7, tea=tea)
        ps = F.avg_pool2d(F.pad(pper, (1, 1, 1, 1), mode="replicate"), 3, 1)
        ps = (ps * 1.6 - 0.6).clamp(0, 1)
        sel = coin(0.10) * inside
        ps = ps * sel
        img = pimg * ps * 1.0 + img * (1 - ps)
        per = torch.maximum(per, ps)
        wt = torch.maximum(wt, (ps > 0.5).float() * inside)
        if tea:
            t = torch.maximum(t, ps)
        # ---- clothes: recolored or retextured below a line, keeping folds (luminance)
        lum = (img * torch.tensor([0.3, 0.59, 0.11], device=dev).view(1, 3, 1, 1)).sum(1, keepdim=True)
        ys = torch.arange(S, device=dev, dtype=torch.float32).view(1, 1, S, 1)
        has = per.amax((1, 2, 3), keepdim=True) > 0.5
        rows = per.amax(3, keepdim=True) > 0.5
        top = torch.where(rows, ys, torch.full_like(ys, 1e6)).amin((2, 3), keepdim=True)
        bot = torch.where(rows, ys, -torch.ones_like(ys)).amax((2, 3), keepdim=True)
        line = top + (bot - top) * u(0.12, 0.75)
        region = torch.sigmoid((ys - line + self.noise(B, 4, S) * S * 0.04) / 2) * per
        color = torch.rand(B, 3, 1, 1, device=dev)
        color = torch.where(coin(0.25) > 0, color.mean(1, keepdim=True).expand(-1, 3, -1, -1) * u(0.1, 1.0), color)
        fr = u(2, 40)
        ph = torch.rand(B, 1, 1, 1, device=dev) * math.pi
        xs = torch.arange(S, device=dev, dtype=torch.float32).view(1, 1, 1, S)
        wave = torch.sin((xs * torch.cos(ph) + ys * torch.sin(ph)) * fr * 2 * math.pi / S) > 0
        pattern = torch.where(wave, color, torch.rand(B, 3, 1, 1, device=dev))
        kind = torch.rand(B, 1, 1, 1, device=dev)
        new = torch.where(kind < 0.55, color.expand_as(img), torch.where(kind < 0.78, tex, pattern))
        mean = (lum * region).sum((1, 2, 3), keepdim=True) / region.sum((1, 2, 3), keepdim=True).clamp(min=1)
        new = (new * (lum / mean.clamp(min=0.05)).clamp(0.1, 2.5) ** u(0.3, 1.0)).clamp(0, 1)
        sel = coin(0.28) * hasp * has.float() * u(0.6, 1.0)
        img = img + (new - img) * region * sel

        # ---- a badge, a logo, a lanyard: part of the clothes
        def blob(lo, hi):
            cy = line + (bot - line).clamp(min=1) * u(0, 1)
            per.sum(2, keepdim=True)
            cx = (xs * per).sum((2, 3), keepdim=True) / per.sum((2, 3), keepdim=True).clamp(min=1) + u(-0.25, 0.25) * S
            a = torch.rand(B, 1, 1, 1, device=dev) * math.pi
            rx, ry = u(lo, hi) * S, u(lo, hi) * S
            dx, dy = xs - cx, ys - cy
            X, Y = dx * torch.cos(a) + dy * torch.sin(a), -dx * torch.sin(a) + dy * torch.cos(a)
            q = torch.where(coin(0.6) > 0, torch.full_like(rx, 8.0), torch.full_like(rx, 2.0))
            return (((X / rx).abs() ** q + (Y / ry).abs() ** q) < 1).float()

        sel = coin(0.12) * hasp * has.float()
        b = blob(0.01, 0.10) * per * sel
        img = img * (1 - b) + torch.where(coin(0.5) > 0, tex, color.expand_as(img)) * b
        # ---- an object held in front, across the outline: no person
        sel = coin(0.07) * hasp * has.float() * clean
        near = blob(0.04, 0.14)
        cross = (near * (per > 0.5)).sum((1, 2, 3), keepdim=True) / near.sum((1, 2, 3), keepdim=True).clamp(min=1)
        b = near * sel * ((cross > 0.15) & (cross < 0.8)).float() * inside
        img = img * (1 - b) + torch.where(coin(0.6) > 0, tex, torch.rand(B, 3, 1, 1, device=dev).expand_as(img)) * b
        per = per * (1 - b)
        wt = torch.maximum(wt, b)
        if tea:
            t = t * (1 - b)
        img = self.light(img, per)
        img = torch.where(inside > 0.5, img, torch.full_like(img, 127 / 255))
        img = (img * 255).round().clamp(0, 255) / 255
        return img, per, wt, t

    def light(self, img, per):
        B, _, S, _ = img.shape
        dev = img.device

        def u(lo, hi):
            return torch.empty(B, 1, 1, 1, device=dev).uniform_(lo, hi)

        def coin(p):
            return (torch.rand(B, 1, 1, 1, device=dev) < p).float()

        g = F.interpolate(torch.randn(B, 1, 3, 3, device=dev), size=(S, S), mode="bicubic", align_corners=False)
        img = img * (1 + coin(0.3) * u(0, 0.35) * g).clamp(0.2, 2.5)  # uneven light
        img = img * (1 + coin(0.10) * (u(-0.7, 0.1) * per + u(0, 0.8) * (1 - per)))  # backlight
        glow = torch.stack([u(0.7, 1.0), u(0.85, 1.05), u(1.0, 1.4)], 1).view(B, 3, 1, 1)
        img = img * (1 + coin(0.05) * (glow - 1) * (0.3 + per * 0.7))  # screen glow
        img = img.clamp(0, 1.3)
        img = img.clamp(min=1e-4) ** torch.exp(coin(0.5) * u(-0.6, 0.6))  # gamma
        img = (img - 0.5) * (1 + coin(0.5) * u(-0.35, 0.35)) + 0.5 + coin(0.5) * u(-0.18, 0.18)
        gain = 1 + coin(0.5) * torch.empty(B, 3, 1, 1, device=dev).uniform_(-0.2, 0.2)
        img = img * gain
        gray = img.mean(1, keepdim=True)
        sat = torch.where(coin(0.06) > 0, torch.zeros_like(gray[:, :, :1, :1]), 1 + coin(0.5) * u(-0.6, 0.6))
        img = gray + (img - gray) * sat
        dim = coin(0.10)
        img = img * (1 - dim * u(0.4, 0.85))  # a dark room …
        sigma = coin(0.35) * u(0, 0.04) + dim * u(0.01, 0.06)
        img = img + torch.randn_like(img) * sigma  # … and its noise
        k = int(self.rng.integers(2, 4))
        small = F.interpolate(F.avg_pool2d(img, k, ceil_mode=True), size=(S, S), mode="bilinear", align_corners=False)
        img = torch.where(coin(0.15) > 0, small, img)
        if S % 8 == 0:  # JPEG of a cheap camera
            D = self.dct(dev)
            q = coin(0.2) * torch.exp(u(math.log(0.02), math.log(0.25)))
            ramp = (torch.arange(8, device=dev).view(8, 1) + torch.arange(8, device=dev).view(1, 8) + 2).float() / 8
            x = img.view(B, 3, S // 8, 8, S // 8, 8)
            c = torch.einsum("ij,bcyjxk,lk->bcyixl", D, x, D)
            step = (q.view(B, 1, 1, 1, 1, 1) * ramp.view(1, 1, 1, 8, 1, 8)).clamp(min=1e-6)
            c = torch.where(q.view(B, 1, 1, 1, 1, 1) > 0, (c / step).round() * step, c)
            img = torch.einsum("ji,bcyjxk,kl->bcyixl", D, c, D).reshape(B, 3, S, S)
        return img.clamp(0, 1)

    def dct(self, dev):
        if not hasattr(self, "_d"):
            k = torch.arange(8, dtype=torch.float32)
            D = torch.cos((2 * k.view(1, 8) + 1) * k.view(8, 1) * math.pi / 16) * 0.5
            D[0] /= math.sqrt(2)
            self._d = D.to(dev)
        return self._d
