"""The public interface of sources, by subject."""
