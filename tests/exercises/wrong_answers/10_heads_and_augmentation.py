"""Wrong answers to the exercises of lesson 10, as learners write them; each `def` is one of them."""


def head_parameters(height, width, channels, hidden, classes, pooling):
    if pooling == "flatten":
        n = height * width * channels
    else:
        n = height * width
    if hidden == 0:
        return n * classes + classes
    return n * hidden + hidden + hidden * classes + classes


def head_parameters(height, width, channels, hidden, classes, pooling):
    n = height * width * channels if pooling == "flatten" else channels
    total = n * hidden + hidden
    total += hidden * classes + classes
    return total


def head_parameters(height, width, channels, hidden, classes, pooling):
    n = height * width * channels if pooling == "flatten" else channels
    if hidden > 0:
        return n * hidden + hidden * classes
    return n * classes


def head_parameters(height, width, channels, hidden, classes, pooling):
    n = height * width * channels if pooling == "flatten" else channels
    if hidden == 0:
        return n * classes + classes
    return n * hidden * classes + hidden + classes


def head_parameters(height, width, channels, hidden, classes, pooling):
    if pooling == "flatten":
        inputs = height + width + channels
    else:
        inputs = channels
    layers = [inputs, hidden, classes] if hidden else [inputs, classes]
    count = 0
    for i in range(len(layers) - 1):
        count += (layers[i] + 1) * layers[i + 1]
    return count


def head_parameters(height, width, channels, hidden, classes, pooling):
    inputs = channels
    if pooling == "flatten":
        inputs = height * width * channels
    if hidden == 0:
        return inputs * classes
    return inputs * hidden + hidden + hidden * classes + classes


def flip_horizontal(images, flags):
    out = images
    for n, flag in enumerate(flags):
        if flag:
            out[n] = images[n, :, ::-1]
    return out


def flip_horizontal(images, flags):
    out = images.copy()
    for n in range(len(images)):
        if flags[n]:
            out[n] = images[n, ::-1]
    return out


def flip_horizontal(images, flags):
    out = np.zeros_like(images)
    out[flags] = images[flags][:, :, ::-1]
    return out


def flip_horizontal(images, flags):
    return np.where(flags[:, None, None, None], images, images[:, :, ::-1])


def flip_horizontal(images, flags):
    out = images.copy()
    for n in range(len(images)):
        if flags[n]:
            out[n] = np.flip(images[n])
    return out


def flip_horizontal(images, flags):
    out = images.copy()
    width = images.shape[2]
    for n in range(len(images)):
        if flags[n]:
            for j in range(width):
                out[n, :, j] = out[n, :, width - 1 - j]
    return out


def flip_horizontal(images, flags):
    return np.array([np.rot90(image, 2) if f else image for image, f in zip(images, flags)])


def random_crop(images, size, top, left):
    out = []
    for i in range(len(images)):
        out.append(images[i, left[i] : left[i] + size, top[i] : top[i] + size])
    return np.array(out)


def random_crop(images, size, top, left):
    t, l = top[0], left[0]
    return images[:, t : t + size, l : l + size, :]


def random_crop(images, size, top, left):
    out = np.zeros((len(images), size, size, images.shape[3]))
    for i in range(len(images)):
        out[i] = images[0, top[i] : top[i] + size, left[i] : left[i] + size]
    return out


def random_crop(images, size, top, left):
    out = np.zeros((len(images), size, size, images.shape[3]))
    for i, (t, l) in enumerate(zip(top, left)):
        for u in range(size - 1):
            for v in range(size - 1):
                out[i, u, v] = images[i, t + u, l + v]
    return out


def random_crop(images, size, top, left):
    out = np.zeros((len(images), size, size, images.shape[3]))
    for i, (t, l) in enumerate(zip(top, left)):
        out[i] = images[i, t : t + size, l : l + size, ::-1]
    return out


def random_crop(images, size, top, left):
    out = np.zeros((len(images), size, size, images.shape[3]))
    for i in range(len(images) - 1):
        out[i] = images[i, top[i] : top[i] + size, left[i] : left[i] + size]
    return out


def bilinear_resize(images, height, width):
    n, h, w, c = images.shape
    out = np.zeros((n, height, width, c))
    for i in range(height):
        for j in range(width):
            y, x = i * h / height, j * w / width
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, h - 1), min(x0 + 1, w - 1)
            a, b = y - y0, x - x0
            out[:, i, j] = (
                (1 - a) * (1 - b) * images[:, y0, x0]
                + (1 - a) * b * images[:, y0, x1]
                + a * (1 - b) * images[:, y1, x0]
                + a * b * images[:, y1, x1]
            )
    return out


def bilinear_resize(images, height, width):
    n, h, w, c = images.shape
    out = np.zeros((n, height, width, c))
    for i in range(height):
        for j in range(width):
            y = (i + 0.5) * h / height - 0.5
            x = (j + 0.5) * w / width - 0.5
            y0, x0 = int(np.floor(y)), int(np.floor(x))
            a, b = y - y0, x - x0
            y1, x1 = min(y0 + 1, h - 1), min(x0 + 1, w - 1)
            top = (1 - b) * images[:, y0, x0] + b * images[:, y0, x1]
            bottom = (1 - b) * images[:, y1, x0] + b * images[:, y1, x1]
            out[:, i, j] = (1 - a) * top + a * bottom
    return out


def bilinear_resize(images, height, width):
    n, h, w, c = images.shape
    rows = np.round((np.arange(height) + 0.5) * h / height - 0.5).astype(int)
    columns = np.round((np.arange(width) + 0.5) * w / width - 0.5).astype(int)
    return images[:, rows.clip(0, h - 1)][:, :, columns.clip(0, w - 1)]


def bilinear_resize(images, height, width):
    n, h, w, c = images.shape
    y = np.linspace(0, h - 1, height)
    x = np.linspace(0, w - 1, width)
    y0, x0 = y.astype(int), x.astype(int)
    y1, x1 = np.minimum(y0 + 1, h - 1), np.minimum(x0 + 1, w - 1)
    a, b = (y - y0)[:, None, None], (x - x0)[:, None]
    top = (1 - b) * images[:, y0][:, :, x0] + b * images[:, y0][:, :, x1]
    bottom = (1 - b) * images[:, y1][:, :, x0] + b * images[:, y1][:, :, x1]
    return (1 - a) * top + a * bottom


def bilinear_resize(images, height, width):
    n, h, w, c = images.shape
    y = np.clip((np.arange(height) + 0.5) * h / height - 0.5, 0, h - 1)
    x = np.clip((np.arange(width) + 0.5) * w / width - 0.5, 0, w - 1)
    y0, x0 = y.astype(int), x.astype(int)
    y1, x1 = np.minimum(y0 + 1, h - 1), np.minimum(x0 + 1, w - 1)
    a, b = (y - y0)[:, None, None], (x - x0)[:, None]
    top = b * images[:, y0][:, :, x0] + (1 - b) * images[:, y0][:, :, x1]
    bottom = b * images[:, y1][:, :, x0] + (1 - b) * images[:, y1][:, :, x1]
    return a * top + (1 - a) * bottom


def bilinear_resize(images, height, width):
    n, h, w, c = images.shape
    y = np.clip((np.arange(height) + 0.5) * h / height - 0.5, 0, h - 1)
    x = np.clip((np.arange(width) + 0.5) * w / width - 0.5, 0, w - 1)
    y0, x0 = y.astype(int), x.astype(int)
    y1, x1 = np.minimum(y0 + 1, h - 1), np.minimum(x0 + 1, w - 1)
    corners = [images[:, i][:, :, j] for i in (y0, y1) for j in (x0, x1)]
    return sum(corners) / 4


def shear_displacement(height, degrees):
    return height / 2 * np.tan(degrees)


def shear_displacement(height, degrees):
    return height * np.tan(np.deg2rad(degrees))


def shear_displacement(height, degrees):
    return height / 2 * np.sin(np.deg2rad(degrees))


def shear_displacement(height, degrees):
    return height / 2 * degrees / 100


def shear_displacement(height, degrees):
    return height / 2 * np.tan(np.rad2deg(degrees))


def shear_displacement(height, degrees):
    return height / 2 * np.tan(degrees * np.pi / 360)


def shear_displacement(height, degrees):
    return (height - 1) / 2 * np.tan(np.deg2rad(degrees))


def mixup(images, onehot, share, order):
    mixed = share * images + (1 - share) * images[order]
    return mixed, onehot


def mixup(images, onehot, share, order):
    mixed = (1 - share) * images + share * images[order]
    labels = (1 - share) * onehot + share * onehot[order]
    return mixed, labels


def mixup(images, onehot, share, order):
    mixed = share * images + (1 - share) * images[order]
    labels = np.maximum(onehot, onehot[order])
    return mixed, labels


def mixup(images, onehot, share, order):
    mixed = share * images + (1 - share) * images[order]
    labels = 0.5 * onehot + 0.5 * onehot[order]
    return mixed, labels


def mixup(images, onehot, share, order):
    mixed = share * images[order] + (1 - share) * images
    labels = share * onehot + (1 - share) * onehot[order]
    return mixed, labels


def mixup(images, onehot, share, order):
    mixed = np.zeros_like(images)
    labels = np.zeros_like(onehot)
    for i, j in enumerate(order):
        mixed[j] = share * images[j] + (1 - share) * images[i]
        labels[j] = share * onehot[j] + (1 - share) * onehot[i]
    return mixed, labels


def smooth_labels(onehot, amount):
    k = onehot.shape[1]
    return onehot * (1 - amount) + (1 - onehot) * amount / (k - 1)


def smooth_labels(onehot, amount):
    return onehot * (1 - amount) + amount / onehot.shape[0]


def smooth_labels(onehot, amount):
    out = onehot * (1 - amount)
    out[onehot == 0] = amount / onehot.shape[1]
    return out


def smooth_labels(onehot, amount):
    return (1 - amount) * onehot + amount / 10


def smooth_labels(onehot, amount):
    return np.abs(onehot - amount / onehot.shape[1])


def smooth_labels(onehot, amount):
    noisy = onehot + amount
    return noisy / noisy.sum(axis=1, keepdims=True)


def smooth_labels(onehot, amount):
    return onehot - amount * onehot + amount * onehot / onehot.shape[1]


def head_parameters(height, width, channels, hidden, classes, pooling):
    inputs = channels
    if pooling == "flatten":
        inputs = height * width
    if hidden == 0:
        return inputs * classes + classes
    return inputs * hidden + hidden + hidden * classes + classes


def head_parameters(height, width, channels, hidden, classes, pooling):
    inputs = height * width * channels if pooling == "flatten" else channels
    layers = [inputs, hidden, classes]
    total = 0
    for a, b in zip(layers[:-1], layers[1:]):
        total += (a + 1) * b
    return total


def bilinear_resize(images, height, width):
    N, H, W, C = images.shape
    y = (np.arange(height) + 0.5) * H / height - 0.5
    x = (np.arange(width) + 0.5) * W / width - 0.5
    y0 = np.floor(y).astype(int)
    x0 = np.floor(x).astype(int)
    fy = (y - y0)[:, None, None]
    fx = (x - x0)[:, None]
    y0, x0 = np.clip(y0, 0, H - 2), np.clip(x0, 0, W - 2)
    rows = images[:, y0] * (1 - fy) + images[:, y0 + 1] * fy
    return rows[:, :, x0] * (1 - fx) + rows[:, :, x0 + 1] * fx


def flip_horizontal(images, flags):
    flipped = images[flags]
    flipped = flipped[:, :, ::-1, :]
    return np.concatenate([flipped, images[~flags]])


def mixup(images, onehot, share, order):
    new_images = images.copy()
    new_labels = onehot.copy()
    for i in range(len(images)):
        new_images[i] = share * new_images[i] + (1 - share) * new_images[order[i]]
        new_labels[i] = share * new_labels[i] + (1 - share) * new_labels[order[i]]
    return new_images, new_labels


def random_crop(images, size, top, left):
    h = size // 2
    return np.array(
        [
            im[max(t - h, 0) : max(t - h, 0) + size, max(l - h, 0) : max(l - h, 0) + size]
            for im, t, l in zip(images, top, left)
        ]
    )


def flip_horizontal(images, flags):
    out = images
    out = np.where(flags.reshape(-1, 1, 1, 1), out[:, :, ::-1], 0)
    return out
