package import TritCore

/// A prepared layer whose `memory` is all that depends on the weights, so that it can be kept in an
/// image and used from there.
package protocol KeptLinear: PreparedLinear {
  /// Whether this form is kept.
  var isKept: Bool { get }
}

extension KeptLinear {
  /// It is kept.
  package var isKept: Bool { true }

  /// What is kept; nil for a form that is not.
  package var keptMemory: [any RawMemory]? { isKept ? memory : nil }
}

/// A kernel that makes a layer again from what its `KeptLinear` kept.
///
/// Law (`WeightImageTests`): the layer computes the same bits as the one that was kept.
package protocol KeepingKernel: LinearKernel {
  /// A layer `[rows, columns]` whose memory is that of an earlier one. Throws `badData` where its
  /// sizes are others.
  func restore(rows: Int, columns: Int, from memory: inout KeptMemory) throws -> any PreparedLinear
}

/// A prepared head whose `memory` is all that depends on the weights, so that it can be kept in an
/// image and used from there.
package protocol KeptHead: PreparedHead {
  /// How to make it again.
  var keptForm: KeptHeadForm { get }
  /// What of `memory` is kept: what lies in the model's file as it is used stays there.
  var keptMemory: [any RawMemory] { get }
}

extension KeptHead {
  /// All of it.
  package var keptMemory: [any RawMemory] { memory }
}

/// What a head was, for making it again.
package enum KeptHeadForm: Sendable, Hashable, Codable {
  /// Codes of 4, 6 or 8 bits.
  case integer(bits: Int)
  /// 16-bit floats; `isStored`: those of the model's file.
  case half(HalfHead.Format, isStored: Bool)
  /// Trits with scales per group, multiplied in float32.
  case ternary
  /// A pass of 4, 6 or 8 bits before exact rows.
  case screened(k: Int, bits: Int, HalfHead.Format, isStored: Bool)

  /// Of a code.
  var bits: Int {
    switch self {
    case .integer(let bits), .screened(_, let bits, _, _): bits
    case .half: 16
    case .ternary: 2
    }
  }

  /// The head of `source` from what was kept of it. Throws `badData` where sizes are others, or
  /// rows that lay in the file do not.
  package func restore(_ source: HeadRows, from memory: inout KeptMemory) throws
    -> any PreparedHead
  {
    switch self {
    case .integer(let bits):
      return try Self.coarse(bits, source, from: &memory)
    case .half(let format, let isStored):
      return try Self.half(format, isStored, source, from: &memory)
    case .ternary:
      return try PreparedTernaryHead(rows: source.rows, columns: source.columns, from: &memory)
    case .screened(let k, let bits, let format, let isStored):
      let coarse = try Self.coarse(bits, source, from: &memory)
      let half = try Self.half(format, isStored, source, from: &memory)
      guard k >= 1 else { throw Self.unknown("k = \(k)") }
      return try PreparedScreenedHead(k: k, exact: half, coarse: coarse, from: &memory)
    }
  }

  private static func coarse(_ bits: Int, _ source: HeadRows, from memory: inout KeptMemory) throws
    -> any CoarseHead
  {
    switch bits {
    case 8: try PreparedInt8Head(rows: source.rows, columns: source.columns, from: &memory)
    case 4, 6:
      try PreparedLowBitHead(
        bits: bits, rows: source.rows, columns: source.columns, from: &memory)
    default: throw unknown("\(bits) bits")
    }
  }

  private static func half(
    _ format: HalfHead.Format, _ isStored: Bool, _ source: HeadRows,
    from memory: inout KeptMemory
  ) throws -> PreparedHalfHead {
    guard isStored else {
      return try PreparedHalfHead(
        format: format, rows: source.rows, columns: source.columns, from: &memory)
    }
    guard
      let head = PreparedHalfHead(
        source.stored, in: format, rows: source.rows, columns: source.columns)
    else { throw unknown("rows of \(format.rawValue) that are not in the model's file") }
    return head
  }

  private static func unknown(_ what: String) -> LabError {
    LabError(.badData, "the image holds a head that this program does not know", got: what)
  }
}

/// The sections of an image that belong to one layer or head, in the order in which they were kept.
package struct KeptMemory {
  private let image: WeightImage
  private var sections: ArraySlice<Range<Int>>

  /// `sections` of `image`, counted from its first one.
  package init(_ image: WeightImage, _ sections: [Range<Int>]) {
    self.image = image
    self.sections = sections[...]
  }

  /// Bytes of the next section; nil behind the last one.
  var nextByteCount: Int? { sections.first?.count }

  /// The next section, which must have `count` elements. Throws `badData` where it has not.
  mutating func next<Element: BitwiseCopyable>(
    _ count: Int, of type: Element.Type = Element.self
  ) throws -> AlignedBuffer<Element> {
    guard let range = sections.popFirst(), range.count == count * MemoryLayout<Element>.stride
    else {
      throw LabError(
        .badData, "a section of the image has another size", at: image.path,
        expected: "\(count) elements of \(MemoryLayout<Element>.stride) bytes")
    }
    guard let base = try image.bytes(range).baseAddress else {
      throw LabError(.badData, "a section of the image is not there", at: image.path)
    }
    return AlignedBuffer(viewing: base, count: count, owner: image)
  }
}
