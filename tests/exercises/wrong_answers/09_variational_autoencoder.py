"""Wrong answers to the exercises of lesson 09, as learners write them; each `def` is one of them."""


def bernoulli_negative_log_likelihood(logits, images):
    p = 1 / (1 + np.exp(-logits))
    nll = -images * np.log(p) - (1 - images) * np.log(1 - p)
    return nll.sum(axis=1)


def bernoulli_negative_log_likelihood(logits, images):
    p = sigmoid(logits)
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -np.sum(images * np.log(p) + (1 - images) * np.log(1 - p), axis=1)


def bernoulli_negative_log_likelihood(logits, images):
    nll = np.maximum(logits, 0) - logits * images + np.log(1 + np.exp(-np.abs(logits)))
    return nll.mean(axis=1)


def bernoulli_negative_log_likelihood(logits, images):
    nll = np.log1p(np.exp(-np.abs(logits))) - logits * images
    return nll.sum(axis=1)


def bernoulli_negative_log_likelihood(logits, images):
    nll = np.maximum(logits, 0) - logits * images + np.log1p(np.exp(np.abs(logits)))
    return nll.sum(axis=1)


def kl_to_standard_normal(mean, log_variance):
    kl = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)
    return kl.sum()


def kl_to_standard_normal(mean, log_variance):
    sigma2 = log_variance**2
    return 0.5 * np.sum(mean**2 + sigma2 - 1 - np.log(sigma2), axis=1)


def kl_to_standard_normal(mean, log_variance):
    return -0.5 * np.sum(1 + log_variance - mean**2 + np.exp(log_variance), axis=1)


def kl_to_standard_normal(mean, log_variance):
    var = np.exp(log_variance)
    return 0.5 * np.sum(mean + var - 1 - log_variance, axis=1)


def kl_to_standard_normal(mean, log_variance):
    return np.sum(mean**2 + np.exp(log_variance) - log_variance, axis=1) / 2


def kl_gradients(mean, log_variance):
    return mean, 0.5 * np.exp(log_variance)


def kl_gradients(mean, log_variance):
    return 2 * mean, np.exp(log_variance) - 1


def kl_gradients(mean, log_variance):
    n = len(mean)
    return mean / n, (np.exp(log_variance) - 1) / 2 / n


def kl_gradients(mean, log_variance):
    by_mean = mean
    by_logvar = 0.5 * (1 - np.exp(log_variance))
    return by_mean, by_logvar


def reparameterize(mean, log_variance, noise):
    return mean + log_variance * noise


def reparameterize(mean, log_variance, noise):
    std = np.sqrt(log_variance)
    return mean + std * noise


def reparameterize(mean, log_variance, noise):
    std = np.exp(log_variance) / 2
    return mean + std * noise


def reparameterize(mean, log_variance, noise):
    return (mean + noise) * np.exp(0.5 * log_variance)


def reparameterize_gradients(upstream, log_variance, noise):
    std = np.exp(0.5 * log_variance)
    return upstream, upstream * noise * std


def reparameterize_gradients(upstream, log_variance, noise):
    std = np.exp(0.5 * log_variance)
    return upstream, upstream * 0.5 * std


def reparameterize_gradients(upstream, log_variance, noise):
    std = np.exp(0.5 * log_variance)
    return np.ones_like(upstream), 0.5 * noise * std


def negative_elbo(logits, images, mean, log_variance):
    rec = bernoulli_negative_log_likelihood(logits, images)
    kl = kl_to_standard_normal(mean, log_variance)
    return rec.mean() - kl.mean()


def negative_elbo(logits, images, mean, log_variance):
    rec = bernoulli_negative_log_likelihood(logits, images)
    kl = kl_to_standard_normal(mean, log_variance)
    return np.sum(rec + kl)


def negative_elbo(logits, images, mean, log_variance):
    rec = bernoulli_negative_log_likelihood(logits, images)
    kl = kl_to_standard_normal(mean, log_variance)
    return rec + kl


def vae_gradients(images, noise, encoder, decoder):
    n = len(images)
    h_enc, out = two_layer_forward(images, *encoder)
    mean, logvar = np.split(out, 2, axis=1)
    z = reparameterize(mean, logvar, noise)
    h_dec, logits = two_layer_forward(z, *decoder)
    d_logits = (sigmoid(logits) - images) / n
    dec = hidden_layer_gradients(z, h_dec, decoder[2], d_logits)
    d_h = (d_logits @ decoder[2].T) * (h_dec > 0)
    d_z = d_h @ decoder[0].T
    d_mean, d_logvar = reparameterize_gradients(d_z, logvar, noise)
    k_mean, k_logvar = kl_gradients(mean, logvar)
    d_out = np.hstack([d_mean + k_mean, d_logvar + k_logvar])
    enc = hidden_layer_gradients(images, h_enc, encoder[2], d_out)
    return list(enc) + list(dec)


def vae_gradients(images, noise, encoder, decoder):
    n = len(images)
    h_enc, out = two_layer_forward(images, *encoder)
    mean, logvar = np.split(out, 2, axis=1)
    z = reparameterize(mean, logvar, noise)
    h_dec, logits = two_layer_forward(z, *decoder)
    d_logits = (sigmoid(logits) - images) / n
    dec = hidden_layer_gradients(z, h_dec, decoder[2], d_logits)
    d_h = d_logits @ decoder[2].T
    d_z = d_h @ decoder[0].T
    d_mean, d_logvar = reparameterize_gradients(d_z, logvar, noise)
    k_mean, k_logvar = kl_gradients(mean, logvar)
    d_out = np.hstack([d_mean + k_mean / n, d_logvar + k_logvar / n])
    enc = hidden_layer_gradients(images, h_enc, encoder[2], d_out)
    return list(enc) + list(dec)


def vae_gradients(images, noise, encoder, decoder):
    n = len(images)
    h_enc, out = two_layer_forward(images, *encoder)
    mean, logvar = np.split(out, 2, axis=1)
    z = reparameterize(mean, logvar, noise)
    h_dec, logits = two_layer_forward(z, *decoder)
    d_logits = sigmoid(logits) - images
    dec = hidden_layer_gradients(z, h_dec, decoder[2], d_logits)
    d_h = (d_logits @ decoder[2].T) * (h_dec > 0)
    d_z = d_h @ decoder[0].T
    d_mean, d_logvar = reparameterize_gradients(d_z, logvar, noise)
    k_mean, k_logvar = kl_gradients(mean, logvar)
    d_out = np.hstack([d_mean + k_mean, d_logvar + k_logvar]) / n
    enc = hidden_layer_gradients(images, h_enc, encoder[2], d_out)
    return list(enc) + list(dec)
