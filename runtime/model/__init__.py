"""The Llama model as plain torch modules; no process group is known here, except by the layers given to it."""
