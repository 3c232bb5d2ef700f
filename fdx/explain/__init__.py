"""Why a network says what it says: which part of its input a verdict rests on, and how far that can be trusted.

    network       the network of a checkpoint as a function that can be differentiated, and the same with random weights
    baseline      the input that stands for "nothing to see"
    integrated_gradients, grad_cam, occlusion      one method per file, named in `methods`
    spectral      attribution of samples as attribution of frequencies
    orders        shaft, gear and fault orders on the axes of an input, and their share of an attribution
    faithfulness  what happens to the verdict when the most important values are taken away or put back first
    nearest       the training recordings that a window is most like
    explanation   all of it for one window

Everything here works on arrays and checkpoints. Figures, pages and datasets are the business of fdx.evaluate.
"""
