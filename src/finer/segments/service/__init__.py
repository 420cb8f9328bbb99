"""The public interface of segments."""
