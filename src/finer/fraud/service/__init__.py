"""The public interface of fraud, by what is asked of it."""
