"""The demo shop's own knowledge: documents, a generated chat history, and questions asked of both."""
