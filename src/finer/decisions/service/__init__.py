"""The public interface of decisions: verdicts and alerts, and the cases that people work on."""
