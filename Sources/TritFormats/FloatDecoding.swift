import TritCore

/// Widening of on-disk float types to float32.
enum FloatDecoding {
  /// Decodes `bytes` of the tensor `info`.
  static func decode(_ bytes: UnsafeRawBufferPointer, info: TensorInfo, path: String) throws
    -> AlignedBuffer<Float>
  {
    throw LabError(.internalError, "not written yet", at: path)
  }
}
