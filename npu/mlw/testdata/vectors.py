"""Writes weight streams of Vela's files with what Vela's codec makes of them, for TestVectors.

Usage: python vectors.py OUT.npz FILE.tflite... [--most N]

Needs ethos-u-vela==5.2.0 and numpy==2.4.6. The arrays are stream<i> (uint8), weights<i> (int16: mlw_codec.decode of the stream), and encoded (int32: the
length of mlw_codec.encode of these weights, for each), and net<i>, the name of the first file's folder, if it is in vela/. The same stream in several files
is written once. --most keeps the N shortest streams and
an evenly chosen fifth of N of the others.
The frozen set, made in this folder with the corpus beside the repository:
    python vectors.py vectors.npz $(ls ../../../../shared/corpus/ethosu/*/vela/*.tflite) --most 40
"""
import os
import struct
import sys

import numpy as np
from ethosu import mlw_codec
from ethosu.vela.tflite.Model import Model

OP_CONV, OP_DEPTHWISE, OP_DMA = 0x002, 0x003, 0x010


def programs(path):
    """The command stream and the constants of each NPU operator of a file."""
    with open(path, "rb") as f:
        m = Model.GetRootAsModel(bytearray(f.read()), 0)
    g = m.Subgraphs(0)
    data = lambda i: m.Buffers(g.Tensors(i).Buffer()).DataAsNumpy()
    for i in range(g.OperatorsLength()):
        o = g.Operators(i)
        if m.OperatorCodes(o.OpcodeIndex()).CustomCode() == b"ethos-u":
            yield bytes(data(o.Inputs(0)))[32:], bytes(data(o.Inputs(1)))


def streams(commands, constants):
    """The weight streams that a program reads, found in the constants through the DMA that brings them."""
    words = struct.unpack("<%dI" % (len(commands) // 4), commands)
    reg, copies, i = {}, [], 0
    while i < len(words):
        op, param = words[i] & 0xffff, words[i] >> 16
        if op & 0x4000:
            i += 1
            reg[op] = words[i] | (param & 0xff) << 32
        else:
            reg[op] = param
        i += 1
        if op == OP_DMA:
            copies.append((reg[0x131], reg[0x4031], reg[0x4032], reg[0x130], reg[0x4030]))
        if op not in (OP_CONV, OP_DEPTHWISE):
            continue
        for base, length in ((0x4020, 0x4021), (0x4090, 0x4091))[:1 + reg.get(0x123, 0)]:
            region, at, n = reg[0x128], reg[base], reg[length] & 0xffffffff
            if region != 0:
                for dst, to, size, src, source in reversed(copies):
                    if dst == region and to <= at and at + n <= to + size and src == 0:
                        at = source + at - to
                        break
                else:
                    raise ValueError("weights at %d of region %d come from nowhere" % (at, region))
            if n:
                yield constants[at:at + n]


def main():
    args = sys.argv[1:]
    most = None
    if "--most" in args:
        k = args.index("--most")
        most = int(args[k + 1])
        del args[k:k + 2]
    found = {}
    for path in args[1:]:
        for program in programs(path):
            for s in streams(*program):
                found.setdefault(s, os.path.basename(os.path.dirname(os.path.dirname(path))))
    every = sorted(found, key=lambda s: (len(s), s))
    if most is not None:
        rest = every[most:]
        every = every[:most] + rest[::max(1, len(rest) // (most // 5))][:most // 5]
    out, sizes = {}, []
    for i, s in enumerate(every):
        weights = mlw_codec.decode(bytearray(s))
        sizes.append(len(mlw_codec.encode(weights)))
        out["stream%d" % i] = np.frombuffer(s, np.uint8)
        out["net%d" % i] = np.frombuffer(found[s].encode(), np.uint8)
        out["weights%d" % i] = np.array(weights, np.int16)
    np.savez_compressed(args[0], encoded=np.array(sizes, np.int32), **out)
    print("%d streams of %d files: %d bytes; encoded anew by mlw_codec %d" % (len(every), len(args) - 1, sum(map(len, every)), sum(sizes)))


main()
