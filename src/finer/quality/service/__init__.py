"""The public interface of quality."""
