"""Writes fakequant.npz: what TensorFlow's fake quantization computes.

    pip install tensorflow-cpu==2.21.0
    python graph/testdata/fakequant.py

Tensor cases (tf.quantization.fake_quant_with_min_max_vars and its gradient), one row each:
    tensor_config  int32   [cases, 2]      bits, narrow
    tensor_range   float32 [cases, 2]      min, max
    tensor_x, tensor_y, tensor_dx          [cases, values]
Channel cases (..._vars_per_channel and its gradient):
    channel_config int32   [cases, 2]
    channel_range  float32 [cases, 2, channels]
    channel_x, channel_y, channel_dx       [cases, rows, channels]
The gradients are for dy = 1, 2, 3, ... in the order of x.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

PINNED = "2.21.0"
VALUES, ROWS = 20, 8

# Asymmetric, symmetric, one-sided, off zero on either side, huge, tiny, empty.
RANGES = [
    (-1.0, 1.0),
    (-0.7, 2.3),
    (-6.0, 6.0),
    (0.0, 6.0),
    (-3.1, 0.0),
    (0.0, 255.0 / 256),
    (-1.0, 127.0 / 128),
    (0.25, 1.5),
    (-2.5, -0.5),
    (-1e30, 3e30),
    (-2e-30, 1e-30),
    (-1e-3, 1e4),
    (0.0, 0.0),
]


def nudged(lo, hi, bits, narrow):
    """Scale and smallest value, to place inputs on the ties of rounding."""
    f = np.float32
    levels = f(2**bits - 1 - narrow)
    scale = (f(hi) - f(lo)) / levels
    zero = np.clip(np.round(-f(lo) / scale), f(0), levels)
    return scale, f(-zero * scale)


def neighbour(x, direction):
    """The next float32, but no subnormal: TensorFlow flushes those to zero."""
    y = np.nextafter(x, np.float32(direction))
    tiny = np.finfo(np.float32).tiny
    return np.float32(np.sign(direction) * tiny) if abs(y) < tiny and y != 0 else y


def inputs(rng, lo, hi, bits, narrow, count):
    """Zero, the ends and beyond, ties between codes with both neighbours, and values over 1.5 times the range."""
    if lo == hi:
        return np.concatenate([[0], rng.uniform(-2, 2, count - 1)]).astype(np.float32)
    scale, low = nudged(lo, hi, bits, narrow)
    top = low + scale * np.float32(2**bits - 1 - narrow)
    x = [np.float32(0), np.float32(lo), np.float32(hi), low, top,
         neighbour(low, -np.inf), neighbour(top, np.inf)]
    while len(x) < count * 3 // 4:
        tie = low + (np.float32(rng.integers(2**bits - 1 - narrow)) + np.float32(0.5)) * scale
        x += [tie, neighbour(tie, -np.inf), neighbour(tie, np.inf)]
    x = np.array(x[:count * 3 // 4], np.float32)
    middle, width = (hi + lo) / 2, hi - lo
    return np.concatenate([x, rng.uniform(middle - 0.75 * width, middle + 0.75 * width, count - len(x)).astype(np.float32)])


def gradients(shape):
    return tf.reshape(tf.range(1, np.prod(shape) + 1, dtype=tf.float32), shape)


def tensor_cases(rng):
    out = {k: [] for k in ("config", "range", "x", "y", "dx")}
    for bits in range(2, 17):
        for narrow in (0, 1):
            for lo, hi in RANGES:
                x = inputs(rng, lo, hi, bits, narrow, VALUES)
                y = tf.quantization.fake_quant_with_min_max_vars(x, lo, hi, num_bits=bits, narrow_range=bool(narrow))
                dx, _, _ = tf.quantization.fake_quant_with_min_max_vars_gradient(
                    gradients(x.shape), x, lo, hi, num_bits=bits, narrow_range=bool(narrow))
                for k, v in zip(out, ([bits, narrow], [lo, hi], x, y.numpy(), dx.numpy())):
                    out[k].append(v)
    return out


def channel_cases(rng):
    out = {k: [] for k in ("config", "range", "x", "y", "dx")}
    for bits in range(2, 17):
        for narrow in (0, 1):
            for first in (0, 4, 8):
                some = RANGES[first:first + 4]
                lo, hi = (np.array(v, np.float32) for v in zip(*some))
                x = np.stack([inputs(rng, a, b, bits, narrow, ROWS) for a, b in some], axis=1)
                y = tf.quantization.fake_quant_with_min_max_vars_per_channel(x, lo, hi, num_bits=bits, narrow_range=bool(narrow))
                dx, _, _ = tf.quantization.fake_quant_with_min_max_vars_per_channel_gradient(
                    gradients(x.shape), x, lo, hi, num_bits=bits, narrow_range=bool(narrow))
                for k, v in zip(out, ([bits, narrow], [lo, hi], x, y.numpy(), dx.numpy())):
                    out[k].append(v)
    return out


def main():
    if tf.__version__ != PINNED:
        raise SystemExit(f"the vectors are those of TensorFlow {PINNED}, this is {tf.__version__}")
    rng = np.random.default_rng(1)
    arrays = {}
    for name, cases in (("tensor", tensor_cases(rng)), ("channel", channel_cases(rng))):
        for key, rows in cases.items():
            arrays[f"{name}_{key}"] = np.array(rows, np.int32 if key == "config" else np.float32)
    np.savez_compressed(os.path.join(os.path.dirname(os.path.abspath(__file__)), "fakequant.npz"), **arrays)


if __name__ == "__main__":
    main()
