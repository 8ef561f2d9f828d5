"""A fine-tuning on the number of virtual CPU devices that the command line names.

    python tests/transfer/two_devices.py NUMBER FILE

Saves the number of devices that took part, the losses and the weights that trained. A process of
its own, because a backend counts its devices once; JAX looks for NUMBER in XLA_FLAGS.
"""

import sys

import keras
import numpy as np

from course_lib.transfer import devices, finetune

NUMBER, FILE = int(sys.argv[1]), sys.argv[2]
if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    [cpu] = tf.config.list_physical_devices("CPU")
    virtual = [tf.config.LogicalDeviceConfiguration() for _ in range(NUMBER)]
    tf.config.set_logical_device_configuration(cpu, virtual)

random = np.random.default_rng(0)
images = random.normal(size=(32, 8, 8, 3)).astype(np.float32)
labels = np.arange(32) % 2
images[labels == 1] += 0.5

with devices.every_device() as strategy:
    if keras.config.backend() == "jax" and (distribution := keras.distribution.distribution()):
        taking_part = distribution.device_mesh.devices.size
    else:
        taking_part = strategy.num_replicas_in_sync if strategy else 1
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input(images.shape[1:])
    for number in range(2):
        x = keras.layers.Conv2D(8, 3, name=f"convolution{number}")(x)
        x = keras.layers.BatchNormalization(name=f"norm{number}")(x)
        x = keras.layers.ReLU(name=f"relu{number}")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, finetune.head(np.ones((2, 8)), 2, dropout=0.0)(x))
    finetune.unfreeze(model, "convolution1")
    plan = finetune.Plan(epochs=3, batch_size=8, learning_rate=0.01)
    run = finetune.fine_tune(
        model, [images], labels, plan, train=np.arange(32), ends=["relu0", "relu1"]
    )
np.savez(
    FILE,
    *(keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights),
    devices=taking_part,
    losses=run.losses,
)
