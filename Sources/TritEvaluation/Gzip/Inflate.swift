import TritCore

/// Unpacks DEFLATE (RFC 1951).
///
/// Every length and distance is checked against what is there, and the output against a limit
/// before it grows: a kilobyte can stand for a megabyte.
struct Inflate {
  /// What can be wrong with a stream.
  enum Fault: Error {
    /// The stream ends too early.
    case truncated
    /// What it says is against the format.
    case malformed(String)
    /// It stands for more bytes than are allowed.
    case tooLarge
  }

  private let input: [UInt8]
  /// The next byte of the input.
  private(set) var position: Int
  private let limit: Int
  private var held: UInt64 = 0
  private var heldBits = 0
  /// What has been unpacked.
  private(set) var output: [UInt8]

  /// A stream that begins at `position`; what is unpacked is put behind `output`, which may grow to
  /// `limit` bytes.
  init(_ input: [UInt8], from position: Int, behind output: consuming [UInt8], limit: Int) {
    self.input = input
    self.position = position
    self.limit = limit
    self.output = output
  }

  /// Unpacks the stream to its end; `position` is then the byte behind it.
  mutating func run() throws(Fault) {
    let start = output.count
    while true {
      let isLast = try bits(1) == 1
      switch try bits(2) {
      case 0: try stored()
      case 1: try compressed(Self.fixedLiterals, Self.fixedDistances, from: start)
      case 2:
        let (literals, distances) = try tables()
        try compressed(literals, distances, from: start)
      default: throw .malformed("a block of type 3, which does not exist")
      }
      if isLast { break }
    }
    // Whole bytes that were read ahead are given back.
    position -= heldBits / 8
    held = 0
    heldBits = 0
  }

  // MARK: Bits

  private mutating func fill(_ count: Int) {
    while heldBits < count, position < input.count {
      held |= UInt64(input[position]) << UInt64(heldBits)
      heldBits += 8
      position += 1
    }
  }

  private mutating func bits(_ count: Int) throws(Fault) -> Int {
    fill(count)
    guard heldBits >= count else { throw .truncated }
    let value = Int(held & (1 << UInt64(count) - 1))
    held >>= UInt64(count)
    heldBits -= count
    return value
  }

  private mutating func symbol(_ table: Codes) throws(Fault) -> Int {
    fill(Codes.longest)
    let entry = table.entries[Int(held & UInt64(Codes.mask))]
    let length = Int(entry & 15)
    guard length > 0 else {
      throw heldBits < Codes.longest ? .truncated : .malformed("a code that no symbol has")
    }
    guard heldBits >= length else { throw .truncated }
    held >>= UInt64(length)
    heldBits -= length
    return Int(entry >> 4)
  }

  // MARK: Blocks

  private mutating func stored() throws(Fault) {
    let rest = heldBits % 8
    held >>= UInt64(rest)
    heldBits -= rest
    let count = try bits(16)
    guard try bits(16) == count ^ 0xFFFF else {
      throw .malformed("a stored block whose length and its complement differ")
    }
    position -= heldBits / 8
    held = 0
    heldBits = 0
    guard input.count - position >= count else { throw .truncated }
    try room(count)
    output += input[position..<position + count]
    position += count
  }

  private mutating func compressed(
    _ literals: Codes, _ distances: Codes, from start: Int
  ) throws(Fault) {
    while true {
      let symbol = try symbol(literals)
      if symbol < 256 {
        try room(1)
        output.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol - 257 < Self.lengths.count else {
        throw .malformed("a length symbol that does not exist")
      }
      let (base, extra) = Self.lengths[symbol - 257]
      let length = base + (try bits(extra))
      let far = try self.symbol(distances)
      guard far < Self.distances.count else {
        throw .malformed("a distance symbol that does not exist")
      }
      let (farBase, farExtra) = Self.distances[far]
      let distance = farBase + (try bits(farExtra))
      guard distance <= output.count - start else {
        throw .malformed("a copy from before the beginning")
      }
      try room(length)
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  private func room(_ count: Int) throws(Fault) {
    guard count <= limit - output.count else { throw .tooLarge }
  }

  /// The code tables of a dynamic block.
  private mutating func tables() throws(Fault) -> (literals: Codes, distances: Codes) {
    let literals = try bits(5) + 257
    let distances = try bits(5) + 1
    let count = try bits(4) + 4
    guard literals <= 286, distances <= 30 else { throw .malformed("too many codes") }
    var lengths = [UInt8](repeating: 0, count: 19)
    for index in 0..<count { lengths[Self.order[index]] = UInt8(try bits(3)) }
    let outer = try Codes(lengths, mayBeIncomplete: false)
    var all: [UInt8] = []
    while all.count < literals + distances {
      let symbol = try symbol(outer)
      switch symbol {
      case 0...15: all.append(UInt8(symbol))
      case 16:
        guard let last = all.last else { throw .malformed("a repeated length without one before") }
        all += Array(repeating: last, count: try bits(2) + 3)
      case 17: all += Array(repeating: 0, count: try bits(3) + 3)
      default: all += Array(repeating: 0, count: try bits(7) + 11)
      }
    }
    guard all.count == literals + distances else { throw .malformed("more lengths than codes") }
    guard all[256] > 0 else { throw .malformed("no code for the end of a block") }
    return (
      try Codes(Array(all[..<literals]), mayBeIncomplete: true),
      try Codes(Array(all[literals...]), mayBeIncomplete: true)
    )
  }

  // MARK: Tables

  /// Symbols by the next bits of the stream.
  private struct Codes {
    static let longest = 15
    static let mask = 1 << longest - 1
    /// `symbol << 4 | bits` for every string of 15 bits, the first bit the lowest; 0 for none.
    let entries: [UInt16]

    /// Codes by their lengths (RFC 1951, 3.2.2). Throws where there are too many for their lengths,
    /// or too few; a table of a single code may be incomplete.
    init(_ lengths: [UInt8], mayBeIncomplete: Bool) throws(Fault) {
      var counts = [Int](repeating: 0, count: Codes.longest + 1)
      for length in lengths { counts[Int(length)] += 1 }
      counts[0] = 0
      var next = [Int](repeating: 0, count: Codes.longest + 2)
      var left = 1
      for bits in 1...Codes.longest {
        left = left * 2 - counts[bits]
        guard left >= 0 else { throw .malformed("more codes than their lengths allow") }
        next[bits + 1] = (next[bits] + counts[bits]) << 1
      }
      let used = lengths.count { $0 > 0 }
      guard left == 0 || mayBeIncomplete && used <= 1 else {
        throw .malformed("fewer codes than their lengths ask for")
      }
      var entries = [UInt16](repeating: 0, count: Codes.mask + 1)
      for (symbol, length) in lengths.enumerated() where length > 0 {
        let bits = Int(length)
        let code = next[bits]
        next[bits] += 1
        // Codes are sent with their highest bit first.
        var reversed = 0
        for bit in 0..<bits where code >> bit & 1 == 1 { reversed |= 1 << (bits - 1 - bit) }
        let entry = UInt16(symbol) << 4 | UInt16(bits)
        for index in stride(from: reversed, through: Codes.mask, by: 1 << bits) {
          entries[index] = entry
        }
      }
      self.entries = entries
    }

    /// The fixed codes, which are complete.
    init(fixed lengths: [UInt8]) {
      do throws(Fault) {
        self = try Codes(lengths, mayBeIncomplete: false)
      } catch {
        preconditionFailure("the fixed codes of the format are complete")
      }
    }
  }

  private static let order = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
  ]
  private static let fixedLiterals = Codes(
    fixed: Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112)
      + Array(repeating: 7, count: 24) + Array(repeating: 8, count: 8))
  private static let fixedDistances = Codes(fixed: Array(repeating: 5, count: 32))
  /// Base and extra bits of the symbols 257 to 285.
  private static let lengths: [(Int, Int)] =
    (0..<8).map { (3 + $0, 0) }
    + (0..<20).map { index in
      let extra = index / 4 + 1
      return ((4 + index % 4) << extra + 3, extra)
    } + [(258, 0)]
  /// Base and extra bits of the symbols 0 to 29.
  private static let distances: [(Int, Int)] =
    (0..<4).map { (1 + $0, 0) }
    + (0..<26).map { index in
      let extra = index / 2 + 1
      return ((2 + index % 2) << extra + 1, extra)
    }
}
