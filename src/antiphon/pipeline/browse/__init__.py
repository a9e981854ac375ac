"""What a person looks through: recordings, detections, activity, thresholds."""
