"""Autoencoders whose first weights come from a seed, and how far their pictures are off."""

import numpy as np

from models import autoencoder


def built(*arguments, seed=0, **options):
    import keras

    keras.utils.set_random_seed(seed)
    return autoencoder.build(*arguments, **options)


def squared_error(x, pictures):
    return float(np.mean((x - pictures) ** 2))
