import TritCore

extension TensorType {
  /// Every type, in the order of their declaration.
  public static let all: [TensorType] = [
    .f32, .f16, .bf16, .f64, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool, .q4_0, .q8_0,
    .q4_k, .q5_k, .q6_k, .tq1_0, .tq2_0, .q1_0, .q2_0, .pq2_0, .ptq1_0, .i2_s, .tl1, .tl2,
  ]

  /// The name that people know it by: ggml's (`F16`, `Q6_K`, `I2_S`), and `U8`… for what ggml
  /// lacks.
  public var name: String {
    switch self {
    case .f32: "F32"
    case .f16: "F16"
    case .bf16: "BF16"
    case .f64: "F64"
    case .i8: "I8"
    case .i16: "I16"
    case .i32: "I32"
    case .i64: "I64"
    case .u8: "U8"
    case .u16: "U16"
    case .u32: "U32"
    case .u64: "U64"
    case .bool: "BOOL"
    case .q4_0: "Q4_0"
    case .q8_0: "Q8_0"
    case .q4_k: "Q4_K"
    case .q5_k: "Q5_K"
    case .q6_k: "Q6_K"
    case .tq1_0: "TQ1_0"
    case .tq2_0: "TQ2_0"
    case .q1_0: "Q1_0"
    case .q2_0: "Q2_0"
    case .pq2_0: "PQ2_0"
    case .ptq1_0: "PTQ1_0"
    case .i2_s: "I2_S"
    case .tl1: "TL1"
    case .tl2: "TL2"
    }
  }

  /// Elements and bytes of one block: `(1, 4)` for float32, `(32, 34)` for Q8_0. Nil for the
  /// containers of bitnet.cpp, whose size is not a multiple of a block's.
  public var block: (elements: Int, bytes: Int)? {
    switch self {
    case .i8, .u8, .bool: (1, 1)
    case .f16, .bf16, .i16, .u16: (1, 2)
    case .f32, .i32, .u32: (1, 4)
    case .f64, .i64, .u64: (1, 8)
    case .q4_0: (32, 18)
    case .q8_0: (32, 34)
    case .q4_k: (256, 144)
    case .q5_k: (256, 176)
    case .q6_k: (256, 210)
    case .tq1_0: (256, 54)
    case .tq2_0: (256, 66)
    case .q1_0: (128, 18)
    case .q2_0: (64, 18)
    case .pq2_0: (128, 34)
    case .ptq1_0: (128, 28)
    case .i2_s, .tl1, .tl2: nil
    }
  }

  /// The bytes that a tensor of row-major `shape` takes on disk.
  ///
  /// Throws `badData` when a dimension is negative, the size overflows, or the rows do not fill
  /// whole blocks. I2_S is `n/4` bytes and a tail of 32 with the scale; TL1 the same; TL2 is what
  /// bitnet.cpp allocates for it, scale and tail included (microsoft/BitNet, ggml.c,
  /// `ggml_nbytes`).
  public func byteCount(shape: [Int]) throws -> Int {
    var total = 1
    for dimension in shape {
      let (product, overflow) = total.multipliedReportingOverflow(by: max(dimension, 1))
      guard dimension >= 0, !overflow else {
        throw LabError(
          .badData, "impossible shape \(shape)", expected: "a size that fits in memory")
      }
      total = product
    }
    let count = shape.contains(0) ? 0 : total
    if let block {
      guard (shape.last ?? 1).isMultiple(of: block.elements) else {
        throw LabError(
          .badData, "shape \(shape) does not fit type \(name)",
          expected: "rows of a multiple of \(block.elements)", got: "\(shape.last ?? 1)")
      }
      let (bytes, overflow) = (count / block.elements).multipliedReportingOverflow(by: block.bytes)
      guard !overflow else {
        throw LabError(
          .badData, "impossible shape \(shape)", expected: "a size that fits in memory")
      }
      return bytes
    }
    guard count.isMultiple(of: 4), count <= Int.max / 8 else {
      throw LabError(
        .badData, "shape \(shape) does not fit type \(name)",
        expected: "a number of weights that is a multiple of 4", got: "\(count)")
    }
    return self == .tl2 ? try tl2ByteCount(shape: shape, count: count) : count / 4 + 32
  }

  /// bitnet.cpp counts 256 columns as pairs (4 bits for 2) and the rest as triples (5 bits for 3),
  /// whatever the real split is.
  private func tl2ByteCount(shape: [Int], count: Int) throws -> Int {
    let columns = shape.last ?? 1
    guard columns >= 256 else {
      throw LabError(
        .badData, "shape \(shape) does not fit type TL2", expected: "rows of at least 256 weights",
        got: "\(columns)")
    }
    let rows = count / columns
    let triples = (columns - 256) * rows / 3 * 5 / 8
    let pairs = 256 * rows / 2 * 4 / 8
    return (triples + pairs + 31) / 32 * 32 + 32
  }
}

// MARK: Names and numbers in files
extension TensorType {
  /// The name in a safetensors header, or nil where that format has no such type.
  public var safetensorsName: String? {
    switch self {
    case .q4_0, .q8_0, .q4_k, .q5_k, .q6_k, .tq1_0, .tq2_0, .q1_0, .q2_0, .pq2_0, .ptq1_0, .i2_s,
      .tl1, .tl2:
      nil
    default: name
    }
  }

  /// The type called `name` in a safetensors header.
  public init?(safetensorsName name: String) {
    guard let type = Self.all.first(where: { $0.safetensorsName == name }) else { return nil }
    self = type
  }

  /// The number of the type in a GGUF file (`enum ggml_type`; 36–39 are bitnet.cpp's, 142 and 143
  /// PrismML's), or nil. What a number means in a file is decided by sizes: `TensorTypeMeanings`.
  public var ggufID: UInt32? {
    switch self {
    case .f32: 0
    case .f16: 1
    case .q4_0: 2
    case .q8_0: 8
    case .q4_k: 12
    case .q5_k: 13
    case .q6_k: 14
    case .i8: 24
    case .i16: 25
    case .i32: 26
    case .i64: 27
    case .f64: 28
    case .bf16: 30
    case .tq1_0: 34
    case .tq2_0: 35
    case .i2_s: 36
    case .tl1: 38
    case .tl2: 39
    case .q1_0: 41
    case .q2_0: 42
    case .pq2_0: 142
    case .ptq1_0: 143
    case .u8, .u16, .u32, .u64, .bool: nil
    }
  }

  /// The type that llama.cpp, bitnet.cpp or PrismML's fork writes as GGUF number `id`. Several
  /// numbers have other meanings in other programs, 42 four of them: a file's tensors are of the
  /// type that `GGUFFile` finds by their sizes.
  public init?(ggufID id: UInt32) {
    guard let type = Self.all.first(where: { $0.ggufID == id }) else { return nil }
    self = type
  }

  /// What ggml calls the types that TritLab does not read and that have one meaning, for messages.
  static func ggmlName(_ id: UInt32) -> String? {
    let names: [UInt32: String] = [
      3: "Q4_1", 4: "Q4_2", 5: "Q4_3", 6: "Q5_0", 7: "Q5_1", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
      15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
      20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 31: "Q4_0_4_4",
      32: "Q4_0_4_8", 33: "Q4_0_8_8", 37: "I8_S", 39: "MXFP4",
    ]
    return names[id]
  }
}
