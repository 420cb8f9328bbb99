"""The public interface of screening, by what is asked of it."""
