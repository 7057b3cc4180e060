"""Writes tfmot.json: what TensorFlow Model Optimization's pruning computes.

    pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0 tensorflow-model-optimization==0.8.1
    python sparsity/testdata/tfmot.py

schedules: settings of a schedule, and for steps 0, 1, 2, ... its sparsity (float32) and whether it updates.
traces:    zeros of the mask of a dense layer [20,10] after each training step, seen in a training with learning rate 0.
masks:     for given weights (three decimals, so that there are ties) the mask, as text of 0 and 1 in the order of the weights.
"""

import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras
from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl

PINNED = {"tf": "2.21.0", "tfmot": "0.8.1"}
HERE = os.path.dirname(os.path.abspath(__file__))
random = np.random.RandomState(1)


def constant(sparsity, begin, end, frequency):
    settings = dict(kind="constant", sparsity=sparsity, begin=begin, end=end, frequency=frequency)
    return settings, tfmot.sparsity.keras.ConstantSparsity(sparsity, begin, end, frequency)


def polynomial(initial, final, begin, end, power, frequency):
    settings = dict(kind="polynomial", initial=initial, final=final, begin=begin, end=end, power=power, frequency=frequency)
    return settings, tfmot.sparsity.keras.PolynomialDecay(initial, final, begin, end, power, frequency)


def weights(shape):
    return np.round(random.normal(0, 0.2, shape), 3).astype(np.float32)


def schedules():
    steps = 60
    for settings, schedule in [
        constant(0.5, 0, -1, 10),
        constant(0.75, 7, 33, 4),
        constant(0.0, 3, 3, 1),
        polynomial(0.0, 0.8, 0, 50, 3, 5),
        polynomial(0.5, 0.8, 4, 47, 3, 6),
        polynomial(0.1, 0.9, 1, 40, 1, 1),
        polynomial(0.9, 0.3, 10, 30, 2, 3),
        polynomial(0.25, 0.875, 2, 37, 4, 7),
        polynomial(0.0, 0.5, 0, 55, 3, 100),
    ]:
        out = [schedule(tf.constant(s, tf.int64)) for s in range(steps)]
        yield dict(settings, sparsities=[float(s) for _, s in out], updates=[int(u) for u, _ in out])


def traces():
    for settings, schedule in [
        constant(0.6, 0, -1, 4),
        constant(0.75, 3, 9, 2),
        polynomial(0.2, 0.8, 2, 18, 3, 3),
        polynomial(0.0, 0.9, 0, 20, 3, 1),
    ]:
        w = weights((20, 10))
        model = keras.Sequential([keras.layers.Dense(10, use_bias=False, input_shape=(20,))])
        model = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule)
        layer = model.layers[0]
        layer.layer.kernel.assign(w)
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
        zeros = []

        class Record(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                mask = layer.pruning_vars[0][1].numpy()
                zeros.append(int((mask == 0).sum()))

        x, y = np.zeros((24, 20), np.float32), np.zeros((24, 10), np.float32)
        model.fit(x, y, batch_size=1, epochs=1, verbose=0, callbacks=[tfmot.sparsity.keras.UpdatePruningStep(), Record()])
        yield dict(settings, shape=[20, 10], weights=flat(w), zeros=zeros)


def flat(w):
    return [round(float(v), 3) for v in w.flatten()]


def mask_of(w, sparsity, block=(1, 1), pooling="AVG", nm=None):
    kernel = tf.Variable(w)
    schedule = tfmot.sparsity.keras.ConstantSparsity(sparsity, 0, -1, 1)
    pruning = pruning_impl.Pruning(lambda: tf.constant(1, tf.int64), [(kernel, None, None)], schedule, block, pooling, nm)
    return pruning._maybe_update_block_mask(kernel)[1].numpy()


def masks():
    def case(shape, sparsity, **how):
        w = weights(shape)
        m = mask_of(w, sparsity, **how)
        return dict(shape=list(shape), weights=flat(w), sparsity=sparsity, block=list(how.get("block", (1, 1))), pooling=how.get("pooling", "AVG").lower(),
                    nm=list(how.get("nm", (0, 0))), mask="".join(str(int(v)) for v in m.flatten()))

    for sparsity in [0.0, 0.1, 0.5, 0.75, 0.8, 0.875, 0.99, 0.999]:
        yield case((3, 3, 5, 7), sparsity)
        yield case((21, 10), sparsity)
    for nm in [(1, 2), (2, 4), (1, 4), (3, 4), (4, 8), (5, 7)]:
        yield case((3, 2, 8, 4), 0.5, nm=nm)
        yield case((3, 3, 5, 3), 0.5, nm=nm)  # a ragged tail
        yield case((16, 6), 0.5, nm=nm)
        yield case((13, 5), 0.5, nm=nm)
    for block in [(1, 4), (4, 1), (2, 2), (4, 4), (2, 3)]:
        for sparsity in [0.3, 0.5, 0.8]:
            for pooling in ["AVG", "MAX"]:
                yield case((16, 12), sparsity, block=block, pooling=pooling)


def main():
    found = {"tf": tf.__version__.split("-")[0], "tfmot": tfmot.__version__}
    assert found == PINNED, found
    out = {"versions": PINNED, "schedules": list(schedules()), "traces": list(traces()), "masks": list(masks())}
    with open(os.path.join(HERE, "tfmot.json"), "w") as f:
        f.write("{\n")
        f.write('"versions": %s' % json.dumps(out["versions"]))
        for key in ["schedules", "traces", "masks"]:
            rows = ",\n".join(json.dumps(r, separators=(",", ":")) for r in out[key])
            f.write(',\n"%s": [\n%s\n]' % (key, rows))
        f.write("\n}\n")


if __name__ == "__main__":
    main()
