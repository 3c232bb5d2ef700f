"""Plain PyTorch forms of JMMD, MK-MMD, DANN and CDAN, by the literature's recipe, on the windows that fdx adapts on.

    make bench-adapt      (or: python -m benchmarks.references --torch_python=/path/to/its/python)

`recipe` and `records` belong to fdx's side and need no PyTorch; `common` and the file of each method need PyTorch and
NumPy only, and run in a process of their own. So does `torch_forms`, the networks of fdx for the table of speed.
"""
