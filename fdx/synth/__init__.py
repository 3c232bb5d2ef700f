"""Generated spectrograms of rare faults: a conditional GAN, its samples as a dataset, and how they are judged."""
