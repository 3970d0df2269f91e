"""What a run writes for people and programs: event log, TensorBoard, progress line, trackers, Prometheus."""
