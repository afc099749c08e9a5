"""The presenter: shows a protocol on vertical sync and says at each flip what came on, in a process of its own."""
