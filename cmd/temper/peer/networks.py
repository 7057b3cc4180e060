"""Temper's reference networks in tf_keras, layer for layer, under the same names; and TFMOT's ways of training them."""


def arm_example(keras, shape, classes):
    layers = keras.layers

    def conv():
        return layers.Conv2D(32, 3, padding="same", activation="relu")

    return keras.Sequential([
        keras.Input(shape), conv(), conv(), layers.MaxPool2D(2), conv(), layers.MaxPool2D(2), layers.Flatten(), layers.Dense(classes)])


def ds_cnn(keras, shape, classes):
    layers = keras.layers
    s = [keras.Input(shape), layers.Conv2D(64, (min(10, shape[0]), min(4, shape[1])), strides=2, padding="same"),
         layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.2)]
    for _ in range(4):
        s += [layers.DepthwiseConv2D(3, padding="same"), layers.BatchNormalization(), layers.ReLU(),
              layers.Conv2D(64, 1, padding="same"), layers.BatchNormalization(), layers.ReLU()]
    return keras.Sequential(s + [layers.Dropout(0.4), layers.GlobalAveragePooling2D(), layers.Dense(classes)])


def resnet_8(keras, shape, classes):
    layers = keras.layers
    inputs = x = keras.Input(shape)

    def conv(x, filters, kernel, stride):
        return layers.Conv2D(filters, kernel, strides=stride, padding="same")(x)

    def norm(x, relu=True):
        x = layers.BatchNormalization()(x)
        return layers.ReLU()(x) if relu else x

    x = norm(conv(x, 16, 3, 1))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = norm(conv(x, filters, 3, stride))
        y = norm(conv(y, filters, 3, 1), relu=False)
        if stride > 1:
            x = conv(x, filters, 1, stride)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes)(x))


def mobilenet_v1(keras, shape, classes):
    layers = keras.layers
    s = [keras.Input(shape), layers.Conv2D(8, 3, strides=2, padding="same"), layers.BatchNormalization(), layers.ReLU()]
    for filters, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (128, 1), (128, 1), (128, 1), (256, 2), (256, 1)):
        s += [layers.DepthwiseConv2D(3, strides=stride, padding="same"), layers.BatchNormalization(), layers.ReLU(),
              layers.Conv2D(filters, 1, padding="same"), layers.BatchNormalization(), layers.ReLU()]
    return keras.Sequential(s + [layers.GlobalAveragePooling2D(), layers.Dense(classes)])


def mobilenet_v2(keras, shape, classes):
    layers = keras.layers
    inputs = keras.Input(shape)

    def norm(x, relu=True):
        x = layers.BatchNormalization()(x)
        return layers.ReLU(6.0)(x) if relu else x

    def conv(x, filters, kernel=1, stride=1):
        return layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)(x)

    x, channels = norm(conv(inputs, 16, 3, 2)), 16
    for expand, filters, repeat, first in (
            (1, 8, 1, 1), (6, 8, 2, 2), (6, 16, 3, 2), (6, 24, 4, 2), (6, 32, 3, 1), (6, 56, 3, 2), (6, 112, 1, 1)):
        for i in range(repeat):
            stride, y = (first if i == 0 else 1), x
            if expand > 1:
                y = norm(conv(y, channels * expand))
            y = norm(layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(y))
            y = norm(conv(y, filters), relu=False)
            x = layers.Add()([x, y]) if stride == 1 and channels == filters else y
            channels = filters
    x = norm(conv(x, 1280))
    return keras.Model(inputs, layers.Dense(classes)(layers.GlobalAveragePooling2D()(x)))


def autoencoder(keras, shape, _):
    layers = keras.layers
    s = [keras.Input(shape)]
    volume = 1
    for d in shape:
        volume *= d
    if len(shape) > 1:
        s.append(layers.Flatten())
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        s += [layers.Dense(units), layers.BatchNormalization(), layers.ReLU()]
    return keras.Sequential(s + [layers.Dense(volume)])


NETWORKS = {
    "arm-example": arm_example, "ds-cnn": ds_cnn, "resnet-8": resnet_8, "mobilenet-v1-0.25": mobilenet_v1, "mobilenet-v2-0.35": mobilenet_v2,
    "autoencoder": autoencoder}


def prune(model, tfmot):
    schedule = tfmot.sparsity.keras.ConstantSparsity(0.75, begin_step=0, frequency=100)
    return tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule), [tfmot.sparsity.keras.UpdatePruningStep()]


def cluster(model, tfmot, preserve_sparsity=False):
    init = tfmot.clustering.keras.CentroidInitialization.LINEAR
    how = {"number_of_clusters": 16, "cluster_centroids_init": init}
    if not preserve_sparsity:
        return tfmot.clustering.keras.cluster_weights(model, **how)
    from tensorflow_model_optimization.python.core.clustering.keras.experimental import cluster as experimental
    return experimental.cluster_weights(model, preserve_sparsity=True, **how)


def pcqat(model, tfmot):
    """Quantization-aware training that keeps zeros and clusters: of an untrained network whose small weights are made zero."""
    import numpy as np
    for v in model.trainable_variables:
        if "kernel" in v.name:
            w = v.numpy()
            v.assign(np.where(np.abs(w) < np.quantile(np.abs(w), 0.75), 0, w))
    model = tfmot.clustering.keras.strip_clustering(cluster(model, tfmot, preserve_sparsity=True))
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import default_8bit_cluster_preserve_quantize_scheme as scheme
    annotated = tfmot.quantization.keras.quantize_annotate_model(model)
    return tfmot.quantization.keras.quantize_apply(annotated, scheme.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=True))


def condition(model, mode, tfmot):
    """The model in a mode of `temper bench`, and the callbacks that it needs."""
    if mode == "float":
        return model, []
    if mode == "qat":
        return tfmot.quantization.keras.quantize_model(model), []
    if mode == "prune":
        return prune(model, tfmot)
    if mode == "cluster":
        return cluster(model, tfmot), []
    if mode == "pcqat":
        return pcqat(model, tfmot), []
    raise ValueError("the peer has no mode " + mode)
