"""What has to outlive the process. Nobody but this package speaks SQL."""
