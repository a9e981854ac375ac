"""Training with labels or a teacher: post-training, fine-tuning, distillation, averaged weights."""
