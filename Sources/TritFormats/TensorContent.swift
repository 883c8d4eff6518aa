public import TritCore

/// A tensor to be written to a file: its description and where its bytes come from.
///
/// The bytes are asked for once, while the file is written, piece by piece, so that a large model
/// never has to be in memory as a whole.
public struct TensorContent {
  /// Takes the next bytes of the tensor.
  public typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  /// Name, type, row-major shape, size.
  public let info: TensorInfo
  private let produce: (Sink) throws -> Void

  /// A tensor whose bytes `produce` hands over in order, exactly as many as type and shape say.
  public init(
    name: String, type: TensorType, shape: [Int], produce: @escaping (Sink) throws -> Void
  ) throws {
    do {
      let size = try type.byteCount(shape: shape)
      info = TensorInfo(name: name, type: type, shape: shape, byteCount: size)
    } catch let error as LabError {
      throw error.inside("tensor '\(name)'")
    }
    self.produce = produce
  }

  /// A tensor whose bytes are `bytes`, which must stay valid until the file is written.
  public init(name: String, type: TensorType, shape: [Int], bytes: UnsafeRawBufferPointer) throws {
    try self.init(name: name, type: type, shape: shape) { sink in try sink(bytes) }
    try requireSize(bytes.count)
  }

  /// A tensor whose bytes are in an array.
  public init(name: String, type: TensorType, shape: [Int], bytes: [UInt8]) throws {
    try self.init(name: name, type: type, shape: shape) { sink in
      try bytes.withUnsafeBytes { try sink($0) }
    }
    try requireSize(bytes.count)
  }

  /// A tensor of float32 values, encoded as `type` while it is written.
  public init(name: String, type: TensorType, shape: [Int], floats: AlignedBuffer<Float>) throws {
    guard FloatEncoding.types.contains(type) else {
      throw LabError(
        .badData, "floats cannot be written as \(type.name)", at: "tensor '\(name)'",
        expected: FloatEncoding.types.map(\.name).joined(separator: ", "))
    }
    try self.init(name: name, type: type, shape: shape) { sink in
      // A multiple of every block size; 1 MiB of float32.
      let piece = 1 << 18
      for start in stride(from: 0, to: floats.count, by: piece) {
        let end = min(start + piece, floats.count)
        let values = UnsafeBufferPointer(rebasing: floats.buffer[start..<end])
        try FloatEncoding.encode(values, as: type).withUnsafeBytes { try sink($0) }
      }
    }
    guard floats.count == info.count else {
      throw LabError(
        .badData, "\(floats.count) values do not fill the shape \(shape)", at: "tensor '\(name)'")
    }
  }

  private func requireSize(_ count: Int) throws {
    guard count == info.byteCount else {
      throw LabError(
        .badData, "the bytes do not fill the tensor", at: "tensor '\(info.name)'",
        expected: "\(info.byteCount) bytes for \(info.type.name) \(info.shape)", got: "\(count)")
    }
  }

  /// Writes the bytes to `file` and checks their number.
  func write(to file: AtomicFile) throws {
    var written = 0
    do {
      try produce { bytes in
        written += bytes.count
        try file.write(bytes)
      }
    } catch let error as LabError where error.kind == .badData {
      throw error.inside("tensor '\(info.name)'")
    }
    try requireSize(written)
  }
}
