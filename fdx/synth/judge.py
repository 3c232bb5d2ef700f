"""Judges a generator: how close its images are to real ones, how much of them they cover, and what they teach.

Only the judge looks at test rows and at the rows that an imbalance took away; nothing of that goes back into training.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.synth.classifier import MODEL, STEPS, Classifier, fit_classifier
from fdx.synth.images import images_of, training_images, whole_training_part
from fdx.synth.judge_metrics import frechet_distance, jittered, manifold_precision_recall, memorisation
from fdx.synth.sampler import Sampler
from fdx.train.forward import Progress, no_progress

# Noise on real images of another class, in standard deviations of the images; a bad generator would draw such images.
JITTER = 0.1


@dataclasses.dataclass(frozen=True)
class Parts:
    """Images [N, H, W, C] and labels [N] by name: train, reference, test, generated.

    Attributes:
      images: name -> float32.
      labels: name -> int32.
    """

    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]

    def of_class(self, name: str, label: int) -> np.ndarray:
        """Images of one class."""
        return self.images[name][self.labels[name] == label]


def collect(sampler: Sampler, dataset: PreparedDataset, per_class: int, seed: int) -> Parts:
    """The images that are compared.

    `train` holds the rows that the generator saw, `reference` the whole training part, from which an imbalance may have
    taken rows, `test` the rows that the protocol scores, and `generated` has `per_class` new images of each class.
    """
    config, table = sampler.config, dataset.table
    data = training_images(config, dataset)
    labels = table[config.label_key]
    rows = {'train': data.rows, 'reference': whole_training_part(config, dataset), 'test': data.splits.test}
    images = {name: images_of(dataset, r) for name, r in rows.items()}
    known = {name: labels[r].astype(np.int32) for name, r in rows.items()}
    known['generated'] = np.repeat(sampler.classes(), per_class)
    images['generated'] = sampler.draw(known['generated'], seed)
    return Parts(images, known)


def judge(sampler: Sampler, parts: Parts, *, progress: Progress = no_progress) -> dict:
    """The figures of a generator; write_judgement explains their names.

    The embedding is that of a classifier trained on the reference part with the generator's seed.

    Args:
      sampler: the generator.
      parts: of `collect`.
      progress: wraps long work.
    """
    names, seed = sampler.meta['class_names'], sampler.config.seed
    real, made = (
        fit_classifier(parts.images[part], parts.labels[part], len(names), seed=seed, steps=STEPS, progress=progress)
        for part in ('reference', 'generated')
    )
    test = parts.images['test'], parts.labels['test']
    classes = _classes(real, parts, names, seed)
    ratios = [row['frechet_ratio'] for row in classes]
    return {
        'classes': classes,
        'frechet_ratio': float(np.mean(ratios)),
        'train_real_test_real': real.score(*test),
        'train_synthetic_test_real': made.score(*test),
        'train_real_test_synthetic': real.score(parts.images['generated'], parts.labels['generated']),
        'judge': f'{MODEL}, {STEPS} updates on the {len(parts.labels["reference"])} windows of the training part',
    }


def _classes(classifier: Classifier, parts: Parts, names: list[str], seed: int) -> list[dict]:
    """One row per class."""
    inside = {name: classifier.embeddings(images) for name, images in parts.images.items()}
    other = classifier.embeddings(jittered(parts.images['reference'], JITTER, seed))
    rows = []
    for label, name in enumerate(names):
        if not (parts.labels['train'] == label).any():
            continue  # The generator never saw this class, so it draws none of it.
        real, fake, train, test = (
            inside[part][parts.labels[part] == label] for part in ('reference', 'generated', 'train', 'test')
        )
        others = {
            k: frechet_distance(other[parts.labels['reference'] == k], real)
            for k in range(len(names))
            if k != label and (parts.labels['reference'] == k).any()
        }
        nearest = min(others, key=others.__getitem__)
        distance = frechet_distance(fake, real)
        precision, recall = manifold_precision_recall(real, fake)
        copies = memorisation(train, fake, test if len(test) else None)
        rows.append(
            {
                'name': name,
                'train_rows': len(train),
                'reference_rows': len(real),
                'generated': len(fake),
                'frechet': distance,
                'frechet_other_class': others[nearest],
                'other_class': names[nearest],
                'frechet_ratio': others[nearest] / distance if distance > 0 else float('inf'),
                'precision': precision,
                'recall': recall,
                'nearest_generated': copies.generated,
                'nearest_real': copies.held_out,
                'near_copies': copies.share_closer,
            }
        )
    return rows
