"""Labels and subjects: protocols, training, evaluation, the subject store, reports."""
