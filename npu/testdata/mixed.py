"""Makes two nets that the corpus beside the repository does not have, compiles them with Vela, and records what LiteRT's reference kernels give.

Usage: python mixed.py OUT ORACLES      (ORACLES: ../shared/oracle)

mixed: convolutions with SPACE_TO_DEPTH and a resize to 7 x 6 between them, which Vela leaves on the CPU. wide: 16-bit activations, 8-bit weights.
Needs tensorflow==2.21.0, ai-edge-litert==2.3.0, ethos-u-vela==5.2.0, numpy==2.4.6.
"""
import os
import sys

import numpy as np
import tensorflow as tf

out, oracles = sys.argv[1:3]
sys.path.insert(0, oracles)
import run_tflite  # noqa: E402
import vela  # noqa: E402

tf.keras.utils.set_random_seed(3)
L = tf.keras.layers


def mixed():
    x = i = L.Input((8, 8, 3), batch_size=1)
    x = L.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = L.Lambda(lambda t: tf.nn.space_to_depth(t, 2))(x)
    x = L.Conv2D(16, 3, padding="same", activation="relu6")(x)
    x = L.Lambda(lambda t: tf.image.resize(t, (7, 6), method="nearest"))(x)
    return tf.keras.Model(i, L.Conv2D(5, 3)(x))


def wide():
    x = i = L.Input((9, 9, 4), batch_size=1)
    x = y = L.Conv2D(12, 3, padding="same", activation="relu")(x)
    x = L.DepthwiseConv2D(3, padding="same")(x)
    x = L.Add()([x, y])
    x = L.Conv2D(6, (3, 2), strides=2)(x)
    return tf.keras.Model(i, L.MaxPool2D(2)(x))


def convert(model, bits):
    c = tf.lite.TFLiteConverter.from_keras_model(model)
    shape = model.inputs[0].shape
    r = np.random.default_rng(1)
    c.representative_dataset = lambda: ([r.normal(size=shape).astype(np.float32)] for _ in range(50))
    c.optimizations = [tf.lite.Optimize.DEFAULT]
    ops = tf.lite.OpsSet
    c.target_spec.supported_ops = [ops.TFLITE_BUILTINS_INT8 if bits == 8 else ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    c.inference_input_type = c.inference_output_type = tf.int8 if bits == 8 else tf.int16
    return c.convert()


for name, model, bits, targets in (("mixed", mixed(), 8, ("ethos-u55-128", "ethos-u65-256")), ("wide", wide(), 16, ("ethos-u55-64", "ethos-u65-512"))):
    path = os.path.join(out, name + ".tflite")
    with open(path, "wb") as f:
        f.write(convert(model, bits))
    t = np.int8 if bits == 8 else np.int16
    info = np.iinfo(t)
    r = np.random.default_rng(2)
    x = r.integers(info.min, info.max + 1, (4,) + tuple(model.inputs[0].shape)).astype(t)
    x[1] //= 16
    y = run_tflite.run(path, [x], "ref")[0]
    np.savez_compressed(os.path.join(out, name + ".npz"), in0=x, out0=y)
    for target in targets:
        made = vela.compile_model(path, target, os.path.join(out, "%s__%s.tflite" % (name, target.replace("ethos-", ""))))
        print(name, target, made["npu_operators"], "operators on the NPU,", made["cpu_operators"], "on the CPU;", len(np.unique(y)), "distinct values")
    os.remove(path)
