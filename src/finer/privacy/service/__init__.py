"""The public interface of privacy: requests, holds, breaches, the catalogue, retention, erasure and export."""
