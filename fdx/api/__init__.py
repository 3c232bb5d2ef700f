"""The front door: the functions that `import fdx` offers. They put the rooms together and add nothing of their own."""
