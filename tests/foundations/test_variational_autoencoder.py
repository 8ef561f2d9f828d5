"""Lesson 09's reference: equations, NumPy, finite differences, sampling and Keras agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.foundations import losses
from course_lib.foundations import variational_autoencoder as vae
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.sgd import two_layer_forward

MODEL = {"weight": 1.5, "variance": 0.5}


@pytest.fixture
def rng():
    return np.random.default_rng(9)


@pytest.fixture
def network(rng):
    """Five pictures of 6 pixels, codes of 2 numbers, 7 hidden units, and noise."""
    shapes = [(6, 7), (7,), (7, 4), (4,), (2, 7), (7,), (7, 6), (6,)]
    parameters = [0.7 * rng.normal(size=shape) for shape in shapes]
    return rng.uniform(size=(5, 6)), rng.normal(size=(5, 2)), parameters


def loss_of(images, noise, parameters):
    mean, log_variance = vae.encode(images, parameters[:4])
    codes = vae.reparameterize(mean, log_variance, noise)
    logits = two_layer_forward(codes, *parameters[4:])[1]
    return vae.negative_elbo(logits, images, mean, log_variance)


# --- Keras and TensorFlow's automatic differentiation ---------------------------------------------


def test_likelihood_is_keras_binary_cross_entropy_summed(keras64, rng):
    logits, images = 3 * rng.normal(size=(4, 6)), rng.uniform(size=(4, 6))
    theirs = 6 * keras64.ops.convert_to_numpy(
        keras64.losses.binary_crossentropy(images, logits, from_logits=True)
    )
    ours = vae.bernoulli_negative_log_likelihood(logits, images)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_all_gradients_are_those_of_keras(keras64, network):
    from course_lib.transfer.autodiff import gradient

    images, noise, parameters = network
    ops = keras64.ops

    def two_layers(x, weights_in, bias_in, weights_out, bias_out):
        hidden = ops.relu(ops.add(ops.matmul(x, weights_in), bias_in))
        return ops.add(ops.matmul(hidden, weights_out), bias_out)

    def loss(parameter, index):
        p = [*parameters[:index], parameter, *parameters[index + 1 :]]
        mean, log_variance = ops.split(two_layers(images, *p[:4]), 2, axis=1)
        logits = two_layers(mean + ops.exp(log_variance / 2) * noise, *p[4:])
        pixels = keras64.losses.binary_crossentropy(images, logits, from_logits=True)
        kl = ops.sum(mean**2 + ops.exp(log_variance) - 1 - log_variance, axis=1) / 2
        return ops.mean(images.shape[1] * pixels + kl)

    ours = vae.vae_gradients(images, noise, parameters[:4], parameters[4:])
    for index, mine in enumerate(ours):
        theirs = gradient(lambda p, index=index: loss(p, index), parameters[index])
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


# --- finite differences ---------------------------------------------------------------------------


def test_all_gradients_are_slopes_of_the_loss(network):
    images, noise, parameters = network
    ours = vae.vae_gradients(images, noise, parameters[:4], parameters[4:])
    assert [g.shape for g in ours] == [p.shape for p in parameters]
    for index, mine in enumerate(ours):

        def loss(parameter, index=index):
            changed = [*parameters[:index], parameter, *parameters[index + 1 :]]
            return loss_of(images, noise, changed)

        slope = numerical_gradient(loss, parameters[index])
        np.testing.assert_allclose(mine, slope, rtol=1e-6, atol=1e-8)


def test_gradients_of_the_plain_autoencoder_are_its_slopes(network):
    images, _, parameters = network
    narrow = [*parameters[:2], parameters[2][:, :2], parameters[3][:2], *parameters[4:]]
    ours = vae.autoencoder_gradients(images, narrow[:4], narrow[4:])
    for index, mine in enumerate(ours):

        def loss(parameter, index=index):
            p = [*narrow[:index], parameter, *narrow[index + 1 :]]
            logits = two_layer_forward(two_layer_forward(images, *p[:4])[1], *p[4:])[1]
            return vae.bernoulli_negative_log_likelihood(logits, images).mean()

        slope = numerical_gradient(loss, narrow[index])
        np.testing.assert_allclose(mine, slope, rtol=1e-6, atol=1e-8)


def test_gradients_of_the_divergence_are_its_slopes(rng):
    mean, log_variance = rng.normal(size=(2, 3, 4))
    by_mean, by_log_variance = vae.kl_gradients(mean, log_variance)
    slope = numerical_gradient(lambda m: vae.kl_to_standard_normal(m, log_variance).sum(), mean)
    np.testing.assert_allclose(by_mean, slope, rtol=1e-6, atol=1e-9)
    slope = numerical_gradient(lambda v: vae.kl_to_standard_normal(mean, v).sum(), log_variance)
    np.testing.assert_allclose(by_log_variance, slope, rtol=1e-6, atol=1e-9)


def test_gradients_of_the_sample_are_its_slopes(rng):
    mean, log_variance, noise, upstream = rng.normal(size=(4, 3, 2))
    gradients = vae.reparameterize_gradients(upstream, log_variance, noise)
    slopes = (
        numerical_gradient(
            lambda m: np.sum(upstream * vae.reparameterize(m, log_variance, noise)), mean
        ),
        numerical_gradient(
            lambda v: np.sum(upstream * vae.reparameterize(mean, v, noise)), log_variance
        ),
    )
    for ours, slope in zip(gradients, slopes, strict=True):
        np.testing.assert_allclose(ours, slope, rtol=1e-6, atol=1e-9)


# --- sampling -------------------------------------------------------------------------------------


def test_the_sample_has_the_mean_and_the_variance_that_were_asked_for(rng):
    mean, log_variance = np.array([[1.0, -2.0]]), np.array([[-1.0, 1.5]])
    samples = vae.reparameterize(mean, log_variance, rng.normal(size=(200_000, 2)))
    np.testing.assert_allclose(samples.mean(axis=0), mean[0], atol=0.02)
    np.testing.assert_allclose(samples.var(axis=0), np.exp(log_variance[0]), rtol=0.02)


def test_the_divergence_is_what_samples_say(rng):
    mean, log_variance = np.array([[0.5, -1.0]]), np.array([[-1.0, 0.7]])
    codes = vae.reparameterize(mean, log_variance, rng.normal(size=(200_000, 2)))
    ratio = vae.log_normal(codes, mean, np.exp(log_variance)) - vae.log_normal(
        codes, np.zeros(2), np.ones(2)
    )
    sampled = ratio.sum(axis=1)
    error = sampled.std() / np.sqrt(len(sampled))
    exact = vae.kl_to_standard_normal(mean, log_variance)[0]
    assert abs(sampled.mean() - exact) < 4 * error


def test_densities_are_scipys_and_those_of_coins(rng):
    from scipy import stats

    x, mean, variance = rng.normal(size=5), rng.normal(size=5), rng.uniform(0.1, 3, size=5)
    theirs = stats.norm.logpdf(x, mean, np.sqrt(variance))
    np.testing.assert_allclose(vae.log_normal(x, mean, variance), theirs)
    logits, coins = rng.normal(size=(3, 8)), rng.integers(0, 2, size=(3, 8))
    theirs = -stats.bernoulli.logpmf(coins, losses.sigmoid(logits)).sum(axis=1)
    np.testing.assert_allclose(vae.bernoulli_negative_log_likelihood(logits, coins), theirs)


# --- what must hold -------------------------------------------------------------------------------

numbers = st.floats(-5, 5)


@given(numbers, numbers)
def test_a_divergence_is_never_negative(mean, log_variance):
    divergence = vae.kl_to_standard_normal(np.array([[mean]]), np.array([[log_variance]]))
    assert divergence[0] >= -1e-12


def test_the_divergence_is_zero_for_the_prior_alone():
    assert vae.kl_to_standard_normal(np.zeros((1, 3)), np.zeros((1, 3))) == 0


@given(numbers, numbers, numbers)
def test_the_elbo_is_a_bound_and_the_gap_is_the_divergence_from_the_posterior(x, mean, log_var):
    exact = vae.linear_gaussian_log_likelihood(x, **MODEL)
    m, v = vae.linear_gaussian_posterior(x, **MODEL)
    gap = exact - vae.linear_gaussian_elbo(x, mean, log_var, **MODEL)
    divergence = (np.exp(log_var) / v + (mean - m) ** 2 / v - 1 + np.log(v) - log_var) / 2
    assert gap == pytest.approx(divergence, abs=1e-9)
    assert gap >= -1e-12


def test_the_elbo_touches_at_the_posterior_and_half_a_divergence_goes_beyond():
    exact = vae.linear_gaussian_log_likelihood(1.0, **MODEL)
    mean, variance = vae.linear_gaussian_posterior(1.0, **MODEL)
    q = mean, np.log(variance)
    assert vae.linear_gaussian_elbo(1.0, *q, **MODEL) == pytest.approx(exact, abs=1e-12)
    assert vae.linear_gaussian_elbo(1.0, *q, **MODEL, kl_weight=0.5) > exact + 0.1


def test_likelihood_of_the_linear_model_is_the_integral_over_codes():
    codes = np.linspace(-12, 12, 20001)
    joint = vae.log_normal(codes, np.zeros(()), np.ones(())) + vae.log_normal(
        np.array(1.3), MODEL["weight"] * codes, np.array(MODEL["variance"])
    )
    integral = np.log(np.sum(np.exp(joint)) * (codes[1] - codes[0]))
    assert vae.linear_gaussian_log_likelihood(1.3, **MODEL) == pytest.approx(integral, abs=1e-9)


def test_logits_of_any_size_are_exact():
    logits = np.array([[1e4, -1e4, 1e4, -1e4]])
    right, wrong = np.array([[1.0, 0, 1, 0]]), np.array([[0.0, 1, 0, 1]])
    with np.errstate(all="raise", under="ignore"):
        assert vae.bernoulli_negative_log_likelihood(logits, right) == 0
        assert vae.bernoulli_negative_log_likelihood(logits, wrong) == 4e4


def test_the_loss_is_the_mean_over_pictures_of_both_terms(network):
    images, noise, parameters = network
    each = [loss_of(images[n : n + 1], noise[n : n + 1], parameters) for n in range(len(images))]
    assert loss_of(images, noise, parameters) == pytest.approx(np.mean(each))


def test_arguments_stay_as_they_are(network):
    images, noise, parameters = network
    before = [array.copy() for array in (images, noise, *parameters)]
    gradients = vae.vae_gradients(images, noise, parameters[:4], parameters[4:])
    vae.kl_gradients(noise, noise)[0][:] = 0
    vae.reparameterize_gradients(noise, noise, noise)[0][:] = 0
    for gradient in gradients:
        gradient[:] = 0
    for array, old in zip((images, noise, *parameters), before, strict=True):
        np.testing.assert_array_equal(array, old)
