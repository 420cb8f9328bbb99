"""The public interface of scoring, a module for each thing that can be asked of it."""
