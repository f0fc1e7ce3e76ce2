"""depthwise_cpu.cpp for PyTorch: built by the first call, into a folder of this process."""

import ctypes
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F


@cache
def library() -> ctypes.CDLL:
    file = Path(tempfile.mkdtemp(prefix="depthwise-")) / "libdepthwise.so"
    source = Path(__file__).with_suffix(".cpp")
    subprocess.run(
        ["g++", "-O3", "-march=native", "-fopenmp", "-shared", "-fPIC", str(source), "-o", str(file)], check=True
    )
    return ctypes.CDLL(str(file))


def _at(tensor: torch.Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())


class Depthwise(torch.autograd.Function):
    """x (N, C, H, W) in any type, weight (C, 1, K, K), dilation -> y bfloat16 (N, C, H, W), padded with zeros."""

    @staticmethod
    def forward(ctx, x, weight, dilation):
        n, channels, h, w = x.shape
        kernel = weight.shape[2]
        pad = (kernel - 1) * dilation // 2
        x = x.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
        taps = weight.detach().float().reshape(channels, kernel * kernel).t().contiguous()
        y = torch.empty_like(x, memory_format=torch.channels_last)
        ctx.sizes = (n, h, w, channels, kernel, dilation, pad)
        library().dw_fwd(_at(x), _at(taps), _at(y), *ctx.sizes, 0, torch.get_num_threads())
        ctx.save_for_backward(x, taps)
        return y

    @staticmethod
    def backward(ctx, gradient):
        x, taps = ctx.saved_tensors
        channels, kernel = ctx.sizes[3:5]
        gradient = gradient.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            of_x = torch.empty_like(x, memory_format=torch.channels_last)
            library().dw_fwd(_at(gradient), _at(taps), _at(of_x), *ctx.sizes, 1, torch.get_num_threads())
        if ctx.needs_input_grad[1]:
            sums = torch.zeros(kernel * kernel, channels)
            library().dw_wgr(_at(x), _at(gradient), _at(sums), *ctx.sizes, torch.get_num_threads())
            of_weight = sums.t().reshape(channels, 1, kernel, kernel).contiguous()
        return of_x, of_weight, None


def depthwise(x, weight, bias, stride, pad, dilation):
    """For `network.DEPTHWISE`."""
    ours = stride == 1 and x.shape[1] % 16 == 0 and weight.shape[2] in (3, 5) and torch.is_autocast_enabled("cpu")
    if not ours:
        return F.conv2d(x, weight, bias, stride, pad, dilation, x.shape[1])
    y = Depthwise.apply(x, weight, dilation)
    return y if bias is None else y + bias.to(y.dtype).view(1, -1, 1, 1)
