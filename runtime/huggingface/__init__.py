"""To and from the Hugging Face Llama layout."""
