"""The public interface of lineage."""
