#!/usr/bin/python3 -B
"""The statistics of csv.cpp in NumPy alone, straight from the columns: no shards, no FastGPU.

Prints the same names and values as `csv --save FILE` writes.
"""

import csv
import pathlib

import numpy as np

DATA = pathlib.Path(__file__).resolve().parent / "data" / "penguins.csv"
MEASURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")


def load():
    """Species, measures and sex of the rows without NA."""
    with open(DATA, newline="") as file:
        rows = [row for row in csv.DictReader(file) if "NA" not in row.values()]
    measures = np.array([[float(row[name]) for name in MEASURES] for row in rows])
    male = np.array([float(row["sex"] == "male") for row in rows])
    return np.array([row["species"] for row in rows]), measures, male


def groups(species, measures):
    values = {}
    for name in np.unique(species):
        mine = measures[species == name]
        values[f"count {name}"] = len(mine)
        for measure, mean, deviation in zip(MEASURES, mine.mean(axis=0), mine.std(axis=0, ddof=1)):
            values[f"mean {name} {measure}"] = mean
            values[f"deviation {name} {measure}"] = deviation
    return values


def with_constant(measures):
    return np.column_stack([np.ones(len(measures)), measures])


def errors(inputs, variance):
    """Standard errors of a least squares fit, without the square of its condition number."""
    inverse = np.linalg.inv(np.linalg.qr(inputs, mode="r"))
    return np.sqrt(variance * (inverse**2).sum(axis=1))


def named(kind, coefficients, deviations):
    values = {}
    for name, coefficient, deviation in zip(("constant", *MEASURES), coefficients, deviations):
        values[f"{kind} coefficient {name}"] = coefficient
        values[f"{kind} error {name}"] = deviation
    return values


def linear(measures):
    inputs, target = with_constant(measures[:, :-1]), measures[:, -1]
    coefficients = np.linalg.lstsq(inputs, target, rcond=None)[0]
    off = target - inputs @ coefficients
    variance = off @ off / (len(target) - inputs.shape[1])
    values = named("linear", coefficients, errors(inputs, variance))
    values["linear r_squared"] = 1 - off @ off / ((target - target.mean()) ** 2).sum()
    return values


def logistic(measures, male):
    """Newton's method as least squares again and again, each with weights from the last."""
    inputs = with_constant(measures)
    coefficients = np.zeros(inputs.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-inputs @ coefficients))
        root = np.sqrt(chance * (1 - chance))
        coefficients = (
            coefficients
            + np.linalg.lstsq(root[:, None] * inputs, (male - chance) / root, rcond=None)[0]
        )
    values = named("logistic", coefficients, errors(root[:, None] * inputs, 1))
    values["logistic log_likelihood"] = np.log(np.where(male == 1, chance, 1 - chance)).sum()
    values["logistic right"] = ((chance > 0.5) == (male == 1)).sum()
    return values


def everything():
    species, measures, male = load()
    return {**groups(species, measures), **linear(measures), **logistic(measures, male)}


if __name__ == "__main__":
    print("name,value")
    for key, value in everything().items():
        print(f"{key},{value:.17g}")
