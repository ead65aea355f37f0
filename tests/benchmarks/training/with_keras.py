"""The five networks in Keras: as everyone has them, or as Folio trains them.

    python with_keras.py NETWORK DATA.npz plain|folio THREADS [STEPS JIT]

"plain" is `compile` and `fit` on arrays, with Keras' own layers. "folio" is `training.fit`. With
STEPS and JIT it trains so instead of by the table in `training.py`: that is how the table is made.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from gate import Gate

BATCH = 32


def network_of(name: str, plain: bool):
    """The builders' defaults; they are plain Keras layers, but for a recurrent one."""
    import keras

    from models import autoencoder, classifier, cnn, gan, rnn

    if name == "GRU language model" and plain:
        ids = keras.Input((None,), dtype="int32")
        x = keras.layers.GRU(128, return_sequences=True)(keras.layers.Embedding(64, 64)(ids))
        return keras.Model(ids, keras.layers.Dense(64, activation="softmax")(x))
    return {
        "MLP 784-100-10": lambda: classifier.build(784, 10, (100,)),
        "CNN 28×28": lambda: cnn.build((28, 28, 1), 10),
        "GRU language model": lambda: rnn.build(vocabulary=64, units=(128,), embedding=64),
        "VAE, convolutional": lambda: autoencoder.build(kind="convolutional", variational=True),
        "VAE, dense": lambda: autoencoder.build(kind="dense", variational=True),
        "DCGAN step": lambda: gan.build((28, 28, 1)),
    }[name]()


def plain(name: str, model, x, y, gate: Gate) -> None:
    """Compile, and fit on arrays."""
    import keras

    if name == "DCGAN step":
        from models.gan.adversarial import TwoOptimizers

        model.compile(TwoOptimizers(*(keras.optimizers.Adam(1e-3, 0.5) for _ in range(2))))
        y = None
    elif name.startswith("VAE"):
        from models.autoencoder.layers import bernoulli

        model.compile(optimizer="adam", loss=bernoulli)
        y = x
    else:
        loss = "sparse_categorical_crossentropy"
        model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    each_epoch = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: gate.epoch_done())
    model.fit(x, y, batch_size=BATCH, epochs=1000, verbose=0, callbacks=[each_epoch])


def folio(name: str, model, x, y, gate: Gate) -> None:
    """Train as a project does."""
    import math

    from models import autoencoder, lent, loop, training

    steps = math.ceil(len(x) / BATCH)

    def report(label: str, done: int, total: int | None) -> None:
        if done % steps == 0:
            gate.epoch_done()

    lent.current.set(lent.Lent(report=report))
    settings = {"epochs": 1000, "batch_size": BATCH, "seed": 0}
    if name == "DCGAN step":
        # Without the judgement of samples after each epoch, which is no part of a step.
        from models.gan.training import compiled

        compiled(model, 1e-3, 1, 5, steps)
        loop.run(model, (x,), settings=settings | {"order_seed": 0})
    elif name.startswith("VAE"):
        autoencoder.fit(model, x, **settings)
    else:
        training.fit(model, (x, y), **settings)


def main(name: str, data: str, how: str, threads: int, path: list[str], gate: Gate) -> None:
    """Train epoch after epoch."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(0)
    with np.load(data) as arrays:
        x, y = arrays["x"], arrays["y"]
    model = network_of(name, how == "plain")
    trained = [model.generator, model.discriminator] if name == "DCGAN step" else [model]
    gate.parameters = sum(int(np.prod(w.shape)) for m in trained for w in m.trainable_weights)
    if path:
        from models import training

        asked = training.InputPath(int(path[0]), path[1] == "jit")
        training.input_path = lambda model, batches: asked
    (plain if how == "plain" else folio)(name, model, x, y, gate)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:], Gate())
