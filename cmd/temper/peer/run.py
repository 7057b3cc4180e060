"""The work of Arm's two conditioning examples, whole: trains the network on MNIST, quantizes it, writes the int8 file and verifies it.

Usage: python run.py ptq|qat DATA.npz FOLDER [--epochs N] [--threads N]

ptq   trains in float (Adam, 0.001, batch 128; 5 epochs or N), saves FOLDER/float.h5, converts with 200 samples, writes FOLDER/ptq.tflite
qat   loads FOLDER/float.h5, trains it quantization-aware for 1 epoch (Adam, 0.0001), converts, writes FOLDER/qat.tflite

DATA.npz holds x_train, y_train, x_test and y_test, images as uint8. Each file is verified by executing it on all test images. The last line on standard
output is a JSON object. What it needs: requirements.txt.
"""
import argparse
import json
import os
import sys
import time

begin = time.perf_counter()
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the libraries print goes to standard error
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_USE_LEGACY_KERAS"] = "1"

p = argparse.ArgumentParser()
p.add_argument("step", choices=["ptq", "qat"])
p.add_argument("data")
p.add_argument("folder")
p.add_argument("--epochs", type=int, default=5)
p.add_argument("--threads", type=int, default=0)
args = p.parse_args()

try:
    import numpy as np
    import tensorflow as tf
    import tensorflow_model_optimization as tfmot
    import tf_keras as keras
except ImportError as e:
    sys.exit("missing package: %s" % e)
from networks import NETWORKS

seconds = {}


def took(what):
    global begin
    now = time.perf_counter()
    seconds[what] = now - begin
    begin = now


def compiled(model, rate):
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"])
    return model


def convert(model, samples):
    c = tf.lite.TFLiteConverter.from_keras_model(model)
    c.optimizations = [tf.lite.Optimize.DEFAULT]
    if samples is not None:  # a network trained quantization-aware has its ranges, and the converter takes no others
        c.representative_dataset = lambda: ([s[None]] for s in samples)
        c.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    c.inference_input_type = c.inference_output_type = tf.int8
    return c.convert()


def verify(path, x, y):
    """The accuracy of a file, an image at a time."""
    i = tf.lite.Interpreter(path, num_threads=args.threads or None)
    i.allocate_tensors()
    source, sink = i.get_input_details()[0], i.get_output_details()[0]
    scale, zero = source["quantization"]
    codes = np.clip(np.round(x / scale) + zero, -128, 127).astype(np.int8)
    right = 0
    for image, label in zip(codes, y):
        i.set_tensor(source["index"], image[None])
        i.invoke()
        right += int(np.argmax(i.get_tensor(sink["index"])[0]) == label)
    return right / len(y)


if args.threads:
    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(args.threads)
keras.utils.set_random_seed(1)
took("imports")
with np.load(args.data) as z:
    x, x_test = (z[k].astype(np.float32) / 255 for k in ("x_train", "x_test"))
    y, y_test = (z[k].astype(np.int32) for k in ("y_train", "y_test"))
took("data")
checkpoint = os.path.join(args.folder, "float.h5")
if args.step == "ptq":
    model, epochs = compiled(NETWORKS["arm-example"](keras, x.shape[1:], 10), 1e-3), args.epochs
else:
    model, epochs = compiled(tfmot.quantization.keras.quantize_model(keras.models.load_model(checkpoint)), 1e-4), 1
took("model")
model.fit(x, y, batch_size=128, epochs=epochs, verbose=2)
took("train")
result = {"float_accuracy": float(model.evaluate(x_test, y_test, batch_size=128, verbose=0)[1])}
if args.step == "ptq":
    model.save(checkpoint)
took("evaluate")
path = os.path.join(args.folder, args.step + ".tflite")
with open(path, "wb") as f:
    f.write(convert(model, x[:200] if args.step == "ptq" else None))
took("convert")
result.update(accuracy=verify(path, x_test, y_test), bytes=os.path.getsize(path))
took("verify")
out.write(json.dumps(dict(result, seconds=seconds)) + "\n")
