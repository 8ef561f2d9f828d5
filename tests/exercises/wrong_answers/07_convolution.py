"""Wrong answers to the exercises of lesson 07, as learners write them; each `def` is one of them."""


def conv2d(images, kernels, bias):
    N, H, W, C = images.shape
    h, w, C, F = kernels.shape
    out = np.zeros((N, H - h + 1, W - w + 1, F))
    for i in range(H - h + 1):
        for j in range(W - w + 1):
            patch = images[:, i : i + h, j : j + w, :]
            for f in range(F):
                out[:, i, j, f] = np.sum(patch * kernels[:, :, :, f], axis=(1, 2, 3))
    return out


def conv2d(images, kernels, bias):
    N, H, W, C = images.shape
    h, w, _, F = kernels.shape
    out = np.zeros((N, H - h + 1, W - w + 1, F))
    for i in range(H - h):
        for j in range(W - w):
            patch = images[:, i : i + h, j : j + w, :]
            out[:, i, j] = np.tensordot(patch, kernels, axes=3) + bias
    return out


def conv2d(images, kernels, bias):
    N, H, W, C = images.shape
    h, w, _, F = kernels.shape
    out = np.zeros((N, H - h + 1, W - w + 1, F))
    flipped = kernels[::-1, ::-1]
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            patch = images[:, i : i + h, j : j + w, :]
            out[:, i, j] = np.tensordot(patch, flipped, axes=3) + bias
    return out


def conv2d(images, kernels, bias):
    N, H, W, C = images.shape
    h, w, _, F = kernels.shape
    rows, cols = H - h + 1, W - w + 1
    out = np.zeros((N, rows, cols, F))
    for u in range(h):
        for v in range(w):
            out += images[:, u : u + rows, v : v + cols] @ kernels[u, v] + bias
    return out


def conv_output_size(size, kernel, stride, padding):
    if padding == "same":
        return size
    return (size - kernel) // stride + 1


def conv_output_size(size, kernel, stride, padding):
    if padding == "same":
        return int(np.ceil(size / stride))
    return (size - kernel + 1) // stride


def conv_output_size(size, kernel, stride, padding):
    if padding == "same":
        return size // stride
    else:
        return (size - kernel) // stride + 1


def conv2d_gradients(images, kernels, upstream):
    h, w, C, F = kernels.shape
    rows, cols = upstream.shape[1], upstream.shape[2]
    d_images = np.zeros_like(images)
    d_kernels = np.zeros_like(kernels)
    for u in range(h):
        for v in range(w):
            patch = images[:, u : u + rows, v : v + cols]
            d_images[:, u : u + rows, v : v + cols] = upstream @ kernels[u, v].T
            d_kernels[u, v] = np.einsum("nijc,nijf->cf", patch, upstream)
    return d_images, d_kernels, upstream.sum(axis=(0, 1, 2))


def conv2d_gradients(images, kernels, upstream):
    h, w, C, F = kernels.shape
    rows, cols = upstream.shape[1], upstream.shape[2]
    d_images = np.zeros_like(images)
    d_kernels = np.zeros_like(kernels)
    for u in range(h):
        for v in range(w):
            patch = images[:, u : u + rows, v : v + cols]
            d_images[:, u : u + rows, v : v + cols] += upstream @ kernels[u, v].T
            d_kernels[u, v] = np.einsum("nijc,nijf->cf", patch, upstream)
    return d_images, d_kernels, upstream.mean(axis=(0, 1, 2))


def conv2d_gradients(images, kernels, upstream):
    h, w, C, F = kernels.shape
    rows, cols = upstream.shape[1], upstream.shape[2]
    d_images = np.zeros_like(images)
    d_kernels = np.zeros_like(kernels)
    for i in range(rows):
        for j in range(cols):
            patch = images[:, i : i + h, j : j + w]
            g = upstream[:, i, j]
            d_kernels = np.einsum("nuvc,nf->uvcf", patch, g)
            d_images[:, i : i + h, j : j + w] += np.einsum("nf,uvcf->nuvc", g, kernels)
    return d_images, d_kernels, upstream.sum(axis=(0, 1, 2))


def max_pool2d(images, size):
    N, H, W, C = images.shape
    out = np.zeros((N, H // size, W // size, C))
    for i in range(H // size):
        for j in range(W // size):
            out[:, i, j] = images[:, i : i + size, j : j + size].max(axis=(1, 2))
    return out


def max_pool2d(images, size):
    N, H, W, C = images.shape
    out = np.zeros((N, H // size, W // size, C))
    for i in range(H // size):
        for j in range(W // size):
            out[:, i, j] = images[:, i * size : (i + 1) * size, j * size : (j + 1) * size].mean(
                axis=(1, 2)
            )
    return out


def max_pool2d(images, size):
    N, H, W, C = images.shape
    blocks = images.reshape(N, size, H // size, size, W // size, C)
    return blocks.max(axis=(1, 3))


def max_pool2d_gradient(images, size, upstream):
    N, H, W, C = images.shape
    grad = np.zeros_like(images)
    for n in range(N):
        for i in range(H // size):
            for j in range(W // size):
                for c in range(C):
                    block = images[n, i * size : (i + 1) * size, j * size : (j + 1) * size, c]
                    grad[n, i * size : (i + 1) * size, j * size : (j + 1) * size, c] = upstream[
                        n, i, j, c
                    ]
    return grad


def max_pool2d_gradient(images, size, upstream):
    big = np.repeat(np.repeat(upstream, size, axis=1), size, axis=2)
    return big / size**2


def max_pool2d_gradient(images, size, upstream):
    N, H, W, C = images.shape
    blocks = images.reshape(N, H // size, size, W // size, size, C)
    won = blocks == blocks.max(axis=(2, 4), keepdims=True)
    return won.reshape(images.shape) * images


def receptive_field(kernels, strides):
    r = 1
    for k, s in zip(kernels, strides):
        r = r + (k - 1) * s
    return r


def receptive_field(kernels, strides):
    r, jump = 1, 1
    for k, s in zip(kernels, strides):
        jump *= s
        r += (k - 1) * jump
    return r


def receptive_field(kernels, strides):
    r = 0
    jump = 1
    for k, s in zip(kernels, strides):
        r += (k - 1) * jump
        jump *= s
    return r


def receptive_field(kernels, strides):
    r, jump = 1, 1
    for k, s in zip(kernels, strides):
        r += k * jump
        jump *= s
    return r


def residual_gradients(x, weights, upstream):
    h = x @ weights
    dh = upstream * (h > 0)
    return dh @ weights.T, x.T @ dh


def residual_gradients(x, weights, upstream):
    h = x @ weights
    mask = h > 0
    dx = upstream + upstream @ weights.T * mask
    dw = x.T @ (upstream * mask)
    return dx, dw


def residual_gradients(x, weights, upstream):
    h = np.maximum(x @ weights, 0)
    dh = upstream * h
    return upstream + dh @ weights.T, x.T @ dh


def max_pool2d(images, size):
    return (
        np.maximum.reduce(
            [
                images[:, 0::size, 0::size],
                images[:, 0::size, 1::size],
                images[:, 1::size, 0::size],
                images[:, 1::size, 1::size],
            ]
        )
        if size > 1
        else images
    )


def max_pool2d_gradient(images, size, upstream):
    big = np.tile(max_pool2d(images, size), (1, size, size, 1))
    g = np.tile(upstream, (1, size, size, 1))
    return np.where(images == big, g, 0)
