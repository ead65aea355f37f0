"""Real digits, small networks, and TensorFlow on one thread so that repeats are bit for bit."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """One thread, as the engine's workers have; before anything touches the backend."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        try:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            pass  # another folder's tests have started the backend already


@pytest.fixture(scope="session")
def digits():
    """Scikit-learn's 1,797 digits of 8×8 pixels in [0, 1]: x, y of train, validation, test."""
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    x = (pictures / 16).astype("float32").reshape(-1, 8, 8, 1)
    return {
        "train": (x[:1200], labels[:1200]),
        "validation": (x[1200:1400], labels[1200:1400]),
        "test": (x[1400:], labels[1400:]),
    }


@pytest.fixture
def vectors(digits):
    """The same digits as vectors of 64."""
    return {part: (x.reshape(len(x), 64), y) for part, (x, y) in digits.items()}


@pytest.fixture(scope="session")
def pictures(digits):
    """The digits without their labels."""
    return {part: x for part, (x, _) in digits.items()}
