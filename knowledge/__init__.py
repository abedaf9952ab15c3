"""The material: passages, index, search and answers."""
