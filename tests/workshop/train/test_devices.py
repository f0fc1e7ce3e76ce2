import pytest

from kits import needs_tensorflow

pytestmark = needs_tensorflow


@pytest.mark.parametrize(
    ("flags", "has"),
    [
        ("fpu avx2 fma avx512f avx512_bf16 avx512_vnni", True),
        ("fpu avx512f amx_bf16 amx_tile", True),
        ("fpu avx2 fma avx512f avx512_vnni", False),
        ("fpu avx2 fma avx512_bf16x", False),
    ],
)
def test_bfloat16_is_used_only_where_the_cpu_multiplies_it(tmp_path, flags, has):
    from standout.workshop.train.devices import _cpu_has_bfloat16

    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert _cpu_has_bfloat16(cpuinfo) is has


def test_an_unknown_machine_keeps_float32(tmp_path):
    from standout.workshop.train.devices import _cpu_has_bfloat16

    assert not _cpu_has_bfloat16(tmp_path / "none")
