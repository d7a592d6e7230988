"""A trained model in use: recordings to embeddings, scores, and new animals. ``neural_action.load_model`` opens one."""
