"""Writes block configurations that Vela's npu_find_block_configs allows, for TestBlocksAreVelas.

Usage: python blocks.py OUT [CASES [SEED]]

A line is a case: target, operation, its numbers, how many configurations there are, and the CRC-32 of their sorted list "HxWxD;HxWxD;...".
"""
import random
import sys
import zlib

from ethosu.vela import api

TARGETS = {"ethos-u55-32": "Ethos_U55_32", "ethos-u55-64": "Ethos_U55_64", "ethos-u55-128": "Ethos_U55_128", "ethos-u55-256": "Ethos_U55_256",
           "ethos-u65-256": "Ethos_U65_256", "ethos-u65-512": "Ethos_U65_512"}


def feature_map(shape, bits):
    f = api.NpuFeatureMap()
    f.shape = api.NpuShape3D(*shape)
    f.data_type = {8: api.NpuDataType.INT8, 16: api.NpuDataType.INT16, 32: api.NpuDataType.INT32}[bits]
    f.quantization = api.NpuQuantization(1.0, 0)
    return f


def case(rng):
    target = rng.choice(list(TARGETS))
    kind = rng.choice(["conv", "conv", "part", "depthwise", "max", "average", "sum", "add", "scalar", "abs"])
    side = lambda: rng.choice([1, 2, 3, 5, 7, 8, 12, 16, 25, 32, 49, 64, 96])
    depth = lambda: rng.choice([1, 2, 3, 4, 8, 10, 16, 17, 24, 32, 48, 64, 80, 128, 200, 256])
    h, w, d = side(), side(), depth()
    kh = kw = sy = sx = dy = dx = 1
    upscale = 0
    bits = rng.choice([8, 8, 8, 16])
    window = kind in ("conv", "part", "depthwise", "max", "average")
    if window:
        kh, kw = rng.choice([(1, 1), (1, 1), (3, 3), (3, 3), (5, 5), (1, 3), (3, 1), (7, 7), (2, 2), (9, 4), (1, 16)])
        sy, sx = rng.choice([(1, 1), (1, 1), (2, 2), (3, 1), (1, 2)])
        if kind in ("conv", "part", "depthwise"):
            dy, dx = rng.choice([(1, 1), (1, 1), (1, 1), (2, 2), (1, 2)])
        upscale = rng.choice([0, 0, 0, 1, 2]) if (sy, sx) == (1, 1) else 0
    if kind in ("add", "abs", "sum"):
        bits = rng.choice([8, 16, 32])
    ic = d
    if kind in ("conv", "part", "sum"):
        ic = depth()
    if kind == "sum":
        d = 1
    if kind in ("add", "abs", "scalar"):
        upscale = 0
    table = rng.random() < 0.3
    op = {"conv": api.NpuConv2DOperation, "part": api.NpuConv2DOperation, "depthwise": api.NpuConvDepthWiseOperation,
          "max": lambda: api.NpuPoolingOperation(api.NpuPoolingOp.MAX), "average": lambda: api.NpuPoolingOperation(api.NpuPoolingOp.AVERAGE),
          "sum": lambda: api.NpuPoolingOperation(api.NpuPoolingOp.REDUCE_SUM), "add": lambda: api.NpuElementWiseOperation(api.NpuElementWiseOp.ADD),
          "scalar": lambda: api.NpuElementWiseOperation(api.NpuElementWiseOp.ADD), "abs": lambda: api.NpuElementWiseOperation(api.NpuElementWiseOp.ABS)}[kind]()
    op.ofm = feature_map((h, w, d), min(bits, 16))
    ih, iw = (h - 1) * sy + (kh - 1) * dy + 1, (w - 1) * sx + (kw - 1) * dx + 1
    op.ifm = feature_map((-(-ih // 2) if upscale else ih, -(-iw // 2) if upscale else iw, ic), bits)
    op.ifm_upscale = [api.NpuResamplingMode.NONE, api.NpuResamplingMode.NEAREST, api.NpuResamplingMode.TRANSPOSE][upscale]
    op.kernel = api.NpuKernel(kw, kh, sx, sy, dx, dy)
    if kind == "conv":
        op.block_traversal = api.NpuBlockTraversal.DEPTH_FIRST
    if kind == "add":
        op.ifm2 = feature_map((h, w, d), bits)
    if kind == "scalar":
        op.ifm2, op.ifm2_scalar = feature_map((1, 1, 1), bits), 3.0
    if table:
        op.activation = api.NpuActivation(api.NpuActivationOp.TABLE_LOOKUP)
    try:
        found = api.npu_find_block_configs(op, getattr(api.NpuAccelerator, TARGETS[target]))
    except AssertionError:
        found = []
    text = ";".join("%dx%dx%d" % tuple(c) for c in sorted(tuple(c) for c in found))
    numbers = (h, w, d, ic, bits, kh, kw, sy, sx, dy, dx, upscale, int(table))
    return "%s %s %s %d %08x" % (target, kind, " ".join(map(str, numbers)), len(found), zlib.crc32(text.encode()))


def main():
    count, seed = int(sys.argv[2]) if len(sys.argv) > 2 else 300, int(sys.argv[3]) if len(sys.argv) > 3 else 1
    rng = random.Random(seed)
    with open(sys.argv[1], "w") as f:
        f.write("# by blocks.py, with Vela 5.2.0: target operation, output H W D, input depth, bits, kernel H W, stride Y X, dilation Y X, upscaling, table; count, CRC-32\n")
        for _ in range(count):
            f.write(case(rng) + "\n")


main()
