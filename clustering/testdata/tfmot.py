"""Writes tfmot.json: what TensorFlow Model Optimization's clustering computes.

    pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0 tensorflow-model-optimization==0.8.1
    TF_USE_LEGACY_KERAS=1 python clustering/testdata/tfmot.py

starts        initial centroids of weights: init, codes, sparse (preserve_sparsity, where one centroid is 0)
associations  of weights with centroids, a codebook a tensor or a channel, and the centroids' gradients for dy = d by SUM and by AVG
Numbers are float32, written so that they read back to the same bits.
"""

import importlib.metadata
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
from tensorflow_model_optimization.python.core.clustering.keras import cluster_config
from tensorflow_model_optimization.python.core.clustering.keras import clustering_algorithm
from tensorflow_model_optimization.python.core.clustering.keras import clustering_centroids

PINNED = {"tensorflow-model-optimization": "0.8.1"}
PINNED_TF = "2.21.0"


def numbers(x):
    """float32 as the shortest decimals that read back to the same bits."""
    return [float(str(np.float32(v))) for v in np.ravel(x)]


def weights(rng):
    """Weights as networks have them, and awkward ones: one sign, few of a sign, few distinct, small, with outliers, pruned."""
    normal = rng.normal(0, 0.1, 150)
    pruned = np.where(np.abs(normal) < 0.1, 0, normal)
    return {
        "normal": normal,
        "small": rng.normal(0, 1e-3, 100),
        "outliers": np.concatenate([rng.normal(0, 0.02, 98), [1.5, -0.7]]),
        "positive": np.abs(normal[:60]),
        "one negative": np.concatenate([np.abs(normal[:60]), [-0.2]]),
        "few": rng.choice([-0.5, -0.25, 0.125, 0.75], 40),
        "uniform": rng.uniform(-1, 1, 120),
        "pruned": pruned,
    }


def starts(rng):
    found = []
    for name, w in weights(rng).items():
        w = w.astype(np.float32)
        for init in ("LINEAR", "DENSITY_BASED"):
            for codes in (3, 4, 8, 16, 32):
                for sparse in (False, True):
                    make = clustering_centroids.CentroidsInitializerFactory.get_centroid_initializer(cluster_config.CentroidInitialization[init])
                    c = make(tf.constant(w), codes, False, "channels_last", sparse).get_cluster_centroids()
                    found.append({"weights": name, "init": init, "codes": codes, "sparse": sparse, "centroids": numbers(c.numpy())})
    return found


def associations(rng):
    found = []
    aggregation = cluster_config.GradientAggregation
    for shape, codes, channel in (((40, 3), 4, False), ((3, 3, 4, 5), 16, False), ((3, 3, 4, 5), 7, True), ((2, 2, 6, 4), 2, True)):
        w = rng.normal(0, 0.3, shape).astype(np.float32)
        c = np.sort(rng.normal(0, 0.4, (shape[-1], codes) if channel else (codes,))).astype(np.float32)
        flat = w.reshape(-1, shape[-1])
        if not channel:  # ties and their neighbours
            middle = ((c[:-1] + c[1:]) / 2).astype(np.float32)
            some = np.concatenate([middle, np.nextafter(middle, np.float32(9)), np.nextafter(middle, np.float32(-9)), c])
            flat[:, :] = np.concatenate([some, flat.ravel()])[:flat.size].reshape(flat.shape)
        d = rng.normal(0, 1, shape).astype(np.float32)
        case = {"shape": shape, "channel": channel, "weights": numbers(w), "centroids": numbers(c), "d": numbers(d)}
        for how in (aggregation.SUM, aggregation.AVG):
            algorithm = (clustering_algorithm.ClusteringAlgorithmPerChannel if channel else clustering_algorithm.ClusteringAlgorithm)(
                tf.Variable(c), how, "channels_last")
            x = tf.Variable(w)
            with tf.GradientTape() as tape:
                y = algorithm.get_clustered_weight(algorithm.get_pulling_indices(x), x)
                loss = tf.reduce_sum(y * d)
            dc, dx = tape.gradient(loss, [algorithm.cluster_centroids, x])
            if not np.array_equal(dx.numpy(), d):
                raise SystemExit("the gradient of the weights is not straight through")
            case["clustered"] = numbers(y.numpy())
            case["sum" if how == aggregation.SUM else "avg"] = numbers(tf.convert_to_tensor(dc).numpy())
        found.append(case)
    return found


def main():
    if tf.__version__ != PINNED_TF:
        raise SystemExit(f"the vectors are those of TensorFlow {PINNED_TF}, this is {tf.__version__}")
    for package, version in PINNED.items():
        if importlib.metadata.version(package) != version:
            raise SystemExit(f"the vectors are those of {package} {version}, this is {importlib.metadata.version(package)}")
    rng = np.random.default_rng(1)
    table = {"weights": {k: numbers(v) for k, v in weights(np.random.default_rng(1)).items()}, "starts": starts(rng), "associations": associations(rng)}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tfmot.json"), "w") as f:
        json.dump(table, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
