#!/usr/bin/python3 -B
"""photo.sh in NumPy alone: reference.py PHOTO.pgm RESULT.pgm, no FastGPU.

The result has to be the same to the bit.
"""

import sys

import numpy as np


def read_pgm(path):
    with open(path, "rb") as file:
        magic, size, white = (file.readline().split() for _ in range(3))
        if (magic, white) != ([b"P5"], [b"255"]):
            raise ValueError(f"{path} is no PGM of one byte a pixel")
        width, height = map(int, size)
        return np.frombuffer(file.read(), np.uint8).reshape(height, width)


def write_pgm(path, picture):
    height, width = picture.shape
    with open(path, "wb") as file:
        file.write(b"P5\n%d %d\n255\n" % (width, height) + picture.tobytes())


def weighted(picture, weights, axis):
    """The sum of the neighbours along an axis, each by its weight; the border goes on outside."""
    reach = len(weights) // 2
    padding = [(0, 0), (0, 0)]
    padding[axis] = (reach, reach)
    padded = np.pad(picture.astype(int), padding, mode="edge")
    length = picture.shape[axis]
    parts = [padded.take(np.arange(i, i + length), axis) for i in range(len(weights))]
    return sum(weight * part for weight, part in zip(weights, parts))


def blur(picture, axis):
    return (weighted(picture, [1, 4, 6, 4, 1], axis) + 8) // 16


def edges(picture):
    slope_x = weighted(weighted(picture, [-1, 0, 1], 1), [1, 2, 1], 0)
    slope_y = weighted(weighted(picture, [-1, 0, 1], 0), [1, 2, 1], 1)
    return np.minimum(np.sqrt(slope_x**2 + slope_y**2), 255).astype(np.uint8)


def all_filters(picture):
    return edges(blur(blur(picture, 1), 0))


if __name__ == "__main__":
    write_pgm(sys.argv[2], all_filters(read_pgm(sys.argv[1])))
