"""The other side of `temper bench --peer`: trains one network with TensorFlow and TFMOT, in blocks of steps.

Usage: python peer.py NETWORK MODE BATCH THREADS DATA.npz

NETWORK, MODE   see networks.py
DATA.npz        x [n,...] uint8, whose value is x/255; y [n] and the number classes, or for an autoencoder neither

Training is what `Model.fit` runs: shuffled batches, Adam, cross-entropy from logits (mean squared error for an autoencoder), the accuracy metric, one
call of the compiled step after the other. Keras's progress bar is left out, which favours this side. As in Keras's own data adapter for
arrays, an epoch is a permutation that is cut into batches, gathered in parallel, and fetched ahead.

Writes one JSON object a line on standard output: first {"ready": true, ...} or {"error": "..."}, then for each line "N" on standard input N steps are
made, and {"ms": [...], "cpu_ms": CPU time of the process, "peak_mb": ...} answers. Ends with standard input. What it needs: requirements.txt.
"""
import json
import os
import sys
import time

out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the libraries print goes to standard error
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_USE_LEGACY_KERAS"] = "1"


def say(**kw):
    out.write(json.dumps(kw) + "\n")
    out.flush()


def peak_mb():
    """The largest resident size so far. On Linux getrusage's figure begins with that of the process that started this one, so the kernel's own is read."""
    try:
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:")) * 1024 / 1e6
    except (OSError, StopIteration):
        import resource
        unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def batches(tf, x, y, batch):
    """Endless shuffled batches."""
    steps = x.shape[0] // batch

    def epoch(_):
        order = tf.random.shuffle(tf.range(x.shape[0]))
        return tf.data.Dataset.from_tensor_slices(tf.reshape(order[:steps * batch], [steps, batch]))

    data = tf.data.Dataset.range(1).repeat().flat_map(epoch)
    return data.map(lambda i: (tf.gather(x, i), tf.gather(y, i)), num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def main():
    name, mode, batch, threads, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    try:
        import numpy as np
        import tensorflow as tf
        import tf_keras as keras
        import tensorflow_model_optimization as tfmot
    except ImportError as e:
        say(ready=False, error="missing package: %s" % e)
        return
    from networks import NETWORKS, condition
    if name not in NETWORKS:
        say(ready=False, error="the peer has no network %s; it has %s" % (name, ", ".join(NETWORKS)))
        return
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(1)
    base = peak_mb()
    with np.load(path) as z:
        x = tf.constant(z["x"].astype(np.float32) / 255)
        y = tf.constant(z["y"]) if "y" in z else x
        classes = int(z["classes"]) if "y" in z else 0
    model = NETWORKS[name](keras, x.shape[1:], classes)
    parameters = int(sum(np.prod(v.shape) for v in model.trainable_variables))
    model, callbacks = condition(model, mode, tfmot)
    if classes:
        model.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"])
    else:
        model.compile(keras.optimizers.Adam(1e-3), keras.losses.MeanSquaredError())
    iterator = iter(batches(tf, x, y, batch))
    step = model.make_train_function()
    for c in callbacks:
        c.set_model(model)
        c.on_train_begin()

    def one():
        begin = time.perf_counter()
        for c in callbacks:
            c.on_train_batch_begin(0)
        float(step(iterator)["loss"])
        return (time.perf_counter() - begin) * 1000

    for _ in range(5):
        one()
    say(ready=True, parameters=parameters, base_mb=base,
        versions={"python": sys.version.split()[0], "tensorflow": tf.__version__, "tf_keras": keras.__version__, "tfmot": tfmot.__version__,
                  "numpy": np.__version__})
    for line in sys.stdin:
        cpu = time.process_time()
        ms = [one() for _ in range(int(line))]
        say(ms=ms, cpu_ms=(time.process_time() - cpu) * 1000, peak_mb=peak_mb())


main()
