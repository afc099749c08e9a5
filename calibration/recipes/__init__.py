"""How each network is trained: data, model and loss."""
