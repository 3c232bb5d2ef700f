"""Flax networks by name."""

from fdx.models.registry import MODELS, create_model, model_names

__all__ = ['MODELS', 'create_model', 'model_names']
