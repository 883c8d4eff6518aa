public import TritCore

/// The element types of tensors in GGUF and safetensors files.
public enum TensorType: Sendable, Hashable {
  /// IEEE float32.
  case f32
  /// IEEE float16.
  case f16
  /// bfloat16.
  case bf16
  /// IEEE float64.
  case f64
  /// Signed integers of 8, 16, 32, 64 bits.
  case i8, i16, i32, i64
  /// Unsigned integers of 8, 16, 32, 64 bits.
  case u8, u16, u32, u64
  /// One byte, 0 or 1.
  case bool
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// ggml block formats: 32 weights, 4 or 8 bits, one f16 scale.
  case q4_0, q8_0
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// ggml k-quants: 256 weights of 4, 5 or 6 bits.
  case q4_k, q5_k, q6_k
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// ggml ternary blocks of 256 with an f16 scale.
  case tq1_0, tq2_0
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// ggml signs: 128 weights ±scale, no zero.
  case q1_0
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// 2-bit codes with an f16 scale: of 64 weights in ggml, of 128 in PrismML's fork.
  case q2_0, pq2_0
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// PrismML's base-3 blocks of 128 with an f16 scale.
  case ptq1_0
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// bitnet.cpp: 2-bit codes in blocks of 128 and one f32 scale in a 32-byte tail.
  case i2_s
  /// bitnet.cpp lookup-table layouts.
  case tl1, tl2
}

/// One tensor of a file: its name, type, shape and size. The bytes stay in the file.
public struct TensorInfo: Sendable, Hashable {
  /// The name in the file.
  public let name: String
  /// The element type.
  public let type: TensorType
  /// Row-major shape, slowest dimension first: a matrix is `[rows, columns]` in either format.
  public let shape: [Int]
  /// Bytes in the file.
  public let byteCount: Int

  /// Describes a tensor.
  public init(name: String, type: TensorType, shape: [Int], byteCount: Int) {
    self.name = name
    self.type = type
    self.shape = shape
    self.byteCount = byteCount
  }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }
}

/// A file, or a set of files, that holds named tensors.
public protocol TensorSource: Sendable {
  /// Where it came from, for messages.
  var path: String { get }
  /// All tensors, in the order of the file.
  var tensors: [TensorInfo] { get }
  /// The tensor called `name`, or nil.
  func info(_ name: String) -> TensorInfo?
  /// Its bytes; valid while the source lives. Throws for an unknown name.
  func bytes(_ name: String) throws -> UnsafeRawBufferPointer
  /// Says that the bytes `range` of tensor `name` will not be read soon, so that they need no
  /// memory.
  func release(_ name: String, _ range: Range<Int>)
}

/// Tensors that lie in mapped files.
package protocol MappedSource: TensorSource {
  /// The files, each opened once.
  var mappedFiles: [MappedFile] { get }
}

extension TensorSource {
  /// Nothing: for sources whose bytes are in memory anyway.
  public func release(_ name: String, _ range: Range<Int>) {}

  /// Releases all bytes of tensor `name`.
  public func release(_ name: String) {
    if let info = info(name) { release(name, 0..<info.byteCount) }
  }

  /// The tensor called `name` as float32 values, whatever plain or block float type it has on disk.
  /// Throws for ternary containers: those are packings, read by the kernels module.
  public func floats(_ name: String) throws -> AlignedBuffer<Float> {
    guard let info = info(name) else {
      throw LabError(
        .badData, "tensor '\(name)' is missing", at: path,
        advice: Suggestion.didYouMean(name, tensors.map(\.name)))
    }
    return try FloatDecoding.decode(try bytes(name), info: info, path: path)
  }
}
