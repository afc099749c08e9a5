"""From a network to numbers: eager torch, ONNX Runtime, TensorRT."""
