import TritCore
public import TritKernels

/// Which bits of which bytes hold which trits, for any packing.
///
/// It is found by experiment, not told by the packing: one trit after the other is changed, in
/// several surroundings, and the bits that differ are its own. So packings from outside have a map
/// too. Trits that share a bit, such as the three of a TL2 index, are one group with all its bits.
public struct PackingMap: Sendable, Equatable {
  /// Trits that are coded together, and where.
  public struct Group: Sendable, Equatable {
    /// Row-major indices of the trits, ascending.
    public let trits: [Int]
    /// Places of the bits, ascending: bit b of byte i, of which 7 is the highest, is at 8 i + 7 −
    /// b.
    public let bits: [Int]
  }

  /// A run of neighbouring bits of one group within a byte.
  public struct Field: Sendable, Equatable {
    /// Offset of the byte.
    public let byte: Int
    /// The highest bit, 7…0.
    public let high: Int
    /// How many bits.
    public let width: Int
    /// The index of the group; nil for bits that hold no trit.
    public let group: Int?

    /// The value of these bits.
    public func value(in bytes: [UInt8]) -> Int {
      guard byte < bytes.count else { return 0 }
      return Int(bytes[byte]) >> (high - width + 1) & ((1 << width) - 1)
    }
  }

  /// The shape.
  public let rows: Int
  /// Columns of the shape.
  public let columns: Int
  /// Bytes of the whole.
  public let byteCount: Int
  /// All groups, by their first trit.
  public let groups: [Group]
  /// The group of each trit; nil for a trit that no bit depends on, which a right packing never
  /// has.
  public let groupOfTrit: [Int?]
  /// Places of the bits that hold scales.
  public let scaleBits: [Int]

  private let groupOfBit: [Int: Int]

  /// The most trits that are tried out one by one.
  public static let maximumTrits = 8192

  /// Finds the map for one shape with one scale. Throws what `packing` throws, and a usage error
  /// for more than `maximumTrits` trits.
  public init(_ packing: any Packing, rows: Int, columns: Int) throws {
    let (count, overflows) = rows.multipliedReportingOverflow(by: columns)
    guard rows > 0, columns > 0, !overflows, count <= Self.maximumTrits else {
      throw LabError(
        .usage, "a packing's bits are mapped for toy matrices only",
        expected: "1 to \(Self.maximumTrits) trits", got: "\(rows) × \(columns)",
        advice: "give fewer rows or columns", code: .wrongShape)
    }
    try packing.check(rows: rows, columns: columns, granularity: .tensor)
    let trits = AlignedBuffer<Int8>(count: count)
    func packed(scale: Float = 1) throws -> [UInt8] {
      let matrix = TernaryMatrix(rows: rows, columns: columns, trits: trits, scales: [scale])
      let result = try packing.pack(.ternary(matrix))
      return withExtendedLifetime(result) { Array($0.bytes.buffer) }
    }
    var random = SeededRandom(seed: 1)
    var found = [Set<Int>](repeating: [], count: count)
    var bytes: [UInt8] = []
    for surrounding in 0..<Self.surroundings {
      for index in 0..<count {
        trits[index] = surrounding < 3 ? Int8(surrounding) - 1 : Int8(random.below(3)) - 1
      }
      bytes = try packed()
      for index in 0..<count {
        let old = trits[index]
        for other in Int8(-1)...1 where other != old {
          trits[index] = other
          Self.differences(bytes, try packed()) { found[index].insert($0) }
        }
        trits[index] = old
      }
    }
    (self.rows, self.columns, byteCount) = (rows, columns, bytes.count)
    groups = Self.groups(found)
    var ofBit: [Int: Int] = [:]
    var ofTrit = [Int?](repeating: nil, count: count)
    for (index, group) in groups.enumerated() {
      for bit in group.bits { ofBit[bit] = index }
      for trit in group.trits { ofTrit[trit] = index }
    }
    groupOfBit = ofBit
    groupOfTrit = ofTrit
    var scales: Set<Int> = []
    for scale: Float in [0.3, -0.7, 1e-4, 12345.678] {
      // A packing may refuse a scale; the others then show where it stands.
      guard let other = try? packed(scale: scale) else { continue }
      Self.differences(bytes, other) { if ofBit[$0] == nil { scales.insert($0) } }
    }
    scaleBits = scales.sorted()
  }

  /// All −1, all 0, all +1, and some at random.
  private static let surroundings = 8

  private static func differences(_ first: [UInt8], _ second: [UInt8], _ body: (Int) -> Void) {
    for byte in 0..<min(first.count, second.count) {
      let changed = first[byte] ^ second[byte]
      guard changed != 0 else { continue }
      for bit in 0..<8 where changed >> UInt8(7 - bit) & 1 == 1 { body(8 * byte + bit) }
    }
  }

  /// Trits with a bit in common are one group.
  private static func groups(_ found: [Set<Int>]) -> [Group] {
    var parent = Array(found.indices)
    func root(_ index: Int) -> Int {
      var index = index
      while parent[index] != index { index = parent[index] }
      return index
    }
    var owner: [Int: Int] = [:]
    for (trit, bits) in found.enumerated() {
      for bit in bits {
        if let other = owner[bit] {
          let (a, b) = (root(other), root(trit))
          parent[max(a, b)] = min(a, b)
        } else {
          owner[bit] = trit
        }
      }
    }
    var members: [Int: (trits: [Int], bits: Set<Int>)] = [:]
    for (trit, bits) in found.enumerated() where !bits.isEmpty {
      members[root(trit), default: ([], [])].trits.append(trit)
      members[root(trit), default: ([], [])].bits.formUnion(bits)
    }
    return members.sorted { $0.key < $1.key }.map { Group(trits: $1.trits, bits: $1.bits.sorted()) }
  }

  /// The fields of a byte, from its highest bit down; all eight bits are in one of them.
  public func fields(ofByte byte: Int) -> [Field] {
    var fields: [Field] = []
    var start = 0
    while start < 8 {
      let group = groupOfBit[8 * byte + start]
      var end = start + 1
      while end < 8, groupOfBit[8 * byte + end] == group { end += 1 }
      fields.append(Field(byte: byte, high: 7 - start, width: end - start, group: group))
      start = end
    }
    return fields
  }

  /// The fields of a group, byte by byte.
  public func fields(ofGroup index: Int) -> [Field] {
    guard groups.indices.contains(index) else { return [] }
    let bytes = Set(groups[index].bits.map { $0 / 8 }).sorted()
    return bytes.flatMap { fields(ofByte: $0).filter { $0.group == index } }
  }
}
