"""A network that says its input again after squeezing it through a short code.

Sources: Goodfellow, Bengio and Courville, Deep Learning (2016), chapter 14; Vincent et al.,
Stacked Denoising Autoencoders (2010); Kingma and Welling, Auto-Encoding Variational Bayes (2014).
"""

from models.autoencoder.codes import (
    anomaly_score,
    corrupt,
    decode,
    decoder,
    elbo,
    encode,
    encoder,
    interpolate,
    is_variational,
    sample,
)
from models.autoencoder.networks import KINDS, build
from models.autoencoder.training import fit

__all__ = [
    "KINDS",
    "anomaly_score",
    "build",
    "corrupt",
    "decode",
    "decoder",
    "elbo",
    "encode",
    "encoder",
    "fit",
    "interpolate",
    "is_variational",
    "sample",
]
