"""The public interface of identity, a module for each thing that can be asked of it."""
