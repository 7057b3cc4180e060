"""Checks files written by temper against the tools they are made for.

Usage: python oracle.py TEMPER ORACLES REPOSITORY FOLDER

TEMPER      the binary
ORACLES     folder with run_tflite.py and vela.py (../shared/oracle)
REPOSITORY  the checkout, for the MNIST images that it embeds
FOLDER      what `temper run` wrote; a folder for networks of random weights is made in it

For every .tflite: LiteRT's reference kernels give the bytes of `temper infer --profile litert-ref`, TFLite Micro those of --profile tflm (on 1,000
test images; on 30 for networks of random weights), and Vela puts every operator on the NPU. Checkpoints open in safetensors.
Ends with exit code 1 if anything differs, after naming it.
"""
import glob
import gzip
import os
import subprocess
import sys

import numpy as np

temper, oracles, repository, folder = [os.path.abspath(a) for a in sys.argv[1:5]]
sys.path.insert(0, oracles)
import run_tflite  # noqa: E402
import vela  # noqa: E402

failures = []


def check(ok, text):
    print("ok    " if ok else "WRONG ", text, flush=True)
    if not ok:
        failures.append(text)


def command(*args):
    p = subprocess.run([temper, *args], capture_output=True, text=True)
    if p.returncode:
        sys.exit("temper %s: exit code %d\n%s" % (" ".join(args), p.returncode, p.stderr[-2000:]))


def mnist_test_images():
    path = os.path.join(repository, "datasets", "mnist", "data", "t10k-images-idx3-ubyte.gz")
    with gzip.open(path) as f:
        return np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28, 1).astype(np.float32) / 255


def quantized_inputs(model, x):
    """x as the file's int8 input, one vector a row."""
    d = run_tflite.LiteRT(model, "ref").inputs()[0]
    scale, zero = d["quantization"]
    q = np.clip(np.round(x / np.float32(scale)) + zero, -128, 127).astype(np.int8)
    return q.reshape((len(x),) + tuple(d["shape"]))


def compare(model, x):
    name = os.path.relpath(model, folder)
    ins = quantized_inputs(model, x)
    vectors, out = model + ".in.npz", model + ".out.npz"
    np.savez_compressed(vectors, in0=ins)
    for profile, kernel in (("litert-ref", "ref"), ("tflm", "tflm")):
        want = run_tflite.run(model, [ins], kernel)[0]
        command("infer", model, "--input", vectors, "--output", out, "--profile", profile)
        with np.load(out) as z:
            got = z["out0"]
        differ = int((got != want).sum()) if got.shape == want.shape else got.size
        check(got.dtype == want.dtype and differ == 0, "%s, %s: %d of %d output bytes differ on %d vectors, %d distinct values" % (
            name, profile, differ, got.size, len(x), len(np.unique(want))))
    os.remove(vectors)
    os.remove(out)


def compile_for_npu(model):
    name = os.path.relpath(model, folder)
    made = vela.compile_model(model, "ethos-u55-128", model + ".vela")
    os.remove(model + ".vela")
    check(made["cpu_operators"] == 0, "%s, Vela for ethos-u55-128: %s operators on the NPU, %s on the CPU" % (
        name, made["npu_operators"], made["cpu_operators"]))


def open_checkpoint(path):
    from safetensors import safe_open
    with safe_open(path, "np") as f:
        arrays = {k: f.get_tensor(k) for k in f.keys()}
        text = f.metadata().get("temper.graph", "")
    check(bool(arrays) and all(np.isfinite(a).all() for a in arrays.values()) and bool(text),
          "%s: %d arrays in safetensors" % (os.path.relpath(path, folder), len(arrays)))


def random_networks():
    """Every reference network with its initial weights, quantized after training, and pruned and clustered before that: a folder of .tflite files and
    their inputs."""
    made = os.path.join(folder, "random")
    os.makedirs(made, exist_ok=True)
    rng = np.random.default_rng(1)
    frames = os.path.join(made, "frames.npz")  # as many classes as values: the autoencoder's outputs
    x = rng.normal(size=(640, 640)).astype(np.float32)
    np.savez(frames, x_train=x, y_train=np.arange(640), x_test=x[:30], y_test=np.arange(610, 640))
    for name in ("ds-cnn", "resnet-8", "mobilenet-v1-0.25", "mobilenet-v2-0.35", "autoencoder"):
        data = frames if name == "autoencoder" else "mnist"
        path = os.path.join(made, name)
        command("train", name, "--epochs", "0", "--data", data, "-o", path + ".temper")
        command("prune", path + ".temper", "--epochs", "0", "--data", data, "-o", path + "-prune.temper")
        command("cluster", path + "-prune.temper", "--epochs", "0", "--data", data, "-o", path + "-cluster.temper")
        for conditioned in ("", "-cluster"):
            command("calibrate", path + conditioned + ".temper", "--data", data, "-o", path + conditioned + "-ptq.temper")
            command("export", path + conditioned + "-ptq.temper", "-o", path + conditioned + ".tflite")
            yield path + conditioned + ".tflite", x[:30] if name == "autoencoder" else mnist_test_images()[:30]


def main():
    models = sorted(glob.glob(os.path.join(folder, "*.tflite")))
    check(bool(models), "%d models in the folder" % len(models))
    for model in models:
        compare(model, mnist_test_images()[:1000])
        compile_for_npu(model)
    for model, x in random_networks():
        compare(model, x)
        compile_for_npu(model)
    for path in sorted(glob.glob(os.path.join(folder, "*.temper"))):
        open_checkpoint(path)
    if failures:
        sys.exit("%d checks failed" % len(failures))


main()
