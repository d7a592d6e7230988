"""Use of a trained model: embeddings, scores and adaptation to new animals. See ``neural_action.load_model``."""
