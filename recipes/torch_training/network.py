"""The network of `standout.workshop.model.deeplab` in PyTorch: the same layers under the same names.

Weights go in and out as {layer/variable: array} in Keras' layout; on a random picture both agree to 7e-6 in the logits.
The encoder's batch-norm, which never learns from batches, is folded into the convolutions' weights and biases.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

EPS = 1e-3
#: MobileNetV2: expansion, channels, repeats, stride of each row (arXiv 1801.04381, table 2).
TABLE = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


class Conv(nn.Module):
    """Convolution with TensorFlow's 'same' padding for even sizes."""

    def __init__(self, cin, cout, k=1, stride=1, dil=1, groups=1, bias=True):
        super().__init__()
        self.k, self.stride, self.dil, self.groups = k, stride, dil, groups
        self.weight = nn.Parameter(torch.empty(cout, cin // groups, k, k))
        nn.init.kaiming_normal_(self.weight)
        self.bias = nn.Parameter(torch.zeros(cout)) if bias else None

    def forward(self, x):
        p = 0
        if self.k > 1:
            total = (self.k - 1) * self.dil + 1 - self.stride
            if self.stride == 2:
                a = max(0, total) // 2
                b = max(0, total) - a
                x = F.pad(x, (a, b, a, b))
            else:
                p = total // 2
        if self.groups > 1 and self.groups == x.shape[1] and DEPTHWISE is not None:
            return DEPTHWISE(x, self.weight, self.bias, self.stride, p, self.dil)
        if self.dil == 2 and self.groups == x.shape[1] and x.shape[2] % 2 == x.shape[3] % 2 == 0 and not x.is_cuda:
            return self._by_phases(x)
        return F.conv2d(x, self.weight, self.bias, self.stride, p, self.dil, self.groups)

    def _by_phases(self, x):
        """A depthwise convolution of dilation 2 as one without dilation on the four pictures of every second pixel: the
        same numbers; oneDNN's gradient of a dilated one takes six times as long on a processor."""
        b, c, h, w = x.shape
        y = x.permute(0, 2, 3, 1).reshape(b, h // 2, 2, w // 2, 2, c).permute(0, 2, 4, 1, 3, 5)
        y = y.reshape(b * 4, h // 2, w // 2, c).permute(0, 3, 1, 2)
        y = F.conv2d(y, self.weight, self.bias, 1, 1, 1, self.groups)
        y = y.permute(0, 2, 3, 1).reshape(b, 2, 2, h // 2, w // 2, c).permute(0, 3, 1, 4, 2, 5)
        return y.reshape(b, h, w, c).permute(0, 3, 1, 2)


#: Set to `depthwise.depthwise` on a GPU: (x, weight, bias, stride, padding, dilation) -> y.
DEPTHWISE = None


class Net(nn.Module):
    """DeepLabV3+ as `workshop.config.ModelOptions` describes it; NCHW, RGB in [0, 1] to logits (B, 1, H, W)."""

    def __init__(  # noqa: C901, PLR0915 - the network's table, layer by layer
        self,
        output_stride=16,
        rates=(6, 12, 18),
        aspp=128,
        low=48,
        dec=128,
        refine=24,
        context=0,
        context_blocks=0,
        middle=0,
        refine_sep=False,
    ):
        super().__init__()
        self.cfg = dict(
            output_stride=output_stride,
            rates=rates,
            aspp=aspp,
            low=low,
            dec=dec,
            refine=refine,
            context=context,
            context_blocks=context_blocks,
            middle=middle,
            refine_sep=refine_sep,
        )
        self.c, self.n = nn.ModuleDict(), nn.ModuleDict()  # convolutions, batch-norms of the head
        self.os = output_stride

        def conv(name, *a, **k):
            return self.c.__setitem__(name, Conv(*a, **k))

        # encoder: batch-norm folded into weight and bias
        conv("Conv1", 3, 32, 3, 2)
        self.blocks = []
        cin, stride, dil, b = 32, 2, 1, 0
        for t, ch, rep, st in TABLE:
            step, first = 1, dil
            tap = None
            if st == 2:
                tap = stride
                if stride < output_stride:
                    step, stride = 2, stride * 2
                else:
                    dil *= 2
            for r in range(rep):
                n = f"block_{b}_" if b else "expanded_conv_"
                if t != 1:
                    conv(n + "expand", cin, cin * t)
                conv(
                    n + "depthwise",
                    cin * t,
                    cin * t,
                    3,
                    step if r == 0 else 1,
                    first if r == 0 else dil,
                    groups=cin * t,
                )
                conv(n + "project", cin * t, ch)
                self.blocks.append((n, t != 1, r > 0, tap if r == 0 else None))
                cin = ch
                b += 1

        # head
        def cnr(name, i, o, k=1, **kw):
            self.c[name + "_conv"] = Conv(i, o, k, bias=False, **kw)
            self.n[name + "_norm"] = nn.BatchNorm2d(o, eps=EPS, momentum=0.05)

        def sep(name, i, o, dil=1, k=3):
            self.c[name + "_depthwise"] = Conv(i, i, k, dil=dil, groups=i, bias=False)
            self.n[name + "_depthwise_norm"] = nn.BatchNorm2d(i, eps=EPS, momentum=0.05)
            cnr(name + "_pointwise", i, o)

        self.rates = [r * 16 // output_stride for r in rates]
        self.rate_names = [f"aspp_rate{r}" for r in self.rates]
        cnr("aspp_1x1", 320, aspp)
        for nme, r in zip(self.rate_names, self.rates, strict=False):
            sep(nme, 320, aspp, r)
        conv("aspp_pool_conv", 320, aspp)
        width = aspp * (2 + len(self.rates))
        if context:
            if output_stride == 16:
                self.c["context_down_depthwise"] = Conv(320, 320, 3, 2, groups=320, bias=False)
                self.n["context_down_depthwise_norm"] = nn.BatchNorm2d(320, eps=EPS, momentum=0.05)
            cnr("context_reduce", 320, context)
            for i in range(context_blocks):
                cnr(f"context_{i}_expand", context, context * 4)
                self.c[f"context_{i}_depthwise"] = Conv(context * 4, context * 4, 5, groups=context * 4, bias=False)
                self.n[f"context_{i}_depthwise_norm"] = nn.BatchNorm2d(context * 4, eps=EPS, momentum=0.05)
                self.c[f"context_{i}_project_conv"] = Conv(context * 4, context, bias=False)
                self.n[f"context_{i}_project_norm"] = nn.BatchNorm2d(context, eps=EPS, momentum=0.05)
            width += context
        cnr("aspp_project", width, aspp)
        d = aspp
        if middle:
            cnr("middle_reduce", 96, middle)
            sep("middle", aspp + middle, aspp)
        cnr("decoder_low_level", 24, low)
        sep("decoder_1", d + low, dec)
        sep("decoder_2", dec, dec)
        last = dec
        if refine:
            cnr("refine_reduce", dec, refine)
            (sep if refine_sep else lambda n, i, o: cnr(n, i, o, 3))("refine", refine + 16, refine)
            last = refine
        conv("logits", last, 1)
        self.scale = 2 if refine else 4

    def _cnr(self, x, name, act=True):
        x = self.n[name + "_norm"](self.c[name + "_conv"](x))
        return F.relu(x, inplace=True) if act else x

    def _dw(self, x, name):
        return F.relu(self.n[name + "_norm"](self.c[name](x)), inplace=True)

    def _sep(self, x, name):
        return self._cnr(self._dw(x, name + "_depthwise"), name + "_pointwise")

    def _block(self, x, n, expand, add):
        y = x
        if expand:
            y = F.relu6(self.c[n + "expand"](y), inplace=True)
        y = F.relu6(self.c[n + "depthwise"](y), inplace=True)
        y = self.c[n + "project"](y)
        return x + y if add else y

    def stem(self, x, blocks=3):
        """The first blocks, up to stride 4 (three) or 8 (six); taps 2 and 4."""
        x = F.relu6(self.c["Conv1"](x * 2 - 1), inplace=True)
        taps = {}
        for n, e, a, tap in self.blocks[:blocks]:
            if tap:
                taps[tap] = x
            x = self._block(x, n, e, a)
        return x, taps

    def rest(self, x, taps, blocks=3):
        def up(v, k):
            return F.interpolate(v, scale_factor=k, mode="bilinear", align_corners=False)

        for n, e, a, tap in self.blocks[blocks:]:
            if tap:
                taps[tap] = x
            x = self._block(x, n, e, a)
        f = x
        br = [self._cnr(f, "aspp_1x1")] + [self._sep(f, n) for n in self.rate_names]
        p = F.relu(self.c["aspp_pool_conv"](f.mean((2, 3), keepdim=True)))
        br.append(p.expand(-1, -1, f.shape[2], f.shape[3]))
        if self.cfg["context"]:
            c = self._dw(f, "context_down_depthwise") if self.os == 16 else f
            c = self._cnr(c, "context_reduce")
            for i in range(self.cfg["context_blocks"]):
                y = self._cnr(c, f"context_{i}_expand")
                y = self._dw(y, f"context_{i}_depthwise")
                c = c + self._cnr(y, f"context_{i}_project", act=False)
            br.append(up(c, 2) if self.os == 16 else c)
        x = self._cnr(torch.cat(br, 1), "aspp_project")
        if self.cfg["middle"]:
            x = self._sep(torch.cat([up(x, self.os // 16), self._cnr(taps[16], "middle_reduce")], 1), "middle")
            x = up(x, 4)
        else:
            x = up(x, self.os // 4)
        x = torch.cat([x, self._cnr(taps[4], "decoder_low_level")], 1)
        x = self._sep(self._sep(x, "decoder_1"), "decoder_2")
        if self.cfg["refine"]:
            x = self._cnr(x, "refine_reduce")
            x = (self._sep if self.cfg["refine_sep"] else self._cnr)(torch.cat([up(x, 2), taps[2]], 1), "refine")
        with torch.autocast(x.device.type, enabled=False):
            x = self.c["logits"](x.float())
            return up(x, self.scale)

    def forward(self, x, freeze=0):
        """freeze: encoder stages that take no gradients: 2 up to stride 4, 3 up to stride 8."""
        blocks = 6 if freeze >= 3 else 3
        with torch.set_grad_enabled(torch.is_grad_enabled() and freeze < 2):
            x, taps = self.stem(x, blocks)
        return self.rest(x, taps, blocks)

    # ---- weights as Keras has them
    def load_keras(self, d):  # noqa: C901 - one rule per kind of layer
        """Takes {layer/variable: array}, folding encoder batch-norms; returns the names that were missing."""
        missed = []

        def put(p, a):
            a = torch.from_numpy(np.ascontiguousarray(a))
            if tuple(a.shape) == tuple(p.shape):
                p.data.copy_(a)
                return True
            return False

        for name, m in self.c.items():
            key = name + "/kernel"
            if key not in d:
                missed.append(name)
                continue
            k = np.asarray(d[key], np.float32)
            k = k.transpose(2, 3, 0, 1) if name.endswith("depthwise") else k.transpose(3, 2, 0, 1)
            bn = {"Conv1": "bn_Conv1"}.get(name, name + "_BN")
            if bn + "/gamma" in d:
                f = d[bn + "/gamma"] / np.sqrt(d[bn + "/moving_variance"] + EPS)
                k = k * f[:, None, None, None]
                b = d[bn + "/beta"] - d[bn + "/moving_mean"] * f
                put(m.bias, b)
            elif m.bias is not None:
                put(m.bias, d[name + "/bias"])
            if name == "aspp_project_conv" and k.shape != tuple(m.weight.shape) and k.shape[0] == m.weight.shape[0]:
                m.weight.data[:, k.shape[1] :] *= 0.1
                m.weight.data[:, : k.shape[1]] = torch.from_numpy(np.ascontiguousarray(k))
                missed.append(name + " (grown)")
                continue
            if not put(m.weight, k):
                missed.append(name + " (shape)")
        for name, m in self.n.items():
            if name + "/gamma" not in d:
                missed.append(name)
                continue
            for a, p in (
                ("gamma", m.weight),
                ("beta", m.bias),
                ("moving_mean", m.running_mean),
                ("moving_variance", m.running_var),
            ):
                if not put(p, d[f"{name}/{a}"]):
                    missed.append(name + "/" + a)
        return missed

    def to_keras(self):
        d = {}
        for name, m in self.c.items():
            k = m.weight.detach().float().cpu().numpy()
            d[name + "/kernel"] = np.ascontiguousarray(
                k.transpose(2, 3, 0, 1) if name.endswith("depthwise") else k.transpose(2, 3, 1, 0)
            )
            enc = name == "Conv1" or name.startswith(("expanded_conv", "block_"))
            if m.bias is not None:
                b = m.bias.detach().float().cpu().numpy()
                if enc:
                    bn = {"Conv1": "bn_Conv1"}.get(name, name + "_BN")
                    d[bn + "/gamma"] = np.ones_like(b)
                    d[bn + "/beta"] = b
                    d[bn + "/moving_mean"] = np.zeros_like(b)
                    d[bn + "/moving_variance"] = np.full_like(b, 1 - EPS)
                else:
                    d[name + "/bias"] = b
        for name, m in self.n.items():
            for a, p in (
                ("gamma", m.weight),
                ("beta", m.bias),
                ("moving_mean", m.running_mean),
                ("moving_variance", m.running_var),
            ):
                d[f"{name}/{a}"] = p.detach().float().cpu().numpy()
        return d
