"""The bundled sample book: an invented wholesaler, its customers and how they pay."""
