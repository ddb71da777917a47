#!/usr/bin/python3
"""The training of digits.cpp in NumPy alone: same images, same start, same steps, no FastGPU.

Prints the loss and the test accuracy that the kernels have to meet within half a point.
"""

import argparse
import pathlib

import numpy as np

PIXELS, HIDDEN, CLASSES = 64, 64, 10
RECORD_BYTES = PIXELS + 1
DATA = pathlib.Path(__file__).resolve().parent / "data" / "digits.bin"


def load():
    records = np.fromfile(DATA, dtype=np.uint8).reshape(-1, RECORD_BYTES)
    is_test = np.arange(len(records)) % 6 == 5
    return records[~is_test], records[is_test]


def uniform_numbers(count, state=20261122):
    """Numbers in [0, 1): the linear congruential generator of Numerical Recipes, upper 24 bits."""
    numbers = np.empty(count, dtype=np.float32)
    for index in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        numbers[index] = (state >> 8) / 2**24
    return numbers


def initial_weights():
    """In a row: first layer [HIDDEN][PIXELS], its biases, second [CLASSES][HIDDEN], its biases."""
    first, second = HIDDEN * PIXELS, CLASSES * HIDDEN
    numbers = uniform_numbers(first + second) * np.float32(2) - np.float32(1)
    limit_first = np.float32(np.sqrt(6.0 / (PIXELS + HIDDEN)))
    limit_second = np.float32(np.sqrt(6.0 / (HIDDEN + CLASSES)))
    return np.concatenate(
        [
            numbers[:first] * limit_first,
            np.zeros(HIDDEN, np.float32),
            numbers[first:] * limit_second,
            np.zeros(CLASSES, np.float32),
        ]
    )


def split(weights):
    first, second = HIDDEN * PIXELS, CLASSES * HIDDEN
    parts = np.split(weights, np.cumsum([first, HIDDEN, second]))
    return parts[0].reshape(HIDDEN, PIXELS), parts[1], parts[2].reshape(CLASSES, HIDDEN), parts[3]


def forward(weights, records):
    first, first_bias, second, second_bias = split(weights)
    inputs = records[:, :PIXELS].astype(np.float32) / np.float32(16)
    hidden = np.maximum(inputs @ first.T + first_bias, 0)
    return inputs, hidden, hidden @ second.T + second_bias


def gradient(weights, records):
    """The summed gradient and the summed loss over all records."""
    second = split(weights)[2]
    inputs, hidden, scores = forward(weights, records)
    labels = records[:, PIXELS]
    scores = scores - scores.max(axis=1, keepdims=True)
    sums = np.exp(scores).sum(axis=1, keepdims=True)
    loss = (np.log(sums[:, 0]) - scores[np.arange(len(labels)), labels]).sum()
    delta = np.exp(scores) / sums
    delta[np.arange(len(labels)), labels] -= 1
    delta_hidden = (delta @ second) * (hidden > 0)
    parts = [delta_hidden.T @ inputs, delta_hidden.sum(axis=0), delta.T @ hidden, delta.sum(axis=0)]
    return np.concatenate([part.ravel() for part in parts]), float(loss)


def accuracy(weights, records):
    return float((forward(weights, records)[2].argmax(axis=1) == records[:, PIXELS]).mean())


def train(steps, rate=np.float32(0.02)):
    training, testing = load()
    weights = initial_weights()
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    loss = 0.0
    for step in range(1, steps + 1):
        sums, loss = gradient(weights, training)
        slope = sums / np.float32(len(training))
        mean = np.float32(0.9) * mean + np.float32(0.1) * slope
        square = np.float32(0.999) * square + np.float32(0.001) * slope * slope
        unbiased = mean / np.float32(1 - 0.9**step)
        spread = np.sqrt(square / np.float32(1 - 0.999**step)) + np.float32(1e-8)
        weights = weights - rate * unbiased / spread
    return loss / len(training), accuracy(weights, testing)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    loss, correct = train(options.steps)
    print(f"numpy: {options.steps} steps, loss {loss:.4f}, test accuracy {100 * correct:.2f} %")


if __name__ == "__main__":
    main()
