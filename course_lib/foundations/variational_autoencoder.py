"""The variational autoencoder, as lesson 09 derives it: a bound on log p(x), and its gradients.

N images, P pixels, D numbers in a code, H hidden units. A code z has the prior N(0, I); the encoder
gives each image a Gaussian q(z|x) with a mean and a log-variance for every number of the code, the
decoder gives each pixel a logit. Sums run over pixels and over the numbers of a code; only images
are averaged. Logarithms are natural, so everything is in nats. New arrays are returned.
Sources: Kingma & Welling, Auto-Encoding Variational Bayes (ICLR 2014); Rezende, Mohamed &
Wierstra, Stochastic Backpropagation (ICML 2014); Bishop, Pattern Recognition and Machine Learning
(2006), sections 2.3 and 9.4.
"""

from __future__ import annotations

import math

import numpy as np

from .losses import sigmoid
from .sgd import hidden_layer_gradients, two_layer_forward

# --- the likelihood of a picture ------------------------------------------------------------------


def bernoulli_negative_log_likelihood(logits: np.ndarray, images: np.ndarray) -> np.ndarray:
    """-log p(x|z) of each image, every pixel a coin with its own logit; exact at any size.

    With p = sigmoid(a), -x log p - (1 - x) log(1 - p) = max(a, 0) - a x + log(1 + exp(-|a|))
    (Kingma & Welling 2014, appendix C.1; Bishop 2006, eq. 4.90). Gray values between 0 and 1 are
    taken as they are; then this is a cross-entropy and its smallest value is not 0.

    Args:
        logits: (N, P).
        images: (N, P), between 0 and 1.

    Returns:
        (N,), a sum over the pixels.
    """
    each = np.maximum(logits, 0) - logits * images + np.log1p(np.exp(-np.abs(logits)))
    total: np.ndarray = each.sum(axis=1)
    return total


# --- the code: divergence and sample --------------------------------------------------------------


def kl_to_standard_normal(mean: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    """KL(N(mean, exp(log_variance)) ‖ N(0, I)) of each row, never negative.

    ½ Σ (m² + exp(v) - 1 - v) (Kingma & Welling 2014, appendix B).

    Args:
        mean: m, (N, D).
        log_variance: v, (N, D).

    Returns:
        (N,), a sum over the numbers of the code.
    """
    each = mean**2 + np.exp(log_variance) - 1 - log_variance
    total: np.ndarray = each.sum(axis=1) / 2
    return total


def kl_gradients(mean: np.ndarray, log_variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of the sum over all rows of `kl_to_standard_normal`: m and ½ (exp(v) - 1).

    Args:
        mean: m, (N, D).
        log_variance: v, (N, D).

    Returns:
        (by the mean (N, D), by the log-variance (N, D)).
    """
    return np.array(mean, dtype=float), (np.exp(log_variance) - 1) / 2


def reparameterize(mean: np.ndarray, log_variance: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """A sample of N(mean, exp(log_variance)) made of noise from N(0, 1): m + exp(v/2) ε.

    Args:
        mean: m, (N, D).
        log_variance: v, (N, D).
        noise: ε, (N, D).

    Returns:
        z, (N, D) (Kingma & Welling 2014, section 2.4).
    """
    sample: np.ndarray = mean + np.exp(log_variance / 2) * noise
    return sample


def reparameterize_gradients(
    upstream: np.ndarray, log_variance: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Backpropagation through `reparameterize`: G and ½ G exp(v/2) ε.

    Args:
        upstream: G, (N, D), gradient of a loss by the sample.
        log_variance: v, (N, D).
        noise: ε, (N, D), the same as in the sample.

    Returns:
        (by the mean (N, D), by the log-variance (N, D)).
    """
    deviation = np.exp(log_variance / 2)
    return np.array(upstream, dtype=float), upstream * noise * deviation / 2


# --- the loss and its gradients -------------------------------------------------------------------


def negative_elbo(
    logits: np.ndarray, images: np.ndarray, mean: np.ndarray, log_variance: np.ndarray
) -> float:
    """-log p(x|z) + KL(q(z|x) ‖ p(z)), averaged over the images: an upper bound on -log p(x).

    It is an estimate of the bound, from the one sample that made the logits (Kingma & Welling
    2014, eq. 7 with L = 1).

    Args:
        logits: (N, P), decoded from a sample of each code.
        images: (N, P), between 0 and 1.
        mean: (N, D), of the encoder.
        log_variance: (N, D), of the encoder.

    Returns:
        The loss in nats per image.
    """
    loss = bernoulli_negative_log_likelihood(logits, images)
    return float(np.mean(loss + kl_to_standard_normal(mean, log_variance)))


def encode(
    images: np.ndarray, encoder: list[np.ndarray] | tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and log-variance of each image's code.

    Args:
        images: (N, P).
        encoder: the four arrays of `sgd.two_layer_forward`, with 2D outputs: means, then
            log-variances.

    Returns:
        (mean (N, D), log_variance (N, D)).
    """
    outputs = two_layer_forward(images, *encoder)[1]
    codes = outputs.shape[1] // 2
    return outputs[:, :codes], outputs[:, codes:]


def autoencoder_gradients(
    images: np.ndarray,
    encoder: list[np.ndarray] | tuple[np.ndarray, ...],
    decoder: list[np.ndarray] | tuple[np.ndarray, ...],
) -> list[np.ndarray]:
    """Gradients of the mean of `bernoulli_negative_log_likelihood` by a plain autoencoder.

    No noise and no divergence: the decoder gets the encoder's output as it is (Goodfellow, Bengio
    & Courville, Deep Learning (2016), chapter 14).

    Args:
        images: (N, P), between 0 and 1.
        encoder: the four arrays of `sgd.two_layer_forward`, with D outputs.
        decoder: the same with D inputs and P outputs.

    Returns:
        Eight arrays: the gradients by the encoder's four, then by the decoder's four.
    """
    hidden, codes = two_layer_forward(images, *encoder)
    decoded, logits = two_layer_forward(codes, *decoder)
    at_logits = (sigmoid(logits) - images) / len(images)
    at_codes = ((at_logits @ decoder[2].T) * (decoded > 0)) @ decoder[0].T
    return [
        *hidden_layer_gradients(images, hidden, encoder[2], at_codes),
        *hidden_layer_gradients(codes, decoded, decoder[2], at_logits),
    ]


def vae_gradients(
    images: np.ndarray,
    noise: np.ndarray,
    encoder: list[np.ndarray] | tuple[np.ndarray, ...],
    decoder: list[np.ndarray] | tuple[np.ndarray, ...],
) -> list[np.ndarray]:
    """Gradients of `negative_elbo` by all parameters of a variational autoencoder.

    Encoder and decoder have one hidden layer with ReLU each, as `sgd.two_layer_forward`.

    Args:
        images: (N, P), between 0 and 1.
        noise: (N, D), from N(0, 1).
        encoder: (weights_in (P, H), bias_in (H,), weights_out (H, 2D), bias_out (2D,)).
        decoder: (weights_in (D, H), bias_in (H,), weights_out (H, P), bias_out (P,)).

    Returns:
        Eight arrays: the gradients by the encoder's four, then by the decoder's four.
    """
    count = len(images)
    hidden, outputs = two_layer_forward(images, *encoder)
    mean, log_variance = np.split(outputs, 2, axis=1)
    codes = reparameterize(mean, log_variance, noise)
    decoded, logits = two_layer_forward(codes, *decoder)

    at_logits = (sigmoid(logits) - images) / count
    by_decoder = hidden_layer_gradients(codes, decoded, decoder[2], at_logits)
    at_codes = ((at_logits @ decoder[2].T) * (decoded > 0)) @ decoder[0].T
    through_sample = reparameterize_gradients(at_codes, log_variance, noise)
    through_kl = kl_gradients(mean, log_variance)
    at_outputs = np.hstack([s + k / count for s, k in zip(through_sample, through_kl, strict=True)])
    by_encoder = hidden_layer_gradients(images, hidden, encoder[2], at_outputs)
    return [*by_encoder, *by_decoder]


# --- a model whose likelihood is known ------------------------------------------------------------


def log_normal(x: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Logarithm of the density of N(mean, variance) at x, entry by entry (Bishop 2006, eq. 1.46).

    Args:
        x, mean, variance: shapes that broadcast; variances are positive.
    """
    density: np.ndarray = -(np.log(2 * math.pi * variance) + (x - mean) ** 2 / variance) / 2
    return density


def linear_gaussian_log_likelihood(x: float, weight: float, variance: float) -> float:
    """Exact log p(x) where z has the prior N(0, 1) and x given z is N(weight·z, variance).

    A sum of two Gaussians is one: x is N(0, weight² + variance) (Bishop 2006, eq. 2.115).

    Args:
        x: what was observed.
        weight: the decoder.
        variance: of x given z.
    """
    return float(log_normal(np.array(x), np.array(0.0), np.array(weight**2 + variance)))


def linear_gaussian_posterior(x: float, weight: float, variance: float) -> tuple[float, float]:
    """Mean and variance of z given x in the model of `linear_gaussian_log_likelihood`.

    (Bishop 2006, eq. 2.116 and 2.117.)
    """
    spread = weight**2 + variance
    return weight * x / spread, variance / spread


def linear_gaussian_elbo(
    x: float | np.ndarray,
    mean: float | np.ndarray,
    log_variance: float | np.ndarray,
    weight: float,
    variance: float,
    kl_weight: float = 1.0,
) -> np.ndarray:
    """Exact ELBO of that model with q = N(mean, exp(log_variance)), for arrays that broadcast.

    E[(x - w z)²] is (x - w m)² + w² exp(v), so the expectation needs no sample.

    Args:
        x: what was observed.
        mean, log_variance: of q(z|x), one for each entry of the result.
        weight, variance: as in `linear_gaussian_log_likelihood`.
        kl_weight: 1 for the ELBO; any less is no bound.
    """
    mean, log_variance = np.asarray(mean, float), np.asarray(log_variance, float)
    squared = (x - weight * mean) ** 2 + weight**2 * np.exp(log_variance)
    expected = -(math.log(2 * math.pi * variance) + squared / variance) / 2
    divergence = (mean**2 + np.exp(log_variance) - 1 - log_variance) / 2
    elbo: np.ndarray = expected - kl_weight * divergence
    return elbo
