"""Export of the sentence encoder and training of the local critic, in an environment of its own."""
