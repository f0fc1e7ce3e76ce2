"""Draws docs/pictures/architecture.svg, the network of recipes/photo.toml: `python docs/hooks/figure.py`."""

from __future__ import annotations

from html import escape
from pathlib import Path

from standout.workshop.config import ModelOptions, load_config

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "pictures" / "architecture.svg"

_STYLE = """
  text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #28282c }
  text { text-anchor: middle; dominant-baseline: central }
  .title { font-weight: 700; font-size: 14px }
  .note { text-anchor: start; fill: #5a5a62 }
  .small { font-size: 11px; fill: #5a5a62 }
  rect { rx: 5px; stroke: #5f7d9c; fill: #e8eff6 }
  .page { fill: #ffffff; stroke: none }
  .encoder { fill: #cfe0f1 }
  .pyramid { fill: #fbe3d6; stroke: #c98a63 }
  .join { fill: #ffffff }
  .data { fill: #f4f4f1; stroke: #9a9a94 }
  path { fill: none; stroke: #46515c; stroke-width: 1.5; marker-end: url(#head) }
"""


def _box(x: int, y: int, width: int, height: int, text: str, kind: str = "") -> str:
    lines = text.split("\n")
    first = y + height / 2 - 8 * (len(lines) - 1)
    words = "".join(
        f'<text x="{x + width / 2:g}" y="{first + 16 * i:g}">{escape(line)}</text>' for i, line in enumerate(lines)
    )
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}"/>{words}'


def _arrow(*points: tuple[int, int]) -> str:
    return f'<path d="M{" L".join(f"{x} {y}" for x, y in points)}"/>'


def _text(x: int, y: int, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(words)}</text>'


def architecture(config: ModelOptions) -> str:
    """The network as an SVG, after figure 2 of arXiv 1802.02611, with the numbers of `config`."""
    return "\n".join([
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 910 500" role="img">',
        "<title>DeepLabV3+ as Standout builds it</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<polygon points="0,0 8,4 0,8" fill="#46515c"/></marker></defs>',
        '<rect class="page" width="910" height="500"/>',
        *_encoder(config), *_pyramid(config), *_decoder(config),
        _text(24, 452, "The bundled model runs this at the picture's size and at half of it,", "note"),
        _text(24, 472, "and fills what it sees there of large people.", "note"),
        "</svg>\n",
    ])  # fmt: skip


def _encoder(config: ModelOptions) -> list[str]:
    last = config.output_stride
    stages = ((160, 150, "2"), (246, 120, "4"), (332, 90, "8"), (418, 64, f"{last}"))
    name = config.encoder.replace("mobilenet_v2", "MobileNetV2").replace("efficientnet_lite0", "EfficientNet-Lite0")
    boxes = [_box(x, 125 - height // 2, 62, height, f"stride\n{stride}", "encoder") for x, height, stride in stages]
    return [
        _text(320, 24, f"Encoder: {name}", "title"),
        _box(20, 90, 100, 70, "photo\nuint8 RGB", "data"), _arrow((120, 125), (160, 125)),
        *boxes, *(_arrow((x + 62, 125), (x + 86, 125)) for x, _, _ in stages[:3]),
    ]  # fmt: skip


def _pyramid(config: ModelOptions) -> list[str]:
    rates = [rate * 16 // config.output_stride for rate in config.rates]
    names = ["1×1", *(f"separable 3×3, rate {rate}" for rate in rates), "mean of the picture, 1×1"]
    drawn = [_text(630, 24, f"ASPP, {config.aspp_channels} channels each", "title")]
    for i, name in enumerate(names):
        y = 125 - 18 * len(names) + 4 + 36 * i
        drawn += [_box(535, y, 180, 28, name, "pyramid"), _arrow((480, 125), (508, 125), (508, y + 14), (535, y + 14))]
        drawn.append(_arrow((715, y + 14), (740, y + 14)))
    top, height = 125 - 18 * len(names) + 4, 36 * len(names) - 8
    drawn += [_box(740, top, 54, height, "concat", "join"), _arrow((794, 125), (812, 125))]
    return [*drawn, _box(812, 101, 84, 48, f"1×1\n{config.aspp_channels}", "pyramid")]


def _decoder(config: ModelOptions) -> list[str]:
    up = config.output_stride // 4
    drawn = [
        _text(120, 318, "Decoder", "title"),
        _box(236, 294, 82, 48, f"1×1\n{config.low_level_channels}"), _arrow((277, 185), (277, 294)),
        _box(335, 240, 120, 32, f"upsample ×{up}"), _arrow((854, 149), (854, 256), (455, 256)),
        _arrow((395, 272), (395, 304)), _arrow((318, 318), (368, 318)),
        _box(368, 304, 54, 28, "concat", "join"), _arrow((422, 318), (436, 318)),
        _box(436, 294, 132, 48, f"2 × separable 3×3\n{config.decoder_channels}"),
    ]  # fmt: skip
    if config.refine_channels:
        drawn += [
            _arrow((568, 318), (592, 318)), _box(592, 294, 100, 48, f"1×1, {config.refine_channels}\nupsample ×2"),
            _arrow((692, 318), (712, 318)), _box(712, 304, 54, 28, "concat", "join"),
            _arrow((191, 200), (191, 392), (739, 392), (739, 332)), _arrow((766, 318), (786, 318)),
            _box(786, 294, 104, 48, f"3×3, {config.refine_channels}\n1×1 → logit"), _arrow((838, 342), (838, 366)),
        ]  # fmt: skip
    else:
        drawn += [_arrow((568, 318), (786, 318)), _box(786, 294, 104, 48, "1×1 → logit")]
        drawn.append(_arrow((838, 342), (838, 366)))
    scale = 2 if config.refine_channels else 4
    return [
        *drawn, _box(776, 366, 124, 40, f"upsample ×{scale}\nsigmoid"), _arrow((838, 406), (838, 438)),
        _box(776, 438, 124, 44, "alpha\nfloat32, 0 … 1", "data"),
        _text(470, 410, "stride 2: the edges that users see first", "small"),
    ]  # fmt: skip


if __name__ == "__main__":
    FILE.write_text(architecture(load_config(ROOT / "recipes" / "photo.toml").model), "utf-8")
