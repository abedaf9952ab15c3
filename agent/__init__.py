"""The conversation: values, critic, counterpart, session, store."""
